import { join } from "@std/path/mod.js";
import { formatRate, frameToSeconds, type Rate } from "#server/core/media_time.ts";
import type { MediaTools } from "#workers/media/run.ts";
import type { ImageBatch } from "./image_batch.ts";
import type { NodeContext } from "./nodes/node_spec.ts";
import type { Video } from "./values.ts";

type Texts = Readonly<Record<string, string>>;

/** Writes a video as H.264 (yuv420p) in MP4 with `texts` as tags; sound, when there is some, as AAC. */
export async function encodeH264(
  video: Video,
  path: string,
  texts: Texts,
  tools: MediaTools,
  context: NodeContext,
): Promise<void> {
  const images = await video.frames(context.signal);
  const sound = video.audio
    ? {
      inputs: ["-i", video.audio.file],
      outputs: ["-map", "2:a:0", "-c:a", "aac", "-t", lengthOf(images, video.rate)],
    }
    : { inputs: [], outputs: [] };
  await withTagFile(texts, context.folders.temp, async (tags) => {
    await tools.ffmpeg([
      ...rawInput(images, video.rate),
      ...tagInput(tags),
      ...sound.inputs,
      ...["-map", "0:v:0", "-map_metadata", "1", ...sound.outputs],
      ...["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "use_metadata_tags"],
      path,
    ], { signal: context.signal, stdin: rgbFrames(images, context) });
  });
}

/** Writes frames as VP9 or AV1 in WebM with `texts` as tags. */
export async function encodeWebm(
  images: ImageBatch,
  how: { readonly codec: "vp9" | "av1"; readonly rate: Rate; readonly crf: number },
  path: string,
  texts: Texts,
  tools: MediaTools,
  context: NodeContext,
): Promise<void> {
  const codec = how.codec === "vp9"
    ? ["-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p"]
    : ["-c:v", "libsvtav1", "-preset", "6", "-pix_fmt", "yuv420p10le"];
  await withTagFile(texts, context.folders.temp, async (tags) => {
    await tools.ffmpeg([
      ...rawInput(images, how.rate),
      ...tagInput(tags),
      ...["-map", "0:v:0", "-map_metadata", "1"],
      ...[...codec, "-b:v", "0", "-crf", String(how.crf)],
      path,
    ], { signal: context.signal, stdin: rgbFrames(images, context) });
  });
}

/** Copies a video file's streams untouched into a new MP4, its own tags and `texts` with them. */
export async function rewrapVideo(
  video: Video,
  path: string,
  texts: Texts,
  tools: MediaTools,
  signal: AbortSignal,
): Promise<void> {
  if (video.file === undefined) throw new Error("Cannot copy a video that is not a file");
  await withTagFile({ ...video.tags, ...texts }, join(path, ".."), async (tags) => {
    await tools.ffmpeg([
      ...["-i", `file:${video.file}`, ...tagInput(tags)],
      ...["-map", "0:v", "-map", "0:a?", "-map", "0:s?", "-map_metadata", "1"],
      ...["-c", "copy", "-movflags", "use_metadata_tags"],
      path,
    ], { signal });
  });
}

function rawInput({ width, height }: ImageBatch, rate: Rate): string[] {
  return [
    ...["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`],
    ...["-framerate", formatRate(rate), "-i", "pipe:0"],
  ];
}

function tagInput(path: string): string[] {
  return ["-f", "ffmetadata", "-i", path];
}

/** Tags go through a file: a graph is longer than an argument may be. */
async function withTagFile(
  texts: Texts,
  folder: string,
  run: (path: string) => Promise<void>,
): Promise<void> {
  const path = join(folder, `.${crypto.randomUUID()}.tags`);
  const lines = Object.entries(texts).map(([key, text]) => `${escapeTag(key)}=${escapeTag(text)}\n`);
  await Deno.writeTextFile(path, `;FFMETADATA1\n${lines.join("")}`);
  try {
    await run(path);
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

function escapeTag(text: string): string {
  return text.replace(/[=;#\\\n]/g, "\\$&");
}

function lengthOf(images: ImageBatch, rate: Rate): string {
  return frameToSeconds(images.length, rate).toFixed(6);
}

/** Frames as RGB bytes, told as progress while the encoder takes them. */
async function* rgbFrames(images: ImageBatch, context: NodeContext): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < images.length; index++) {
    await context.breathe();
    yield images.channels === 3 ? images.bytes(index) : dropAlpha(images.bytes(index), images.channels);
  }
}

function dropAlpha(bytes: Uint8Array, channels: number): Uint8Array {
  const pixels = bytes.length / channels;
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = bytes[i * channels + Math.min(c, channels - 1)] ?? 0;
  }
  return rgb;
}
