import { type Rate, reduceRate } from "#server/core/media_time.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { batchOfBytes, type ImageBatch } from "./image_batch.ts";
import type { Video } from "./values.ts";

/** Looks at a video file. Its frames are decoded on the first call, all of them, unturned, as 8-bit RGB. */
export async function openVideo(path: string, tools: MediaTools, signal: AbortSignal): Promise<Video> {
  const probe = await tools.probe(path, { signal });
  const stream = probe.streams.find((each) => each.codec_type === "video");
  if (!stream?.width || !stream.height) throw new Error(`No video stream found in file '${path}'`);
  const size = { width: stream.width, height: stream.height };
  let decoded: Promise<ImageBatch> | undefined;
  return {
    ...size,
    rate: rateOf(stream.avg_frame_rate),
    file: path,
    formats: probe.format.format_name?.split(",") ?? [],
    codec: stream.codec_name ?? "",
    tags: probe.format.tags ?? {},
    ...(probe.streams.some((each) => each.codec_type === "audio") ? { audio: { file: path } } : {}),
    frames(frameSignal = signal) {
      decoded ??= decodeFrames(path, size, tools, frameSignal).catch((error: unknown) => {
        decoded = undefined;
        throw error;
      });
      return decoded;
    },
  };
}

/** "30000/1001"; "0/0" for what has no rate, where ComfyUI takes 1. Odd averages are kept to a millionth. */
function rateOf(text = "0/0"): Rate {
  const [num = 0, den = 1] = text.split("/").map(Number);
  if (!(num > 0 && den > 0)) return { num: 1, den: 1 };
  const exact = reduceRate({ num, den });
  if (exact.num <= 1_000_000 && exact.den <= 1_000_000) return exact;
  const scale = 1_000_000 / Math.max(exact.num, exact.den);
  return reduceRate({
    num: Math.max(1, Math.round(exact.num * scale)),
    den: Math.max(1, Math.round(exact.den * scale)),
  });
}

async function decodeFrames(
  path: string,
  { width, height }: { readonly width: number; readonly height: number },
  tools: MediaTools,
  signal: AbortSignal,
): Promise<ImageBatch> {
  const frames: Uint8Array[] = [];
  let frame = new Uint8Array(width * height * 3);
  let filled = 0;
  const args = [
    ...["-noautorotate", "-i", `file:${path}`, "-map", "0:v:0", "-fps_mode", "passthrough"],
    ...["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
  ];
  for await (const chunk of tools.ffmpegStream(args, { signal })) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < frame.length) continue;
      frames.push(frame);
      frame = new Uint8Array(width * height * 3);
      filled = 0;
    }
  }
  if (frames.length === 0) throw new Error(`Cannot decode ${path}: it holds no frames`);
  return batchOfBytes({ width, height, channels: 3 }, frames);
}
