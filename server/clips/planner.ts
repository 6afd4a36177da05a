import { type Conform, nativeFrames, planConform } from "#server/core/conform.ts";
import type { Rate } from "#server/core/media_time.ts";
import { type LegalLengths, longest, shortest, smallestHolding } from "#server/core/legal_length.ts";
import {
  capacity,
  elasticLimit,
  exactLimit,
  headFrames,
  lengthNeeded,
  MIN_WINDOW,
  smallest,
  sureGain,
  TAIL_GUARD,
  windowFor,
} from "./reach.ts";

/**
 * What a video template can make, as the planner sees it; the manifest's `constraints` satisfy it.
 * Lengths are counted in generated frames, as sent to the worker.
 */
export interface LoopConstraints {
  readonly frames: LegalLengths;
  readonly rates: "any" | readonly Rate[];
  /** How many leading frames repeat the picture (or overlap) that a generation starts from. */
  readonly conditionedFrames: number;
  /** Weak last frames that are never kept. */
  readonly discardTail: number;
  /** The motion comes to rest on the last generated frame, whatever the length. */
  readonly restsAtEnd: boolean;
  /** The last generated frame is the picture given as last image; false when left out. */
  readonly reachesLastImage?: boolean;
}

export interface LoopRequest {
  /** Frames that the cut must have, at `rate`. */
  readonly askedFrames: number;
  readonly rate: Rate;
  readonly constraints: LoopConstraints;
  /** Generated frames of locked segments after the planned ones; their first starts from a picture already fixed. */
  readonly lockedAfter?: number;
  /**
   * How far the last segment may be slowed or hurried (0.04 = 4 %) so that it ends on a calm frame near the exact
   * end instead of on the exact frame. 0, the default, never retimes: a calm end is then the gate's business.
   */
  readonly retimeLast?: number;
  /** Segments with a length of their own, by index, in generated frames: their end is looked for about it. */
  readonly lengths?: ReadonlyMap<number, number>;
}

/** A request made countable: everything below is in generated frames unless it says otherwise. */
export interface Loop {
  readonly askedFrames: number;
  readonly conform: Conform;
  readonly constraints: LoopConstraints;
  /** Kept frames that the planned segments must add up to. */
  readonly totalFrames: number;
  readonly lockedAfter: number;
  readonly retimeLast: number;
  readonly lengths: ReadonlyMap<number, number>;
}

/** One generation to request. `end` goes to `clips.measure_take` as it is. */
export interface GenerateStep {
  readonly kind: "generate";
  /** Counts from 0. */
  readonly index: number;
  readonly startsFrom: { readonly kind: "hero" } | { readonly kind: "segment_end"; readonly index: number };
  /** A legal length of the template. */
  readonly generateFrames: number;
  /** Leading frames that repeat the frame before: left out on ingest. */
  readonly dropHead: number;
  /** How many frames this segment is meant to contribute. */
  readonly keepFrames: number;
  /** Indices after `dropHead`: the take keeps 0…frame, frame in target ± window. */
  readonly end: { readonly target: number; readonly window: number; readonly exact: boolean };
  /** The end must meet the first picture of a locked segment: condition both ends where the template can. */
  readonly meetsNext: boolean;
  /** A take that reaches its last image is kept whole: stitch it retimed from its length to `keepFrames`. */
  readonly retime: Retime | null;
}

export interface Retime {
  readonly index: number;
  readonly fromFrames: number;
  readonly toFrames: number;
}

export type PlanStep =
  | GenerateStep
  /** More is accepted than asked: cut this segment to `keepFrames` and leave out all after it. Nothing to generate. */
  | { readonly kind: "trim"; readonly index: number; readonly keepFrames: number }
  | { readonly kind: "done"; readonly segments: number; readonly retime: Retime | null };

const MAX_RETIME = 0.04;

/** Resolves a request, or throws a RangeError that says what makes it impossible. */
export function planLoop(request: LoopRequest): Loop {
  const { constraints, askedFrames, retimeLast = 0, lockedAfter = 0, lengths = new Map() } = request;
  if (!Number.isSafeInteger(askedFrames) || askedFrames < 1) {
    throw new RangeError(`A clip can't have ${askedFrames} frames: ask for at least one whole frame`);
  }
  if (!(retimeLast >= 0 && retimeLast <= MAX_RETIME)) {
    throw new RangeError(
      `Can't retime the last segment by ${retimeLast}: give a share from 0 to ${MAX_RETIME}`,
    );
  }
  const conform = planConform(request.rate, constraints.rates);
  const totalFrames = nativeFrames(askedFrames, conform) - lockedAfter;
  if (totalFrames < 1) {
    throw new RangeError(`The locked segments already fill the clip: unlock one, or ask for a longer clip`);
  }
  const loop = { askedFrames, conform, constraints, totalFrames, lockedAfter, retimeLast, lengths };
  if (shortest(constraints.frames) > longest(constraints.frames) || exactLimit(loop, 0) < 1) {
    throw new RangeError(
      "The workflow allows no usable length: its largest legal length leaves no frame to keep",
    );
  }
  if (totalFrames > exactLimit(loop, 0) && exactLimit(loop, 1) < 1) {
    throw new RangeError(
      "The workflow can't continue a clip: its largest legal length holds only repeated and weak frames",
    );
  }
  return loop;
}

/**
 * What to do next when `accepted[k]` frames of segment k are kept. For any ends inside the offered windows the sum
 * lands on `totalFrames` exactly within `segmentBound(loop)` segments; ends outside are planned around as well.
 */
export function nextStep(loop: Loop, accepted: readonly number[]): PlanStep {
  let sum = 0;
  for (const [index, frames] of accepted.entries()) {
    const left = loop.totalFrames - sum;
    const isLast = index === accepted.length - 1;
    if (isLast && frames !== left && canRetime(loop, frames, left)) {
      return { kind: "done", segments: index + 1, retime: { index, fromFrames: frames, toFrames: left } };
    }
    if (frames > left || (frames === left && !isLast)) return { kind: "trim", index, keepFrames: left };
    sum += frames;
  }
  if (sum === loop.totalFrames) return { kind: "done", segments: accepted.length, retime: null };
  return planSegment(loop, accepted.length, loop.totalFrames - sum);
}

/**
 * No run of the loop from `index` with `remaining` frames to go takes more segments than this, when none of them has a
 * length of its own.
 */
export function segmentBound(loop: Loop, index = 0, remaining = loop.totalFrames): number {
  const exact = exactLimit(loop, index);
  if (remaining <= exact) return 1;
  const first = sureGain(loop, index);
  const later = sureGain(loop, index + 1);
  const last = exactLimit(loop, index + 1);
  return 2 + Math.max(0, Math.ceil((remaining - first - last) / later));
}

/** No run of the whole loop takes more segments than this: each with a length of its own may cost one more. */
export function loopBound(loop: Loop): number {
  if (loop.lengths.size === 0) return segmentBound(loop);
  return loop.lengths.size + Math.max(segmentBound(loop), segmentBound(loop, 1));
}

/**
 * Makes segment `index` again while all later ones stay: the new take fills exactly as many frames, or `keepFrames`,
 * and has to end on the picture that the next one starts from. The loop may be that of another template, if it has
 * the same native rate. To let later segments follow instead, use `nextStep` on those before `index`.
 */
export function planReroll(
  loop: Loop,
  accepted: readonly number[],
  index: number,
  keepFrames = accepted[index],
): GenerateStep {
  if (keepFrames === undefined) {
    throw new RangeError(`There is no segment ${index + 1} to make again: the clip has ${accepted.length}`);
  }
  const most = exactLimit(loop, index);
  if (keepFrames > most) {
    throw new RangeError(
      `Segment ${
        index + 1
      } would be ${keepFrames} frames, and the workflow that meets what follows makes at most ` +
        `${most} at once: ask for fewer, or unlock what follows and let it be planned again`,
    );
  }
  return exactStep(loop, index, keepFrames, index < accepted.length - 1 || loop.lockedAfter > 0);
}

/** The most frames that segment `index` can keep when it is given a length of its own. */
export function longestOwn(loop: Loop, index: number): number {
  return elasticLimit(loop, index);
}

function planSegment(loop: Loop, index: number, remaining: number): GenerateStep {
  const own = loop.lengths.get(index);
  if (own !== undefined) return ownStep(loop, index, remaining, own);
  const segments = segmentBound(loop, index, remaining);
  if (segments === 1) return exactStep(loop, index, remaining, loop.lockedAfter > 0);
  // The rest must stay reachable even if this segment ends at the early edge of its window.
  const reachable = capacity(loop, index + 1, segments - 1);
  const limit = elasticLimit(loop, index);
  const least = smallest(1, limit, (keep) => keep - windowFor(keep) >= remaining - reachable);
  return elasticStep(loop, index, Math.min(limit, Math.max(least, Math.round(remaining / segments))));
}

/** A segment with a length of its own; where that would leave too little for another take, it goes on to the end. */
function ownStep(loop: Loop, index: number, remaining: number, own: number): GenerateStep {
  const keepFrames = Math.min(own, elasticLimit(loop, index));
  const isRestUsable = remaining - keepFrames - windowFor(keepFrames) >= Math.min(MIN_WINDOW, own);
  return isRestUsable || remaining > exactLimit(loop, index)
    ? elasticStep(loop, index, keepFrames)
    : exactStep(loop, index, remaining, loop.lockedAfter > 0);
}

/** A segment whose end is looked for about `keepFrames`; others follow. */
function elasticStep(loop: Loop, index: number, keepFrames: number): GenerateStep {
  const window = windowFor(keepFrames);
  return {
    kind: "generate",
    index,
    startsFrom: startOf(index),
    generateFrames: smallestHolding(loop.constraints.frames, lengthNeeded(loop, index, keepFrames)),
    dropHead: headFrames(loop, index),
    keepFrames,
    end: { target: keepFrames - 1, window, exact: false },
    meetsNext: false,
    retime: null,
  };
}

/** The last segment, or one before a fixed picture: exactly as many frames as are left. */
function exactStep(loop: Loop, index: number, keepFrames: number, meetsNext: boolean): GenerateStep {
  const head = headFrames(loop, index);
  const { frames, discardTail, restsAtEnd, reachesLastImage } = loop.constraints;
  const fixed = {
    kind: "generate",
    index,
    startsFrom: startOf(index),
    dropHead: head,
    keepFrames,
    meetsNext,
  } as const;
  if (meetsNext && reachesLastImage) {
    // The last image lies on the last frame made, so the whole take is kept, retimed where its length is not legal.
    const generateFrames = nearestLegal(loop, keepFrames + head, head + 1);
    const made = generateFrames - head;
    const retime = made === keepFrames ? null : { index, fromFrames: made, toFrames: keepFrames };
    return { ...fixed, generateFrames, end: { target: made - 1, window: 0, exact: true }, retime };
  }
  const least = keepFrames + head + discardTail;
  const window = meetsNext ? 0 : Math.min(retimeWindow(loop, keepFrames), longest(frames) - least);
  // Elsewhere a few frames more serve as handle; a template that rests must stop where the cut does.
  const spare = restsAtEnd ? 0 : Math.max(0, TAIL_GUARD - discardTail);
  return {
    ...fixed,
    generateFrames: Math.min(longest(frames), smallestHolding(frames, least + window + spare)),
    end: { target: keepFrames - 1, window, exact: window === 0 },
    retime: null,
  };
}

function startOf(index: number): GenerateStep["startsFrom"] {
  return index === 0 ? { kind: "hero" } : { kind: "segment_end", index: index - 1 };
}

function retimeWindow(loop: Loop, keep: number): number {
  return Math.floor(keep * loop.retimeLast);
}

function canRetime(loop: Loop, frames: number, target: number): boolean {
  return target > 0 && Math.abs(frames - target) <= retimeWindow(loop, target);
}

/** The legal length nearest to `wanted` by ratio, at least `least`. */
function nearestLegal(loop: Loop, wanted: number, least: number): number {
  const { frames } = loop.constraints;
  const above = Math.min(smallestHolding(frames, wanted), longest(frames));
  const below = above - frames.step;
  const usable = below >= shortest(frames) && below >= least;
  return usable && wanted / below < above / wanted ? below : above;
}
