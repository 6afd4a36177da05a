import { makeProxy } from "#server/assets/job_kinds.ts";
import { handle, type Handler } from "#workers/kit/handle.ts";
import { MediaError } from "#workers/media/media_error.ts";
import { frameRatio, planSprite, renderOutputs } from "#workers/media/render.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { openSource } from "#workers/media/sources.ts";
import { blameMedia } from "./blame.ts";

/** Makes a video's review proxy, poster and hover sprite in one pass. */
export function makeProxyHandler(tools: MediaTools): Handler {
  return handle(makeProxy, ({ file, rate, frameCount, heightPx }, job) =>
    blameMedia(async () => {
      const source = await openSource(
        tools,
        [await job.store.openLocal(file.hash, job.workDir, job.signal)],
        {
          rate,
          dropHead: 0,
          keepVideoColor: true,
          signal: job.signal,
        },
      );
      if (source.frameCount !== frameCount) {
        throw new MediaError(
          `The video has ${source.frameCount} frames, not the ${frameCount} it is known to have`,
          "not_media",
        );
      }
      const spriteLayout = planSprite(source, frameCount);
      const [proxy, poster, sprite] = ["proxy.mp4", "poster.jpg", "sprite.jpg"].map((name) =>
        `${job.workDir}/${name}`
      );
      await renderOutputs(
        tools,
        source,
        {
          proxy: { path: proxy ?? "", heightPx },
          poster,
          sprite: { path: sprite ?? "", layout: spriteLayout },
        },
        {
          signal: job.signal,
          onProgress: frameRatio(frameCount, (ratio) => job.progress(ratio * 0.95, "making the proxy")),
        },
      );
      return {
        proxy: await job.store.put({ path: proxy ?? "", take: true }, "video/mp4"),
        poster: await job.store.put({ path: poster ?? "", take: true }, "image/jpeg"),
        sprite: await job.store.put({ path: sprite ?? "", take: true }, "image/jpeg"),
        spriteLayout,
      };
    }));
}
