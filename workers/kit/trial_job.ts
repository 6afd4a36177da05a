import * as z from "zod/mini";
import { jobKind } from "#server/core/job_kind.ts";
import { delay } from "#server/core/time.ts";
import { GiveUp, handle, Retry, TryLater } from "./handle.ts";

/** Does what `act` says; `count` comes back doubled. */
export const trial = jobKind({
  code: "media.inspect",
  lane: "cpu",
  thread: "media",
  timeoutMs: 60_000,
  input: z.object({
    act: z.enum([
      "double",
      "wait",
      "wait_once",
      "give_up",
      "try_later",
      "retry",
      "throw",
      "crash",
      "exit",
      "bad_output",
      "no_output",
      "report",
    ]),
    count: z.optional(z.int()),
  }),
  output: z.object({ doubled: z.int(), more: z.optional(z.unknown()) }),
});

/** The handler of `trial`. */
export const runTrial = handle(trial, async ({ act, count = 0 }, job) => {
  switch (act) {
    case "wait":
      job.progress(0.1, "waiting");
      await delay(600_000, job.signal);
      break;
    case "wait_once":
      if (job.attempt < 2) await delay(600_000, job.signal);
      break;
    case "give_up":
      throw new GiveUp("Cannot do this: it is hopeless");
    case "try_later":
      if (job.attempt < 3) throw new TryLater("Cannot do this yet", 5);
      break;
    case "retry":
      if (job.attempt < 2) throw new Retry("Cannot find the output", "output_missing");
      break;
    case "throw":
      throw new Error("A bug");
    case "crash":
      // Outside of any promise, so that nothing can catch it: the worker dies.
      if (job.attempt < 2) setTimeout(() => globalThis.reportError(new Error("Crashed on purpose")));
      if (job.attempt < 2) await delay(600_000, job.signal);
      break;
    case "exit":
      if (job.attempt < 2) self.close();
      if (job.attempt < 2) await delay(600_000, job.signal);
      break;
    case "bad_output":
      return { doubled: 0.5 };
    case "no_output":
      return { doubled: 0, more: () => {} };
    case "report":
      job.log.info("half way there", { count });
      job.preview(new Uint8Array([1, 2, 3]), "image/png");
      await Deno.writeTextFile(`${job.workDir}/note`, "x");
      job.progress(0.5, "half");
  }
  return { doubled: count * 2 };
});
