import type * as z from "zod/mini";
import type { Tx } from "#server/db/db.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import type { SettledJob } from "#server/jobs/settle.ts";
import { beginInspection } from "./inspection.ts";
import { addGenerated } from "./service.ts";

/** Registers what a generation made that was asked for by itself: it is its project's, with all that making it took. */
export async function onGenerated(
  tx: Tx,
  job: SettledJob<z.output<typeof generate["input"]>>,
  made: z.output<typeof generate["output"]>,
): Promise<void> {
  const { projectId } = job;
  if (projectId === null) return;
  const { seed } = job.input.values;
  const found = await addGenerated(tx, job, made, {
    projectId,
    kind: "generated",
    retention: "keep",
    randomSeed: typeof seed === "number" ? seed : null,
  });
  if (found) {
    await beginInspection(tx, { file: found.file, name: found.fileName, projectId, userId: job.userId });
  }
}
