import { ingestTake } from "#server/clips/job_kinds.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { type Rate, sameRate } from "#server/core/media_time.ts";
import { handle, type Handler, type JobContext } from "#workers/kit/handle.ts";
import { inputFile } from "#workers/media/args.ts";
import type { AviFile } from "#workers/media/avi.ts";
import { spliceAvi } from "#workers/media/avi_splice.ts";
import { INTERMEDIATE_MEDIA_TYPE, readIntermediate } from "#workers/media/lossless.ts";
import { MediaError } from "#workers/media/media_error.ts";
import { frameRatio, planSprite, renderOutputs } from "#workers/media/render.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { type FrameSource, openSource } from "#workers/media/sources.ts";
import { blameMedia } from "./blame.ts";
import { openLocals } from "./open_locals.ts";

/** Makes what a generator handed over a lossless intermediate, with proxy, poster and hover sprite, in one decode. */
export function ingestTakeHandler(tools: MediaTools): Handler {
  return handle(ingestTake, (input, job) =>
    blameMedia(async () => {
      const paths = await openLocals(job, input.files);
      const made = paths.length === 1 ? readIntermediate(paths[0] ?? "") : undefined;
      const taken = made ? await takeIntermediate(made, input, job) : undefined;
      const source = taken?.source ?? await openSource(tools, paths, { ...input, signal: job.signal });
      const spriteLayout = planSprite(source, source.frameCount);
      const outputs = {
        intermediate: taken ? undefined : `${job.workDir}/take.avi`,
        proxy: { path: `${job.workDir}/proxy.mp4` },
        poster: `${job.workDir}/poster.jpg`,
        sprite: { path: `${job.workDir}/sprite.jpg`, layout: spriteLayout },
      };
      await renderOutputs(tools, source, outputs, {
        signal: job.signal,
        onProgress: frameRatio(source.frameCount, (ratio) =>
          job.progress(ratio * 0.95, "taking the frames in")),
      });
      const path = taken?.path ?? outputs.intermediate ?? "";
      const frameCount = countWritten(path, source);
      const given = input.expectedFrames - input.dropHead;
      if (frameCount !== given) {
        job.log.warn("take has another length than asked", { expected: given, frameCount });
      }
      return {
        intermediate: taken?.ref ?? await job.store.put({ path, take: true }, INTERMEDIATE_MEDIA_TYPE),
        frameCount,
        widthPx: source.widthPx,
        heightPx: source.heightPx,
        proxy: await job.store.put({ path: outputs.proxy.path, take: true }, "video/mp4"),
        poster: await job.store.put({ path: outputs.poster, take: true }, "image/jpeg"),
        sprite: await job.store.put({ path: outputs.sprite.path, take: true }, "image/jpeg"),
        spriteLayout,
      };
    }));
}

interface TakenIntermediate {
  readonly source: FrameSource;
  readonly path: string;
  /** Present when the file is kept as it is. */
  readonly ref?: FileRef;
}

/** An intermediate is kept as it is, or its frames are copied when its head or its rate is to change. */
async function takeIntermediate(
  made: AviFile,
  input: { readonly files: readonly FileRef[]; readonly rate: Rate; readonly dropHead: number },
  job: JobContext,
): Promise<TakenIntermediate> {
  const { rate, dropHead, files } = input;
  const frameCount = made.frames.length - dropHead;
  if (frameCount < 1) {
    throw new MediaError(
      `The take has ${made.frames.length} frames, of which ${dropHead} are left out: none remain`,
      "not_media",
    );
  }
  const isKept = dropHead === 0 && sameRate(made.rate, rate);
  const path = isKept ? made.path : `${job.workDir}/take.avi`;
  if (!isKept) {
    await spliceAvi([{ file: made, firstFrame: dropHead, frameCount }], path, { rate, signal: job.signal });
  }
  const { widthPx, heightPx } = made;
  const source = { widthPx, heightPx, rate, frameCount, args: inputFile(path), filters: [] };
  return { source, path, ...(isKept && files[0] ? { ref: files[0] } : {}) };
}

/** A decoder that meets the end too soon says so in its log only: the frames that came out are the truth. */
function countWritten(path: string, source: FrameSource): number {
  const frameCount = readIntermediate(path)?.frames.length ?? 0;
  if (frameCount < source.frameCount) {
    throw new MediaError(
      `The take announces ${source.frameCount} frames but only ${frameCount} could be read: it is truncated, make it again`,
      "truncated",
    );
  }
  return frameCount;
}
