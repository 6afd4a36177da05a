import type { Rate } from "#server/core/media_time.ts";
import { centreOf } from "./frame_clock.ts";

/** Small pictures of frames, read from review copies one after the other and kept while there is room. */

const TILE_HEIGHT_PX = 96;
const MOST_KEPT = 800;
const READERS = 2;

export interface FrameWish {
  readonly src: string;
  readonly rate: Rate;
  readonly frame: number;
}

interface Job extends FrameWish {
  readonly signal: AbortSignal;
  readonly resolve: (tile: ImageBitmap | undefined) => void;
}

const kept = new Map<string, ImageBitmap>();
const waiting: Job[] = [];
let running = 0;

function keyOf({ src, frame }: FrameWish): string {
  return `${frame} ${src}`;
}

/** The picture, where it has been read already. */
export function keptFrame(wish: FrameWish): ImageBitmap | undefined {
  const found = kept.get(keyOf(wish));
  if (!found) return undefined;
  kept.delete(keyOf(wish));
  kept.set(keyOf(wish), found);
  return found;
}

/** Reads one frame, 96 px high. Undefined when it can't be read or is no longer wanted. */
export function readFrame(wish: FrameWish, signal: AbortSignal): Promise<ImageBitmap | undefined> {
  const found = keptFrame(wish);
  if (found) return Promise.resolve(found);
  return new Promise((resolve) => {
    waiting.push({ ...wish, signal, resolve });
    if (running < READERS) void serveWaiting();
  });
}

/** One video serves all waiting wishes of its file before it turns to another one. */
async function serveWaiting(): Promise<void> {
  running++;
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  let src = "";
  for (let job = take(src); job; job = take(src)) {
    src = job.src;
    job.resolve(await read(video, job).catch(() => undefined));
  }
  video.removeAttribute("src");
  video.load();
  running--;
}

function take(src: string): Job | undefined {
  for (const job of waiting.filter(({ signal }) => signal.aborted)) {
    waiting.splice(waiting.indexOf(job), 1);
    job.resolve(undefined);
  }
  const same = waiting.findIndex((job) => job.src === src);
  return waiting.splice(Math.max(0, same), 1)[0];
}

async function read(video: HTMLVideoElement, job: Job): Promise<ImageBitmap | undefined> {
  const found = keptFrame(job);
  if (found) return found;
  if (video.getAttribute("src") !== job.src) {
    video.src = job.src;
    await settled(video, "loadeddata", job.signal);
  }
  video.currentTime = centreOf(job.frame, job.rate);
  await settled(video, "seeked", job.signal);
  const height = Math.min(video.videoHeight, Math.round(TILE_HEIGHT_PX * Math.min(2, devicePixelRatio)));
  const tile = await createImageBitmap(video, {
    resizeHeight: Math.max(1, height),
    resizeWidth: Math.max(1, Math.round((video.videoWidth / video.videoHeight) * height)),
    resizeQuality: "medium",
  });
  keep(keyOf(job), tile);
  return tile;
}

function keep(key: string, tile: ImageBitmap): void {
  kept.set(key, tile);
  for (const [oldest] of kept) {
    if (kept.size <= MOST_KEPT) return;
    // Not closed: whoever draws it may hold it still; the browser frees it.
    kept.delete(oldest);
  }
}

function settled(video: HTMLVideoElement, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      video.removeEventListener(name, done);
      video.removeEventListener("error", fail);
      signal.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve();
    };
    const done = () => end();
    const fail = () => end(new Error("The frame can't be read"));
    const stop = () => end(new Error("The frame is no longer wanted"));
    video.addEventListener(name, done);
    video.addEventListener("error", fail);
    signal.addEventListener("abort", stop);
  });
}
