import { formatRate, type Rate } from "#server/core/media_time.ts";

/** Arguments that open a file and nothing but a file, whatever its name or content asks for. */
export function inputFile(path: string, before: readonly string[] = []): string[] {
  return ["-protocol_whitelist", "file,pipe", ...before, "-i", `file:${path}`];
}

/** An output path that can't be read as an option or a protocol. */
export function outputFile(path: string): string {
  return `file:${path}`;
}

/** Arguments that read raw frames from standard input, frame n at time n/rate. */
export function rawInput(
  frame: { widthPx: number; heightPx: number; pixelFormat: string; rate: Rate },
): string[] {
  return [
    "-f",
    "rawvideo",
    "-pixel_format",
    frame.pixelFormat,
    "-video_size",
    `${frame.widthPx}x${frame.heightPx}`,
    "-framerate",
    formatRate(frame.rate),
    "-protocol_whitelist",
    "file,pipe",
    "-i",
    "pipe:0",
  ];
}
