import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from "mediabunny";
import type { MediaFacts } from "#server/assets/job_kinds.ts";
import { durationUs, type Rate } from "#server/core/media_time.ts";
import { MediaError } from "./media_error.ts";
import type { CommandOptions, MediaTools, ProbeStream } from "./run.ts";
import { describeType, isStill, type Sniffed, sniffFile } from "./sniff.ts";
import { plainFacts, stillFacts } from "./still.ts";
import { type Timing, timingOf, timingOfStays } from "./timing.ts";

/**
 * What a file holds, by looking inside it: the same answer on both backends. Rates come from the times of
 * the frames themselves and are exact. Throws a MediaError with the reason for what is no media, is empty
 * or lacks its end.
 */
export async function readFacts(
  tools: MediaTools,
  path: string,
  options: CommandOptions = {},
): Promise<MediaFacts> {
  const sniffed = await sniffFile(path);
  if (sniffed.mediaType === "application/x-empty") {
    throw new MediaError("The file is empty: upload it again", "not_media");
  }
  if (isStill(sniffed)) return plainFacts(await stillFacts(path, sniffed));
  const kind = sniffed.mediaType.split("/")[0];
  if (kind !== "video" && kind !== "audio" && !sniffed.isAnimated) {
    throw new MediaError(
      `The file is ${describeType(sniffed.mediaType)}: a picture, video or sound was expected`,
      "not_media",
    );
  }
  if (sniffed.mediaType === "image/webp") return await animatedFacts(path, sniffed);
  const probe = await tools.probe(path, options);
  const video = probe.streams.find((stream) => stream.codec_type === "video");
  const hasAudio = probe.streams.some((stream) => stream.codec_type === "audio");
  const container = sniffed.mediaType.split("/")[1]?.replace(/^x-/, "") ?? "unknown";
  if (!video) {
    if (!hasAudio) throw new MediaError("The file holds neither picture nor sound", "not_media");
    const seconds = Number(probe.format.duration);
    const codec = probe.streams.find((stream) => stream.codec_type === "audio")?.codec_name;
    return {
      kind: "audio",
      mediaType: sniffed.mediaType,
      container,
      hasAudio,
      ...(codec ? { codec } : {}),
      ...(Number.isFinite(seconds) ? { durationUs: Math.round(seconds * 1e6) } : {}),
    };
  }
  const walked = await walkPackets(tools, path, sniffed, video, options);
  return {
    kind: "video",
    mediaType: sniffed.mediaType,
    container,
    ...pictureFacts(video),
    rate: walked.timing.rate,
    isConstantRate: walked.timing.isConstant,
    frameCount: walked.frameCount,
    durationUs: durationUs(walked.frameCount, walked.timing.rate),
    hasAudio,
  };
}

/** The facts of a file that must be a video; else a MediaError that says what it is instead. */
export async function readVideoFacts(
  tools: MediaTools,
  path: string,
  options: CommandOptions = {},
): Promise<MediaFacts & { widthPx: number; heightPx: number; rate: Rate; frameCount: number }> {
  const facts = await readFacts(tools, path, options);
  const { widthPx, heightPx, rate, frameCount } = facts;
  if (facts.kind !== "video" || !widthPx || !heightPx || !rate || !frameCount) {
    throw new MediaError(
      `The file is ${facts.kind === "image" ? "a still picture" : `a ${facts.kind}`}: a video was expected`,
      "not_media",
    );
  }
  return { ...facts, widthPx, heightPx, rate, frameCount };
}

interface Walk {
  readonly timing: Timing;
  readonly frameCount: number;
}

async function walkPackets(
  tools: MediaTools,
  path: string,
  sniffed: Sniffed,
  video: ProbeStream,
  options: CommandOptions,
): Promise<Walk> {
  const hint = parseFraction(video.r_frame_rate);
  const isBoxed = /^video\/(mp4|quicktime|webm|x-matroska)$/.test(sniffed.mediaType);
  const walk = isBoxed
    ? await walkInProcess(path, hint)
    : await walkByProbe(tools, path, { sniffed, video, hint }, options);
  if (walk.frameCount === 0) throw new MediaError("The video has no frames", "not_media");
  return walk;
}

/** Walks the packets here: no process, and the container's own exact times. */
async function walkInProcess(path: string, hint: Rate | undefined): Promise<Walk> {
  using input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
  const track = await input.getPrimaryVideoTrack();
  if (!track) return { timing: { rate: hint ?? { num: 25, den: 1 }, isConstant: true }, frameCount: 0 };
  const ticksPerSecond = track.timeResolution;
  const ticks: number[] = [];
  let last: { readonly byteLength: number } | undefined;
  const sink = new EncodedPacketSink(track);
  for await (const packet of sink.packets(undefined, undefined, { metadataOnly: true })) {
    ticks.push(Math.round(packet.timestamp * ticksPerSecond));
    last = packet;
  }
  if (last && !await isWhole(sink)) {
    throw new MediaError(
      "The file is truncated: its last frames are missing. Copy or render it again",
      "truncated",
    );
  }
  return { timing: timingOf(ticks, ticksPerSecond, hint), frameCount: ticks.length };
}

/** Whether the last frame's bytes are really in the file: an index in front outlives a cut-off end. */
async function isWhole(sink: EncodedPacketSink): Promise<boolean> {
  try {
    const packet = await sink.getPacket(Number.MAX_SAFE_INTEGER);
    return packet !== null && packet.data.byteLength > 0;
  } catch {
    return false;
  }
}

async function walkByProbe(
  tools: MediaTools,
  path: string,
  known: { readonly sniffed: Sniffed; readonly video: ProbeStream; readonly hint: Rate | undefined },
  options: CommandOptions,
): Promise<Walk> {
  const { sniffed, video, hint } = known;
  const { packets = [] } = await tools.probe(path, { ...options, packets: true });
  const base = parseFraction(video.time_base) ?? { num: 1, den: 1000 };
  const ticks = packets.flatMap((packet) => packet.pts === undefined ? [] : [packet.pts * base.num]);
  if (sniffed.isAnimated && ticks.length > 1) {
    const stays = ticks.slice(1).map((tick, n) => tick - (ticks[n] ?? 0));
    return { timing: timingOfStays(stays, base.den), frameCount: packets.length };
  }
  const timing = ticks.length === packets.length ? timingOf(ticks, base.den, hint) : undefined;
  return {
    timing: timing ?? { rate: hint ?? { num: 25, den: 1 }, isConstant: true },
    frameCount: packets.length,
  };
}

async function animatedFacts(path: string, sniffed: Sniffed): Promise<MediaFacts> {
  const still = await stillFacts(path, sniffed);
  const { pageCount, delaysMs } = still;
  const ticks = delaysMs.reduce<number[]>((at, delay) => [...at, (at.at(-1) ?? 0) + delay], [0]).slice(
    0,
    pageCount,
  );
  const timing = timingOf(ticks, 1000);
  return {
    ...plainFacts(still),
    kind: "video",
    rate: timing.rate,
    isConstantRate: timing.isConstant,
    frameCount: pageCount,
    durationUs: durationUs(pageCount, timing.rate),
    hasAudio: false,
  };
}

/** Sizes are as displayed: a quarter turn swaps them. */
function pictureFacts(video: ProbeStream): Partial<MediaFacts> {
  const turn = video.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  // ffprobe counts turns counter-clockwise
  const rotationDeg = ((Math.round(-turn) % 360) + 360) % 360;
  const isTurned = rotationDeg % 180 === 90;
  const format = video.pix_fmt;
  return {
    ...(video.codec_name ? { codec: video.codec_name } : {}),
    ...(video.width && video.height
      ? { widthPx: isTurned ? video.height : video.width, heightPx: isTurned ? video.width : video.height }
      : {}),
    rotationDeg,
    ...(format
      ? {
        pixelFormat: format,
        bitDepth: bitDepthOf(format),
        hasAlpha: /^(yuva|rgba|bgra|argb|abgr|gbrap|ya|pal8)/.test(format),
      }
      : {}),
    ...known("colorPrimaries", video.color_primaries),
    ...known("colorTransfer", video.color_transfer),
    ...known("colorMatrix", video.color_space),
    ...known("colorRange", video.color_range),
  };
}

function known<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value && value !== "unknown" ? { [key]: value } as Record<K, string> : {};
}

/** Bits a component, from ffmpeg's pixel format name: "yuv420p10le" is 10. */
function bitDepthOf(pixelFormat: string): number {
  const match = /(?:p|gray|gbrp|gbrap)(9|10|12|14|16)(?:le|be)$|(?:rgb|bgr|rgba|bgra)(48|64)(?:le|be)$/.exec(
    pixelFormat,
  );
  return match?.[1] ? Number(match[1]) : match?.[2] ? 16 : 8;
}

function parseFraction(text: string | undefined): Rate | undefined {
  const match = /^(\d+)\/(\d+)$/.exec(text ?? "");
  const [num, den] = [Number(match?.[1]), Number(match?.[2])];
  return match && num > 0 && den > 0 && num <= 1_000_000 && den <= 1_000_000 ? { num, den } : undefined;
}
