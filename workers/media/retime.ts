import type { Rate } from "#server/core/media_time.ts";
import { reduceRate } from "#server/core/media_time.ts";
import { inputFile } from "./args.ts";
import type { AviFile } from "./avi.ts";
import { type AviSlice, spliceAvi } from "./avi_splice.ts";
import { conformFilters } from "./conform.ts";
import { readIntermediate } from "./lossless.ts";
import { MediaError } from "./media_error.ts";
import { renderOutputs } from "./render.ts";
import type { MediaTools } from "./run.ts";

export interface RetimeOptions {
  /** How many frames to make. */
  readonly frames: number;
  readonly rate: Rate;
  /** Path to write to, without its ending. */
  readonly out: string;
}

/**
 * Makes exactly `frames` frames of a run of frames of an intermediate, evenly in time and by motion: its first frame
 * stays the first and its last the last, so that what is joined to either end still fits.
 */
export async function retime(
  tools: MediaTools,
  slice: AviSlice,
  { frames, rate, out }: RetimeOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<AviFile> {
  const { file, firstFrame, frameCount } = slice;
  const steps = frameCount - 1;
  // Read so much faster or slower that the last frame lies exactly on the last one made.
  const readAs = steps > 0 && frames > 1
    ? reduceRate({ num: rate.num * steps, den: rate.den * (frames - 1) })
    : rate;
  const isOne = frames === 1;
  const run = isOne ? { file, firstFrame: firstFrame + steps, frameCount: 1 } : slice;
  const source = `${out}_source.avi`;
  await spliceAvi([run], source, { rate: readAs, signal });
  const plan = {
    rule: steps > 0 ? "interpolate" : "repeat_nearest",
    sourceRate: readAs,
    rate,
    sourceFrames: run.frameCount,
    frames,
  } as const;
  const shape = { widthPx: file.widthPx, heightPx: file.heightPx, rate, frameCount: frames };
  const path = `${out}.avi`;
  await renderOutputs(
    tools,
    { ...shape, args: inputFile(source), filters: conformFilters(plan) },
    { intermediate: path },
    { signal },
  );
  const made = readIntermediate(path);
  if (made?.frames.length === frames) return made;
  throw new MediaError(
    `Retiming ${frameCount} frames to ${frames} gave ${made?.frames.length ?? 0}: try again`,
    "failed",
  );
}
