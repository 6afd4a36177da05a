import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { retryJob } from "./status_store.ts";
import { w } from "./words.ts";

/** What can be done on the status page itself. */
export const statusCommands: readonly Command[] = [{
  id: "status.retry",
  label: () => w("retry"),
  group: () => w("status"),
  icon: "refresh",
  permission: "job.control",
  when: (target) => typeof target === "string",
  whyNot: () => w("retryWhich"),
  run: async (target) => {
    await retryJob(String(target));
    tell({ kind: "done", text: w("retried") });
  },
}];
