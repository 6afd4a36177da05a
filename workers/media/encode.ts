import type { Rate } from "#server/core/media_time.ts";
import { outputFile } from "./args.ts";
import type { VideoShape } from "./lossless.ts";
import type { MediaBackend } from "./run.ts";

/*
 * H.264 of the studio. RGB goes to BT.709 by an explicit matrix (ffmpeg's own default is BT.601, which
 * shifts saturated reds) and is tagged so on every frame. Measured at 768×512 with grain, 2 busy cores,
 * frames a second with the RGB→YUV step: cut at superfast native 70, at ultrafast WebAssembly 21; proxy
 * native 142, WebAssembly 34; veryfast in WebAssembly would be 9. H.264 decodes at 183 native, 116
 * WebAssembly. A clip of 3 × 48 frames from MP4 takes, whole jobs: ingest 3.8 s native, 9.7 s
 * WebAssembly; stitch to cut, proxy and poster 2.6 s and 10.2 s; the child's memory 225 MB.
 */

/** From RGB to tagged BT.709 limited-range 4:2:0. */
export const RGB_TO_VIDEO = [
  "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int",
  "format=yuv420p",
  "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
].join(",");

const BT709 = [
  "-color_range",
  "tv",
  "-colorspace",
  "bt709",
  "-color_primaries",
  "bt709",
  "-color_trc",
  "bt709",
];

/**
 * What goes into the stream's parameter sets. It is fixed, not left to presets, so that cuts made by
 * either backend at any effort can be joined without decoding.
 */
const PARAMETER_SETS =
  "stitchable=1:open-gop=0:cabac=1:8x8dct=1:ref=1:bframes=0:weightp=0:scenecut=0:force-cfr=1";

/** Frames beside each part's ends that have an IDR, so that a later re-stitch can heal a joint and copy the rest. */
export const JOINT_FRAMES = 4;

/** The frames of a cut that begin a closed group: each part's first, and `JOINT_FRAMES` in from both its ends. */
export function cutKeyFrames(boundaries: readonly number[], frameCount: number): number[] {
  const keys = new Set<number>([0]);
  for (const [index, start] of boundaries.entries()) {
    const end = boundaries[index + 1] ?? frameCount;
    for (const frame of [start, start + JOINT_FRAMES, end - JOINT_FRAMES]) {
      if (frame >= start && frame < end) keys.add(frame);
    }
  }
  return [...keys].sort((a, b) => a - b);
}

/**
 * Output arguments of a cut: H.264 High 4:2:0, near-lossless, no B-frames, closed groups that begin at
 * `keyFrames` and at least each two seconds, frame n at n/rate exactly, index at the front.
 */
export function cutOutput(
  path: string,
  shape: VideoShape,
  keyFrames: readonly number[],
  backend: MediaBackend,
): string[] {
  const group = Math.max(1, Math.round((2 * shape.rate.num) / shape.rate.den));
  return [
    "-c:v",
    "libx264",
    "-preset",
    backend.kind === "native" ? "superfast" : "ultrafast",
    "-crf",
    "12",
    "-profile:v",
    "high",
    "-level:v",
    levelFor(shape),
    "-g",
    String(group),
    "-forced-idr",
    "1",
    "-force_key_frames",
    `expr:${keyFrames.map((frame) => `eq(n,${frame})`).join("+")}`,
    "-x264-params",
    PARAMETER_SETS,
    ...mp4Ending(path, shape.rate),
  ];
}

/** Output arguments of a review proxy: groups of at most 12 frames, no B-frames, frame n at n/rate. */
export function proxyOutput(path: string, shape: VideoShape, backend: MediaBackend): string[] {
  return [
    "-c:v",
    "libx264",
    "-preset",
    backend.kind === "native" ? "veryfast" : "ultrafast",
    "-crf",
    "20",
    "-g",
    "12",
    "-bf",
    "0",
    "-x264-params",
    "open-gop=0:scenecut=0:force-cfr=1",
    ...mp4Ending(path, shape.rate),
  ];
}

/** Output arguments of a single JPEG; the chain before it must give one frame. */
export function jpegOutput(path: string): string[] {
  return ["-c:v", "mjpeg", "-q:v", "3", "-frames:v", "1", "-f", "image2", "-update", "1", outputFile(path)];
}

function mp4Ending(path: string, rate: Rate): string[] {
  return [
    "-pix_fmt",
    "yuv420p",
    ...BT709,
    "-fps_mode",
    "passthrough",
    "-video_track_timescale",
    String(timescaleFor(rate)),
    "-movflags",
    "+faststart",
    "-map_metadata",
    "-1",
    "-f",
    "mp4",
    outputFile(path),
  ];
}

/** Ticks a second in which every frame of `rate` starts on a whole tick. */
export function timescaleFor(rate: Rate): number {
  return rate.num >= 10_000 ? rate.num : rate.num * 512;
}

const LEVELS = [
  { level: "3.1", blocks: 3_600, blocksPerSecond: 108_000 },
  { level: "4.0", blocks: 8_192, blocksPerSecond: 245_760 },
  { level: "4.2", blocks: 8_704, blocksPerSecond: 522_240 },
  { level: "5.1", blocks: 36_864, blocksPerSecond: 983_040 },
  { level: "5.2", blocks: 36_864, blocksPerSecond: 2_073_600 },
  { level: "6.2", blocks: 139_264, blocksPerSecond: 16_711_680 },
] as const;

/** The lowest H.264 level (ISO/IEC 14496-10 table A-1) that carries `shape`. */
export function levelFor(shape: VideoShape): string {
  const blocks = Math.ceil(shape.widthPx / 16) * Math.ceil(shape.heightPx / 16);
  const perSecond = (blocks * shape.rate.num) / shape.rate.den;
  return LEVELS.find((each) => blocks <= each.blocks && perSecond <= each.blocksPerSecond)?.level ?? "6.2";
}
