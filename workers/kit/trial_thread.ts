// A thread for the tests of the kit and of the queue: it does what the input of its one job says.
import * as z from "zod/mini";
import { LocalStore } from "#server/files/local_store.ts";
import { serveThread } from "./thread.ts";
import { runTrial } from "./trial_job.ts";

serveThread(({ settings }) => {
  const { workRoot } = z.object({ workRoot: z.string() }).parse(settings);
  return { handlers: [runTrial], store: new LocalStore(`${workRoot}/store`), workRoot };
});
