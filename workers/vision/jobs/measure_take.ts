import { join } from "@std/path/join.js";
import { measureTake } from "#server/clips/job_kinds.ts";
import { handle, type Handler } from "#workers/kit/handle.ts";
import type { VisionPool } from "#workers/vision/child_pool.ts";
import { storedFile } from "#workers/vision/stored_file.ts";

/** Measures a take, chooses where it ends and keeps that frame as PNG. */
export function measureTakeHandler(pool: VisionPool): Handler {
  return handle(measureTake, async (input, job) => {
    const endImagePath = input.end ? join(job.workDir, "end.png") : undefined;
    const { curves, likeness, end } = await pool.ask({
      kind: "video",
      path: await job.store.openLocal(input.intermediate.hash, job.workDir, job.signal),
      rate: input.rate,
      frameCount: input.frameCount,
      portrait: input.portrait && await storedFile(job, input.portrait),
      boundaries: [],
      end: input.end,
      requireFace: input.requireFace,
      endImagePath,
    }, { signal: job.signal, onProgress: (ratio) => job.progress(ratio, "measuring") });
    const endImage = endImagePath ? await job.store.put({ path: endImagePath }, "image/png") : null;
    return { curves, likeness, end, endImage };
  });
}
