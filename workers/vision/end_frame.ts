import { type EndChoice, type FrameCurves, LEAST_TYPICAL_MOTION } from "#server/clips/job_kinds.ts";
import { colorDistance, type Lab } from "./color.ts";
import { clamp, mean, median } from "./statistics.ts";

/** What the faces say about a frame. Absent where the frame was not looked at. */
export interface EndFaceFact {
  readonly frame: number;
  readonly hasFace: boolean;
  /** 0–1 against the portrait; null when it can't be told. */
  readonly likeness: number | null;
  /** 0 shut – 1 open; null when it can't be told. */
  readonly eyesOpen: number | null;
}

/** Where to look for the end: in target ± window frames; `exact` takes the target as it is. */
export interface EndQuestion {
  readonly target: number;
  readonly window: number;
  readonly exact: boolean;
}

const TAIL_FRAMES = 4;
const FREEZE_FRAMES = 6;
const IDENTICAL = 0.01;
const FLASH_LUMA = 12;
const EYES_SHUT = 0.25;
/** What a frame that should not be taken scores on top, so that it is taken only when there is no other. */
const REJECTED = 100;

/**
 * Chooses the calmest good frame to end a take on: the least of continuity.md E.2's score (motion over the
 * noise floor, distance to the target, softness, lost likeness, colour drift) among frames not rejected.
 * When all are rejected the best of them is still named, with stability 0.
 */
export function chooseEndFrame(
  curves: FrameCurves,
  question: EndQuestion,
  faces: readonly EndFaceFact[] = [],
  requireFace = false,
): EndChoice {
  const count = curves.motion.length;
  if (count === 0) throw new RangeError("Cannot choose an end frame: the take has no frames");
  const target = clamp(question.target, 0, count - 1);
  const reach = question.exact ? 0 : Math.max(0, question.window);
  const reject = rejectionRules(curves, faces, requireFace);
  const score = scoreRule(curves, { ...question, target }, faces);
  const rejected: { frame: number; reason: string }[] = [];
  let best = { frame: target, score: Infinity, isRejected: true };
  for (let frame = Math.max(0, target - reach); frame <= Math.min(count - 1, target + reach); frame++) {
    const reason = reject(frame, question.exact);
    if (reason) rejected.push({ frame, reason });
    const own = score(frame) + (reason ? REJECTED : 0);
    if (own < best.score) best = { frame, score: own, isRejected: reason !== undefined };
  }
  const stability = best.isRejected && !question.exact
    ? 0
    : 1 - Math.min(1, motionBetween(curves)(best.frame - 2, best.frame + 3));
  return { frame: best.frame, score: best.score, stability, rejected };
}

/** Motion of the frames [from, to) over the noise floor: 0 at rest, 1 as fast as the clip's median, at most 2. */
export function motionBetween(curves: FrameCurves): (from: number, to: number) => number {
  const floor = curves.noiseFloor;
  const typical = median(curves.motion.slice(1));
  return (from, to) => {
    const inside = curves.motion.slice(Math.max(1, from), to);
    return clamp((mean(inside) - floor) / Math.max(typical - floor, LEAST_TYPICAL_MOTION), 0, 2);
  };
}

function scoreRule(
  curves: FrameCurves,
  question: EndQuestion,
  faces: readonly EndFaceFact[],
): (frame: number) => number {
  const motion = motionBetween(curves);
  const typicalSharpness = median(curves.sharpness) || 1;
  const reference = meanColor(curves.meanLab.slice(0, 8));
  const likeness = nearestLikeness(faces);
  const scores = faces.flatMap((fact) => fact.likeness ?? []);
  const typicalLikeness = median(scores);
  return (frame) => {
    const softness = Math.max(0, 0.95 - (curves.sharpness[frame] ?? 0) / typicalSharpness) / 0.25;
    const lab = curves.meanLab[frame] ?? reference;
    const here = likeness(frame);
    const lost = here === null ? 0 : Math.max(0, typicalLikeness - here) / 0.1;
    return motion(frame - 2, frame + 3) +
      0.35 * Math.abs(frame - question.target) / Math.max(1, question.window) +
      0.5 * softness + 0.5 * lost + 0.25 * colorDistance(lab, reference) / 2;
  };
}

function meanColor(labs: readonly Lab[]): Lab {
  return [0, 1, 2].map((k) => mean(labs.map((lab) => lab[k]!))) as Lab;
}

/** Likeness at a frame, linear between the two nearest that were looked at. */
function nearestLikeness(faces: readonly EndFaceFact[]): (frame: number) => number | null {
  const known = faces.filter((fact) => fact.likeness !== null).toSorted((a, b) => a.frame - b.frame);
  return (frame) => {
    const after = known.find((fact) => fact.frame >= frame);
    const before = known.findLast((fact) => fact.frame <= frame);
    if (!after || !before) return (after ?? before)?.likeness ?? null;
    const span = after.frame - before.frame;
    const part = span === 0 ? 0 : (frame - before.frame) / span;
    return before.likeness! + (after.likeness! - before.likeness!) * part;
  };
}

function rejectionRules(
  curves: FrameCurves,
  faces: readonly EndFaceFact[],
  requireFace: boolean,
): (frame: number, isExact: boolean) => string | undefined {
  const { motion, meanLuma } = curves;
  const count = motion.length;
  const cut = findSceneCut(curves);
  const motionFrom = motionBetween(curves);
  const sorted = faces.toSorted((a, b) => a.frame - b.frame);
  return (frame, isExact) => {
    const fact = nearestFact(sorted, frame);
    if (cut !== undefined && frame >= cut - 1) return `the scene cuts at frame ${cut}`;
    if (isFlash(meanLuma, frame)) return "a flash";
    if (frozenRun(motion, frame) > FREEZE_FRAMES) {
      return `frozen: more than ${FREEZE_FRAMES} identical frames`;
    }
    if (requireFace && fact && !fact.hasFace) return "no face";
    if (fact && fact.eyesOpen !== null && fact.eyesOpen < EYES_SHUT) return "eyes closed";
    if (isExact) return undefined;
    if (count - 1 - frame < TAIL_FRAMES) return "too near the clip's end, where generated frames are weak";
    return motionFrom(frame + 1, frame + 4) > 1 ? "motion picks up right after" : undefined;
  };
}

/** The fact of the frame nearest to this one that was looked at, at most 3 frames away. */
function nearestFact(sorted: readonly EndFaceFact[], frame: number): EndFaceFact | undefined {
  let best: EndFaceFact | undefined;
  for (const fact of sorted) {
    if (best && Math.abs(fact.frame - frame) >= Math.abs(best.frame - frame)) continue;
    best = fact;
  }
  return best && Math.abs(best.frame - frame) <= 3 ? best : undefined;
}

/** The first frame of another shot: a change far beyond all motion around it, in motion and in two steps alike. */
export function findSceneCut(curves: FrameCurves): number | undefined {
  const typical = median(curves.motion.slice(1));
  const limit = Math.max(12, 8 * typical);
  const at = curves.motion.findIndex((change, t) => {
    if (t === 0 || change <= limit) return false;
    // A flash comes back two or three frames later, another shot does not.
    const before = curves.meanLuma[t - 1] ?? 0;
    const later = curves.meanLuma.slice(t + 1, t + 5);
    const isBack = later.some((luma) => Math.abs(luma - before) < FLASH_LUMA / 3) &&
      Math.abs((curves.meanLuma[t] ?? 0) - before) > FLASH_LUMA;
    return !isBack;
  });
  return at < 0 ? undefined : at;
}

/** Whether the frame lies inside a change of brightness over 12 levels that comes back within 4 frames. */
function isFlash(luma: readonly number[], frame: number): boolean {
  const here = luma[frame]!;
  const away = (t: number) => {
    const value = luma[t];
    return value !== undefined && Math.abs(value - here) > FLASH_LUMA ? Math.sign(here - value) : 0;
  };
  for (let before = 1; before <= 4; before++) {
    const side = away(frame - before);
    if (side === 0) continue;
    for (let after = 1; before + after <= 5; after++) if (away(frame + after) === side) return true;
  }
  return false;
}

/** How many identical frames in a row the frame is one of; 1 when it has no twin. */
function frozenRun(motion: readonly number[], frame: number): number {
  let length = 1;
  for (let t = frame; t > 0 && motion[t]! < IDENTICAL; t--) length++;
  for (let t = frame + 1; t < motion.length && motion[t]! < IDENTICAL; t++) length++;
  return length;
}
