import {
  ALL_FORMATS,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathSource,
  FilePathTarget,
  Input,
  type InputVideoTrack,
  Mp4OutputFormat,
  Output,
  type VideoCodec,
} from "mediabunny";
import type { Rate } from "#server/core/media_time.ts";
import { MediaError } from "./media_error.ts";
import { joinPlainMp4 } from "./mp4_join.ts";

/** Two files can't be joined without decoding: their coded parameters are not the same. */
export class ParametersDiffer extends Error {
  override readonly name = "ParametersDiffer";
}

/** A run of coded frames of one MP4, MOV, MKV or WebM; it must begin at a key frame. */
export interface PacketSlice {
  readonly path: string;
  /** 0 by default. */
  readonly firstFrame?: number | undefined;
  /** To the end by default. */
  readonly frameCount?: number | undefined;
}

export interface JoinOptions {
  readonly rate: Rate;
  readonly signal?: AbortSignal | undefined;
  /** Puts the index in front, for which the result is held in memory; true by default. */
  readonly indexInFront?: boolean | undefined;
}

export interface JoinResult {
  readonly frameCount: number;
  /** Where each slice begins in the result. */
  readonly boundaries: readonly number[];
}

/**
 * Joins whole files by copying their packets; see `joinSlices`. Plain MP4s, which our own are, are copied byte by
 * byte, with the index in front whatever was asked.
 */
export async function joinFiles(
  paths: readonly string[],
  out: string,
  options: JoinOptions,
): Promise<JoinResult> {
  return await joinPlainMp4(paths, out, options) ??
    await joinSlices(paths.map((path) => ({ path })), out, options);
}

/**
 * Joins runs of coded frames into one MP4, decoding nothing: every frame comes out
 * bit by bit as it went in, frame n at n/rate. Throws ParametersDiffer when codec, parameter sets, size or
 * rate don't agree or a slice doesn't begin at a key frame.
 */
export async function joinSlices(
  slices: readonly PacketSlice[],
  out: string,
  options: JoinOptions,
): Promise<JoinResult> {
  const { rate, signal } = options;
  const boundaries: number[] = [];
  let join:
    | { readonly output: Output; readonly source: EncodedVideoPacketSource; readonly signature: string }
    | undefined;
  let frameCount = 0;
  try {
    for (const slice of slices) {
      using input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(slice.path) });
      const track = await openTrack(input, slice.path);
      const signature = await signatureOf(track, slice.path);
      join ??= { ...await beginOutput(track, out, options), signature };
      if (signature !== join.signature) {
        throw new ParametersDiffer(
          `The video ${slice.path} was coded with other parameters than the first: encode both anew`,
        );
      }
      boundaries.push(frameCount);
      frameCount += await copySlice(track, slice, join.source, { rate, base: frameCount, signal });
    }
    if (!join) throw new RangeError("Cannot join nothing: give at least one file");
    await join.output.finalize();
    return { frameCount, boundaries };
  } catch (thrown) {
    await join?.output.cancel().catch(() => {});
    throw thrown;
  }
}

async function openTrack(input: Input, path: string): Promise<InputVideoTrack> {
  const track = await input.getPrimaryVideoTrack().catch((cause) => {
    throw new MediaError(
      `The file ${path} can't be read as a video: it is damaged or is no video`,
      "not_media",
      "",
      { cause },
    );
  });
  if (!track?.codec) throw new MediaError(`The file ${path} holds no video that can be copied`, "not_media");
  return track;
}

async function beginOutput(track: InputVideoTrack, out: string, { rate, indexInFront = true }: JoinOptions) {
  const format = new Mp4OutputFormat({ fastStart: indexInFront ? "in-memory" : false });
  const output = new Output({ format, target: new FilePathTarget(out) });
  const source = new EncodedVideoPacketSource(track.codec as VideoCodec);
  output.addVideoTrack(source, { frameRate: rate.num / rate.den });
  await output.start();
  return { output, source };
}

/** All that a decoder is told before the first frame. */
async function signatureOf(track: InputVideoTrack, path: string): Promise<string> {
  const config = await track.getDecoderConfig();
  if (!config) {
    throw new MediaError(`The codec of ${path} is not known here, so it can't be copied`, "unsupported");
  }
  const { codec, codedWidth, codedHeight, description } = config;
  return [codec, codedWidth, codedHeight, track.rotation, hexOf(description)].join(" ");
}

/** The description is often a view into a bigger buffer: only its own bytes count. */
function hexOf(description: AllowSharedBufferSource | undefined): string {
  if (!description) return "";
  const bytes = ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function copySlice(
  track: InputVideoTrack,
  slice: PacketSlice,
  target: EncodedVideoPacketSource,
  place: { readonly rate: Rate; readonly base: number; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const { rate, base, signal } = place;
  const framesPerSecond = rate.num / rate.den;
  const from = slice.firstFrame ?? 0;
  const to = slice.frameCount === undefined ? Infinity : from + slice.frameCount;
  const decoderConfig = await track.getDecoderConfig() ?? undefined;
  const first = await track.getFirstTimestamp();
  let copied = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    signal?.throwIfAborted();
    const place = (packet.timestamp - first) * framesPerSecond;
    const index = Math.round(place);
    if (Math.abs(place - index) > 0.1) {
      throw new ParametersDiffer(
        `The video ${slice.path} does not run at the rate asked for: encode it anew`,
      );
    }
    if (index < from || index >= to) continue;
    if (copied === 0 && (packet.type !== "key" || index !== from)) {
      throw new ParametersDiffer(`Frame ${from} of ${slice.path} is no key frame: a slice can't begin there`);
    }
    const moved = packet.clone({
      timestamp: (base + index - from) / framesPerSecond,
      duration: 1 / framesPerSecond,
    });
    await target.add(moved, base === 0 && copied === 0 && decoderConfig ? { decoderConfig } : undefined);
    copied++;
  }
  if (to !== Infinity && copied !== to - from) {
    throw new MediaError(
      `The video ${slice.path} has ${from + copied} frames, fewer than were asked for`,
      "truncated",
    );
  }
  return copied;
}
