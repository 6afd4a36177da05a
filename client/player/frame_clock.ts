import type { Rate } from "#server/core/media_time.ts";

/** Seconds at which a picture is asked for: the middle of frame `frame`, where rounding reaches no neighbour. */
export function centreOf(frame: number, rate: Rate): number {
  return ((frame + 0.5) * rate.den) / rate.num;
}

/** The frame whose start is told as `seconds`; players round starts to microseconds, up or down. */
export function frameStartingAt(seconds: number, rate: Rate): number {
  return Math.round((seconds * rate.num) / rate.den);
}

/** The frame that shows at any moment `seconds` of it. */
export function frameDuring(seconds: number, rate: Rate): number {
  // A moment that rounding has put a hair before its frame belongs to it.
  return Math.floor((seconds * rate.num) / rate.den + 0.01);
}

/** `frame` as a whole frame from `first` to `last`. */
export function clampFrame(frame: number, first: number, last: number): number {
  return Math.max(first, Math.min(last, Math.round(frame)));
}

/** J-K-L as on an editing deck: each press of the same side doubles the speed, up to eight times. */
export type ShuttleKey = "back" | "stop" | "forward";
const FASTEST = 8;

/** The speed after a key: 0 stands, negative goes back. Pressing against the direction first slows to normal. */
export function shuttle(speed: number, key: ShuttleKey): number {
  if (key === "stop") return 0;
  const way = key === "forward" ? 1 : -1;
  const along = speed * way;
  if (along <= 0) return way;
  return way * Math.min(FASTEST, along < 1 ? 1 : along * 2);
}

/** What a field for a place in time understands: "144", "+12", "-5", "1:04", "00:00:06:00". Undefined: none of it. */
export function parseFrame(text: string, now: number, rate: Rate): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]\d+$/.test(trimmed)) return now + Number(trimmed);
  if (/^\d+$/.test(trimmed)) return Number(trimmed);
  const parts = trimmed.split(/[:;]/);
  if (parts.length < 2 || parts.length > 4 || parts.some((part) => !/^\d{1,3}$/.test(part))) return undefined;
  const [frames = 0, seconds = 0, minutes = 0, hours = 0] = parts.map(Number).reverse();
  const base = Math.round(rate.num / rate.den);
  return ((hours * 60 + minutes) * 60 + seconds) * base + frames;
}
