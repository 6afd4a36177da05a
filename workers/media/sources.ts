import type { Rate } from "#server/core/media_time.ts";
import { formatRate } from "#server/core/media_time.ts";
import { inputFile, rawInput } from "./args.ts";
import { EXACT_COLOR } from "./lossless.ts";
import { MediaError } from "./media_error.ts";
import { readVideoFacts } from "./probe.ts";
import type { MediaTools } from "./run.ts";
import { isStill, sniffFile } from "./sniff.ts";
import { readAnimation, readRgb, stillFacts } from "./still.ts";

/** Something that gives RGB frames to ffmpeg, frame n at n/rate whatever the file's own times say. */
export interface FrameSource {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Frames that it gives, after `dropHead`. */
  readonly frameCount: number;
  readonly rate: Rate;
  /** Input arguments; the picture is `[0:v]`. */
  readonly args: readonly string[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Filters that make its frames upright 8-bit RGB and leave out the head. */
  readonly filters: readonly string[];
  /** Its frames are tagged BT.709 4:2:0 already and `filters` leave them so. */
  readonly isVideoColor?: boolean;
}

export interface SourceOptions {
  readonly rate: Rate;
  /** Frames to leave out at the head. */
  readonly dropHead: number;
  /** Leaves BT.709 4:2:0 as it is, for outputs that are video too; the way over RGB costs as much as decoding. */
  readonly keepVideoColor?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens what a generator hands over: one video (MP4, WebM, MOV, MKV, AVI), one animated picture (APNG,
 * WebP, GIF), or stills in order. Every coded frame counts as one frame; times in the file are not asked.
 */
export async function openSource(
  tools: MediaTools,
  paths: readonly string[],
  options: SourceOptions,
): Promise<FrameSource> {
  const [first] = paths;
  if (!first) throw new RangeError("Cannot open a source of no files: give at least one");
  const sniffed = await sniffFile(first);
  const source = paths.length > 1 || isStill(sniffed)
    ? await openStills(paths, options.rate)
    : sniffed.mediaType === "image/webp"
    ? await openAnimation(first, options.rate)
    : await openVideo(tools, first, options);
  const frameCount = source.frameCount - options.dropHead;
  if (frameCount < 1) {
    throw new MediaError(
      `The take has ${source.frameCount} frames, of which ${options.dropHead} are left out: none remain`,
      "not_media",
    );
  }
  const head = options.dropHead > 0 ? [`trim=start_frame=${options.dropHead}`, "setpts=PTS-STARTPTS"] : [];
  return { ...source, frameCount, filters: [...head, ...source.filters] };
}

async function openVideo(tools: MediaTools, path: string, options: SourceOptions): Promise<FrameSource> {
  const { rate, keepVideoColor = false, signal } = options;
  const facts = await readVideoFacts(tools, path, { signal });
  const isTagged = facts.colorMatrix === "bt709" && facts.colorRange === "tv" &&
    facts.pixelFormat === "yuv420p";
  const isVideoColor = keepVideoColor && isTagged;
  return {
    widthPx: facts.widthPx,
    heightPx: facts.heightPx,
    frameCount: facts.frameCount,
    rate,
    // before the input, a rate means: forget the file's times, count frames
    args: inputFile(path, ["-r", formatRate(rate)]),
    filters: isVideoColor ? [] : [`scale=flags=${EXACT_COLOR}`, "format=gbrp"],
    isVideoColor,
  };
}

async function openAnimation(path: string, rate: Rate): Promise<FrameSource> {
  const { widthPx = 0, heightPx = 0, pageCount } = await stillFacts(path, await sniffFile(path));
  return rawSource({ widthPx, heightPx, rate, frameCount: pageCount }, readAnimation(path, pageCount));
}

async function openStills(paths: readonly string[], rate: Rate): Promise<FrameSource> {
  const { widthPx, heightPx } = await readRgb(paths[0] ?? "");
  return rawSource(
    { widthPx, heightPx, rate, frameCount: paths.length },
    readStills(paths, { widthPx, heightPx }),
  );
}

async function* readStills(
  paths: readonly string[],
  size: { readonly widthPx: number; readonly heightPx: number },
): AsyncGenerator<Uint8Array, void, void> {
  for (const [index, path] of paths.entries()) {
    const still = await readRgb(path);
    if (still.widthPx !== size.widthPx || still.heightPx !== size.heightPx) {
      throw new MediaError(
        `Frame ${index} is ${still.widthPx}×${still.heightPx}, the first is ${size.widthPx}×${size.heightPx}: all must be the same size`,
        "not_media",
      );
    }
    yield still.data;
  }
}

function rawSource(
  shape: { widthPx: number; heightPx: number; rate: Rate; frameCount: number },
  stdin: AsyncIterable<Uint8Array>,
): FrameSource {
  return { ...shape, args: rawInput({ ...shape, pixelFormat: "rgb24" }), stdin, filters: ["format=gbrp"] };
}
