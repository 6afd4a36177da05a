import { measureSeed } from "#server/seeds/job_kinds.ts";
import { handle, type Handler } from "#workers/kit/handle.ts";
import type { VisionPool } from "#workers/vision/child_pool.ts";
import { storedFile } from "#workers/vision/stored_file.ts";

/** Measures a still: faces, likeness, sharpness, colour, perceptual hash. */
export function measureSeedHandler(pool: VisionPool): Handler {
  return handle(measureSeed, async (input, job) =>
    await pool.ask({
      kind: "still",
      image: await storedFile(job, input.image),
      portrait: input.portrait && await storedFile(job, input.portrait),
    }, { signal: job.signal }));
}
