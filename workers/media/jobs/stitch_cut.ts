import type * as z from "zod/mini";
import { stitchCut } from "#server/clips/job_kinds.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { sameRate } from "#server/core/media_time.ts";
import { handle, type Handler, type JobContext } from "#workers/kit/handle.ts";
import { inputFile } from "#workers/media/args.ts";
import type { AviFile } from "#workers/media/avi.ts";
import { type AviSlice, spliceAvi } from "#workers/media/avi_splice.ts";
import { conformFilters, conformFrame } from "#workers/media/conform.ts";
import { cutKeyFrames } from "#workers/media/encode.ts";
import { INTERMEDIATE_MEDIA_TYPE, readIntermediate } from "#workers/media/lossless.ts";
import { MediaError } from "#workers/media/media_error.ts";
import { readVideoFacts } from "#workers/media/probe.ts";
import { frameRatio, planSprite, renderOutputs } from "#workers/media/render.ts";
import { retime } from "#workers/media/retime.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { openSource } from "#workers/media/sources.ts";
import { blameMedia } from "./blame.ts";

type StitchInput = z.output<typeof stitchCut.input>;

/**
 * Stitches takes to a cut. The takes' coded frames are copied into one lossless video; only a conform or
 * another size decodes them. One pass over it then makes the cut, the proxy, the poster and the
 * hover sprite.
 */
export function stitchCutHandler(tools: MediaTools): Handler {
  return handle(stitchCut, (input, job) => blameMedia(() => stitch(tools, input, job)));
}

async function stitch(tools: MediaTools, input: StitchInput, job: JobContext) {
  const sourceFrames = input.parts.reduce((sum, part) => sum + framesOf(part), 0);
  const plan = {
    rule: input.conform,
    sourceRate: input.sourceRate,
    rate: input.rate,
    sourceFrames,
    frames: input.frames,
  };
  const filters = conformFilters(plan);
  const joined = await joinParts(tools, input, job);
  job.progress(0.1, "joined the parts");
  const isConformed = filters.length > 0;
  const starts = partStarts(input.parts);
  const boundaries = isConformed ? starts.map((start) => conformFrame(start, plan)) : starts;
  const spriteLayout = planSprite(input, input.frames);
  const outputs = {
    intermediate: isConformed ? `${job.workDir}/cut.avi` : undefined,
    cut: { path: `${job.workDir}/cut.mp4`, keyFrames: cutKeyFrames(boundaries, input.frames) },
    proxy: { path: `${job.workDir}/proxy.mp4` },
    poster: `${job.workDir}/poster.jpg`,
    sprite: { path: `${job.workDir}/sprite.jpg`, layout: spriteLayout },
  };
  const { widthPx, heightPx, rate, frames } = input;
  const source = { args: inputFile(joined.path), filters, widthPx, heightPx, rate, frameCount: frames };
  await renderOutputs(tools, source, outputs, {
    signal: job.signal,
    onProgress: frameRatio(frames, (ratio) => job.progress(0.1 + ratio * 0.85, "stitching")),
  });
  const intermediate = outputs.intermediate ?? joined.path;
  await checkCounts(tools, [outputs.cut.path, outputs.proxy.path], intermediate, frames, job.signal);
  return {
    cut: await job.store.put({ path: outputs.cut.path, take: true }, "video/mp4"),
    intermediate: outputs.intermediate || !joined.ref
      ? await job.store.put({ path: intermediate, take: true }, INTERMEDIATE_MEDIA_TYPE)
      : joined.ref,
    frameCount: frames,
    boundaries,
    proxy: await job.store.put({ path: outputs.proxy.path, take: true }, "video/mp4"),
    poster: await job.store.put({ path: outputs.poster, take: true }, "image/jpeg"),
    sprite: await job.store.put({ path: outputs.sprite.path, take: true }, "image/jpeg"),
    spriteLayout,
  };
}

/** First frame of each part when they are laid end to end. */
function partStarts(parts: StitchInput["parts"]): number[] {
  let start = 0;
  return parts.map((part) => {
    const at = start;
    start += framesOf(part);
    return at;
  });
}

/** How many frames a part brings. */
function framesOf(part: StitchInput["parts"][number]): number {
  return part.retimedFrames ?? part.frameCount;
}

/** One lossless video of all parts at the source rate; a single whole part is used as it lies in the store. */
async function joinParts(
  tools: MediaTools,
  input: StitchInput,
  job: JobContext,
): Promise<{ readonly path: string; readonly ref?: FileRef }> {
  const slices: AviSlice[] = [];
  for (const [index, part] of input.parts.entries()) {
    slices.push(await openSlice(tools, input, part, index, job));
  }
  const [only] = slices;
  const [part] = input.parts;
  if (
    only && part && slices.length === 1 && only.firstFrame === 0 &&
    only.frameCount === only.file.frames.length && sameRate(only.file.rate, input.sourceRate)
  ) {
    const { path } = only.file;
    const stored = await job.store.openLocal(part.file.hash, job.workDir, job.signal);
    return path === stored ? { path, ref: part.file } : { path };
  }
  const path = `${job.workDir}/joined.avi`;
  await spliceAvi(slices, path, { rate: input.sourceRate, signal: job.signal });
  return { path };
}

/** The frames of a part that go into the cut, as they are or retimed. */
async function openSlice(
  tools: MediaTools,
  input: StitchInput,
  part: StitchInput["parts"][number],
  index: number,
  job: JobContext,
): Promise<AviSlice> {
  const { firstFrame, frameCount } = part;
  const file = await openPart(tools, input, part.file, index, job);
  const slice = { file, firstFrame, frameCount };
  const frames = framesOf(part);
  if (frames === frameCount) return slice;
  const out = `${job.workDir}/retimed_${index}`;
  return {
    file: await retime(tools, slice, { frames, rate: input.sourceRate, out }, job),
    firstFrame: 0,
    frameCount: frames,
  };
}

/** A part as an intermediate of the cut's size; anything else is decoded and made one first. */
async function openPart(
  tools: MediaTools,
  input: StitchInput,
  file: FileRef,
  index: number,
  job: JobContext,
): Promise<AviFile> {
  const { widthPx, heightPx, sourceRate } = input;
  const path = await job.store.openLocal(file.hash, job.workDir, job.signal);
  const made = readIntermediate(path);
  if (made && made.widthPx === widthPx && made.heightPx === heightPx) return made;
  const source = await openSource(tools, [path], { rate: sourceRate, dropHead: 0, signal: job.signal });
  const isFit = source.widthPx === widthPx && source.heightPx === heightPx;
  const fit = isFit ? [] : fillFrame(widthPx, heightPx);
  const out = `${job.workDir}/part_${index}.avi`;
  await renderOutputs(
    tools,
    { ...source, widthPx, heightPx, filters: [...source.filters, ...fit] },
    { intermediate: out },
    { signal: job.signal },
  );
  const converted = readIntermediate(out);
  if (!converted) throw new MediaError(`Part ${index + 1} gave no frames: it is damaged`, "not_media");
  return converted;
}

/** Scales to cover the frame and cuts what stands over, so that nothing is squeezed. */
function fillFrame(widthPx: number, heightPx: number): string[] {
  return [
    `scale=${widthPx}:${heightPx}:force_original_aspect_ratio=increase:flags=lanczos+accurate_rnd`,
    `crop=${widthPx}:${heightPx}`,
    "format=gbrp",
  ];
}

async function checkCounts(
  tools: MediaTools,
  videos: readonly string[],
  intermediate: string,
  frames: number,
  signal: AbortSignal,
): Promise<void> {
  const counts = [readIntermediate(intermediate)?.frames.length ?? 0];
  for (const path of videos) counts.push((await readVideoFacts(tools, path, { signal })).frameCount);
  if (counts.every((count) => count === frames)) return;
  throw new MediaError(
    `The cut came out with ${counts.join(", ")} frames and ${frames} were asked for: try again`,
    "failed",
  );
}
