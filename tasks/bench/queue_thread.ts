// The thread that runs the benches' jobs.
import * as z from "zod/mini";
import { handle } from "#workers/kit/handle.ts";
import { serveThread } from "#workers/kit/thread.ts";
import { benchJob, preciseNow } from "./queue_job.ts";

const run = handle(benchJob, ({ dueMs }) => {
  return Promise.resolve(dueMs === undefined ? {} : { latencyMs: preciseNow() - dueMs });
});

serveThread(({ settings }) => {
  const { workRoot } = z.object({ workRoot: z.string() }).parse(settings);
  return { handlers: [run], workRoot };
});
