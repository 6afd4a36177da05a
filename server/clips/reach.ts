import { longest } from "#server/core/legal_length.ts";
import type { Loop } from "./planner.ts";

/** How far one segment of a loop reaches, and how many frames some segments cover for sure. Pure arithmetic. */

export const MIN_WINDOW = 8;
const WINDOW_SHARE = 0.12;
/** A window never takes more than this share of a short segment, else the remainder could be a stub. */
const WINDOW_CAP = 0.25;
/** Frames wanted after the window, so that a rest can be told from a passing turn (continuity.md E.2). */
export const TAIL_GUARD = 4;

/** Leading frames of segment `index` that repeat the frame before it. */
export function headFrames(loop: Loop, index: number): number {
  return index === 0 ? 0 : loop.constraints.conditionedFrames;
}

/** δ of continuity.md E.2, in frames to either side. */
export function windowFor(keep: number): number {
  return Math.min(Math.max(MIN_WINDOW, Math.floor(keep * WINDOW_SHARE)), Math.floor(keep * WINDOW_CAP));
}

/** Generated frames that segment `index` needs to keep `keep`, with the window and the guard behind it. */
export function lengthNeeded(loop: Loop, index: number, keep: number): number {
  const guard = Math.max(loop.constraints.discardTail, Math.min(TAIL_GUARD, Math.floor(keep * WINDOW_CAP)));
  return keep + windowFor(keep) + guard + headFrames(loop, index);
}

/** Most frames that segment `index` can contribute when its end is fixed. */
export function exactLimit(loop: Loop, index: number): number {
  return longest(loop.constraints.frames) - headFrames(loop, index) - loop.constraints.discardTail;
}

/** Most frames that segment `index` can aim at with a whole window and guard behind it. */
export function elasticLimit(loop: Loop, index: number): number {
  const max = longest(loop.constraints.frames);
  return smallest(1, max, (keep) => lengthNeeded(loop, index, keep + 1) > max);
}

/** Frames that segment `index` contributes at least when it aims as far as it can. */
export function sureGain(loop: Loop, index: number): number {
  const limit = elasticLimit(loop, index);
  return limit - windowFor(limit);
}

/** Frames that `segments` segments from `index` (not 0) cover for sure, whatever ends are found. */
export function capacity(loop: Loop, index: number, segments: number): number {
  return (segments - 1) * sureGain(loop, index) + exactLimit(loop, index);
}

/** Smallest integer in [from, to] for which `holds`, which must stay true once it is; `to` when none does. */
export function smallest(from: number, to: number, holds: (value: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
