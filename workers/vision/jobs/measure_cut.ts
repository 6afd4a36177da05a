import { measureCut } from "#server/clips/job_kinds.ts";
import { handle, type Handler } from "#workers/kit/handle.ts";
import type { VisionPool } from "#workers/vision/child_pool.ts";
import { storedFile } from "#workers/vision/stored_file.ts";

/** Measures a stitched cut and judges its seams. */
export function measureCutHandler(pool: VisionPool): Handler {
  return handle(measureCut, async (input, job) => {
    const { curves, likeness, seams } = await pool.ask({
      kind: "video",
      path: await job.store.openLocal(input.intermediate.hash, job.workDir, job.signal),
      rate: input.rate,
      frameCount: input.frameCount,
      portrait: input.portrait && await storedFile(job, input.portrait),
      boundaries: input.boundaries,
      end: undefined,
      requireFace: false,
      known: input.known,
      endImagePath: undefined,
    }, { signal: job.signal, onProgress: (ratio) => job.progress(ratio, "measuring") });
    return { curves, likeness, seams: [...seams] };
  });
}
