import { errorMessage } from "#server/core/errors.ts";
import { eachLine } from "#workers/media/lines.ts";
import { MediaError } from "#workers/media/media_error.ts";
import { type MediaTools, openMediaTools } from "#workers/media/run.ts";
import { FaceReader } from "./face_reader.ts";
import { measureStill } from "./measure_still.ts";
import { measureVideo } from "./measure_video.ts";
import { UnreadableStill } from "./read_still.ts";
import type { ChildInput, ChildOutput, VisionRequest } from "./requests.ts";

/*
 * The process in which pixels are measured: wasm that is computing can't be stopped from within, and a face
 * model that runs out of memory takes its process along. It ends when its owner's end of stdin closes.
 */

const PROGRESS_EVERY_MS = 200;
const encoder = new TextEncoder();
const reader = new FaceReader();
let tools: Promise<MediaTools> | undefined;
let start: Extract<ChildInput, { type: "start" }> | undefined;

function say(output: ChildOutput): void {
  const bytes = encoder.encode(`${JSON.stringify(output)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

function mediaTools(): Promise<MediaTools> {
  tools ??= openMediaTools({ ffmpeg: start?.ffmpeg, backend: start?.backend });
  // A failed start is tried again by the next request.
  tools.catch(() => tools = undefined);
  return tools;
}

async function answer(request: VisionRequest) {
  if (request.kind === "still") return await measureStill(reader, request);
  let saidAt = 0;
  return await measureVideo(await mediaTools(), reader, request, (ratio) => {
    const now = performance.now();
    if (now - saidAt < PROGRESS_EVERY_MS) return;
    saidAt = now;
    say({ type: "progress", ratio });
  });
}

async function serve(request: VisionRequest): Promise<void> {
  try {
    const done = await answer(request);
    say({ type: "answer", answer: done, rssBytes: Deno.memoryUsage().rss });
  } catch (thrown) {
    const isInputsFault = thrown instanceof UnreadableStill ||
      (thrown instanceof MediaError && thrown.isInputsFault);
    const failure = thrown instanceof MediaError ? thrown.failure : "failed";
    say({ type: "failed", message: errorMessage(thrown), isInputsFault, failure });
  }
}

function take(line: string): void {
  const input: ChildInput = JSON.parse(line);
  if (input.type === "start") {
    start = input;
    say({ type: "ready" });
    return;
  }
  serve(input.request);
}

if (import.meta.main) {
  await eachLine(Deno.stdin.readable, take);
  Deno.exit(0);
}
