// A studio with nothing but a queue and one thread, for the tests that kill it. Lives as long as its standard input.
import * as z from "zod/mini";
import { silentLog } from "#server/core/log.ts";
import { newId } from "#server/core/id.ts";
import { connect } from "#server/db/db.ts";
import { submitJob } from "#server/jobs/service.ts";
import type { Settlement } from "#server/jobs/settle.ts";
import { startThread } from "#workers/kit/host.ts";
import { trial } from "#workers/kit/trial_job.ts";
import { Dispatch } from "./dispatch.ts";
import { jobKinds } from "./kinds.ts";
import { isAlive } from "./process.ts";
import { JobQueue } from "./queue.ts";

const [text = "{}"] = Deno.args;
const { url, host, folder } = z.object({ url: z.string(), host: z.string(), folder: z.string() }).parse(
  JSON.parse(text),
);
const db = connect({ url, max: 3 });
const dispatch = new Dispatch(silentLog);
const queue = new JobQueue({
  db,
  node: { id: newId<"node">(), host, pid: Deno.pid, version: "test" },
  log: silentLog,
  kinds: jobKinds,
  // Each job leaves one that is held: what a settlement did is so counted.
  settlements: [{
    kind: trial,
    done: async (tx: Parameters<Settlement["done"]>[0], job: { id: string }) => {
      const left = {
        kind: trial,
        input: { act: "double" as const },
        projectId: null,
        userId: null,
        isHeld: true,
      };
      await submitJob(tx, { ...left, needs: [job.id] });
    },
    failed: () => Promise.resolve(),
    cancelled: () => Promise.resolve(),
  } as unknown as Settlement],
  slots: { cpu: 2, io: 1, script: 1 },
  dispatch,
  isAlive,
  post: () => {},
});
const thread = startThread("media", new URL(import.meta.resolve("#workers/kit/trial_thread.ts")), {
  log: silentLog,
  settings: { workRoot: folder },
});
thread.watch({
  up: () => {
    const { port1, port2 } = new MessageChannel();
    dispatch.attach("media", port1);
    thread.post({ t: "attach", name: "queue" }, [port2]);
  },
  down: (reason) => dispatch.detach("media", reason),
});
await queue.start();
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
// Ends with its parent, however that ends.
for await (const _ of Deno.stdin.readable);
await queue.stop();
Deno.exit(0);
