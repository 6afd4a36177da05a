import { formatRate, type Rate } from "#server/core/media_time.ts";
import { inputFile, outputFile, rawInput } from "./args.ts";
import { type AviFile, readAvi } from "./avi.ts";
import { MediaError } from "./media_error.ts";
import type { CommandOptions, MediaTools } from "./run.ts";

/*
 * The lossless intermediate is Ut Video RGB in AVI. Every frame stands alone, 8-bit RGB survives bit by
 * bit, and an AVI knows its rate as a fraction and its frames by number, so runs of frames can be copied
 * without decoding (avi.ts). Measured at 768×512 with film-like grain, 2 cores, frames a second
 * (encode/decode) and size: native Ut Video 156/167, 329 kB; ffv1 36/31, 293 kB; x264rgb qp0 123/80,
 * 528 kB; png 71/132, 468 kB; ffvhuff 172/165, 402 kB. WebAssembly: Ut Video 80/96; ffv1 29/27;
 * x264rgb 49/36; png 42/93; ffvhuff 104/111.
 */
const CODEC = "ULRG";

export const INTERMEDIATE_MEDIA_TYPE = "video/x-msvideo";

/** A stream of frames: size and exact rate. */
export interface VideoShape {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly rate: Rate;
}

/** Scaler flags for converting colours well and alike on both backends. */
export const EXACT_COLOR = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";

/** Output arguments of a lossless intermediate; the chain before it must end in RGB. */
export function intermediateOutput(path: string, rate: Rate): string[] {
  const codec = ["-c:v", "utvideo", "-pred", "left", "-pix_fmt", "gbrp"];
  return [
    ...codec,
    "-fps_mode",
    "passthrough",
    "-r",
    formatRate(rate),
    "-an",
    "-sn",
    "-dn",
    "-f",
    "avi",
    outputFile(path),
  ];
}

/** The intermediate's facts and frame table, or undefined when `path` is not one. */
export function readIntermediate(path: string): AviFile | undefined {
  const avi = readAvi(path);
  return avi?.codec === CODEC && avi.frames.length > 0 ? avi : undefined;
}

/** Whether `path` is a lossless intermediate, by content. */
export function isIntermediate(path: string): boolean {
  return readIntermediate(path) !== undefined;
}

/**
 * Writes packed RGB frames (3 bytes a pixel) as a lossless intermediate and returns their number. Frames
 * are taken as fast as they are written; at most a few are held.
 */
export async function writeIntermediate(
  tools: MediaTools,
  frames: AsyncIterable<Uint8Array>,
  shape: VideoShape,
  out: string,
  options: CommandOptions = {},
): Promise<number> {
  const counted = countFrames(frames, shape);
  const args = [
    ...rawInput({ ...shape, pixelFormat: "rgb24" }),
    "-vf",
    "format=gbrp",
    ...intermediateOutput(out, shape.rate),
  ];
  await tools.ffmpeg(args, { ...options, stdin: counted.frames });
  return counted.count();
}

/** Passes frames through, counting them and refusing any of a wrong size. */
export function countFrames(frames: AsyncIterable<Uint8Array>, shape: { widthPx: number; heightPx: number }) {
  let count = 0;
  const expected = shape.widthPx * shape.heightPx * 3;
  async function* pass(): AsyncGenerator<Uint8Array, void, void> {
    for await (const frame of frames) {
      if (frame.byteLength !== expected) {
        throw new RangeError(
          `Frame ${count} has ${frame.byteLength} bytes: ${shape.widthPx}×${shape.heightPx} RGB needs ${expected}`,
        );
      }
      count++;
      yield frame;
    }
  }
  return { frames: pass(), count: () => count };
}

export interface DecodeOptions extends CommandOptions {
  /** First frame wanted; 0 by default. */
  readonly firstFrame?: number | undefined;
  /** How many; to the end by default. */
  readonly count?: number | undefined;
  /** Scale to this size; the video's own by default. */
  readonly size?: { readonly widthPx: number; readonly heightPx: number } | undefined;
  readonly pixelFormat: "rgb24" | "gray";
}

/**
 * Yields frames as packed pixels, one array each, in order. An intermediate is entered at `firstFrame` at
 * once; other videos are decoded from their start. Throws a MediaError when the video ends before `count`.
 */
export async function* decodeFrames(
  tools: MediaTools,
  path: string,
  options: DecodeOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { firstFrame = 0, count, pixelFormat } = options;
  const intermediate = readIntermediate(path);
  if (intermediate && firstFrame + (count ?? 0) > intermediate.frames.length) {
    throw endedEarly(intermediate.frames.length);
  }
  const size = options.size ?? intermediate ?? await displaySize(tools, path, options);
  // exact arithmetic, so that both backends decode lossy video to the same pixels
  const scale = options.size
    ? `scale=${size.widthPx}:${size.heightPx}:flags=area+accurate_rnd`
    : `scale=flags=${EXACT_COLOR}`;
  const filters = [
    ...(intermediate || firstFrame === 0 ? [] : [`trim=start_frame=${firstFrame}`]),
    ...(options.size || !intermediate ? [scale] : []),
    `format=${pixelFormat}`,
  ];
  const args = [
    ...inputFile(path, intermediate ? seekArgs(firstFrame, intermediate.rate) : []),
    "-map",
    "0:v:0",
    "-vf",
    filters.join(","),
    ...(count === undefined ? [] : ["-frames:v", String(count)]),
    "-fps_mode",
    "passthrough",
    "-f",
    "rawvideo",
    "pipe:1",
  ];
  const frameBytes = size.widthPx * size.heightPx * (pixelFormat === "gray" ? 1 : 3);
  let done = 0;
  for await (const frame of cutFrames(tools.ffmpegStream(args, options), frameBytes)) {
    done++;
    yield frame;
  }
  if (count !== undefined && done < count) throw endedEarly(firstFrame + done);
}

function endedEarly(frames: number): MediaError {
  return new MediaError(`The video ends after ${frames} frames, sooner than was asked for`, "truncated");
}

/** Enters a quarter frame early: ffmpeg rounds the time to a whole frame, and a half could go either way. */
function seekArgs(frame: number, rate: Rate): string[] {
  return frame === 0 ? [] : ["-ss", (((frame - 0.25) * rate.den) / rate.num).toFixed(6)];
}

async function displaySize(tools: MediaTools, path: string, options: CommandOptions) {
  const probe = await tools.probe(path, { signal: options.signal });
  const stream = probe.streams.find((each) => each.codec_type === "video");
  if (!stream?.width || !stream.height) throw new MediaError("The file holds no picture", "not_media");
  const turned =
    Math.abs(stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0) % 180 === 90;
  return turned
    ? { widthPx: stream.height, heightPx: stream.width }
    : { widthPx: stream.width, heightPx: stream.height };
}

/** Cuts a stream of bytes into arrays of `frameBytes`; a rest that is no whole frame is dropped. */
export async function* cutFrames(
  chunks: AsyncIterable<Uint8Array>,
  frameBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let frame = new Uint8Array(frameBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength;) {
      const take = Math.min(frameBytes - filled, chunk.byteLength - at);
      frame.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < frameBytes) continue;
      yield frame;
      frame = new Uint8Array(frameBytes);
      filled = 0;
    }
  }
}

/** Writes frame `frame` of a video as PNG; from an intermediate the RGB values are exact. */
export async function extractFrame(
  tools: MediaTools,
  path: string,
  frame: number,
  out: string,
  options: CommandOptions = {},
): Promise<void> {
  const intermediate = readIntermediate(path);
  if (intermediate && frame >= intermediate.frames.length) throw endedEarly(intermediate.frames.length);
  const filters = [...(intermediate ? [] : [`trim=start_frame=${frame}`]), "format=rgb24"];
  const args = [...inputFile(path, intermediate ? seekArgs(frame, intermediate.rate) : []), "-map", "0:v:0"];
  args.push("-vf", filters.join(","), "-frames:v", "1", "-fps_mode", "passthrough");
  args.push("-c:v", "png", "-compression_level", "3", "-f", "image2", "-update", "1", outputFile(out));
  await tools.ffmpeg(args, options);
  if (!await exists(out)) throw endedEarly(frame);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size > 0;
  } catch {
    return false;
  }
}
