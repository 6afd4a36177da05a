import { inspectMedia } from "#server/assets/job_kinds.ts";
import { handle, type Handler } from "#workers/kit/handle.ts";
import { readFacts } from "#workers/media/probe.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { writeThumbnail, writeWorkingImage } from "#workers/media/still.ts";
import { blameMedia } from "./blame.ts";

/** Looks inside a file; a still also gets its working image and a thumbnail. */
export function inspectMediaHandler(tools: MediaTools): Handler {
  return handle(inspectMedia, ({ file }, job) =>
    blameMedia(async () => {
      const path = await job.store.openLocal(file.hash, job.workDir, job.signal);
      const facts = await readFacts(tools, path, { signal: job.signal });
      job.progress(0.3, "looked inside");
      if (facts.kind !== "image") return { facts };
      const working = `${job.workDir}/working.png`;
      await writeWorkingImage(path, working);
      job.signal.throwIfAborted();
      job.progress(0.8, "made the working image");
      const thumbnail = `${job.workDir}/thumbnail.webp`;
      await writeThumbnail(working, thumbnail);
      return {
        facts,
        working: await job.store.put({ path: working, take: true }, "image/png"),
        thumbnail: await job.store.put({ path: thumbnail, take: true }, "image/webp"),
      };
    }));
}
