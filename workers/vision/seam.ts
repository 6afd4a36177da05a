import type { FrameCurves, Seam } from "#server/clips/job_kinds.ts";
import { median, medianDeviation } from "./statistics.ts";

/** What can be wrong at a seam; each reason of a Seam begins with one of these words and a colon. */
export type SeamSignal = "jump" | "duplicate" | "reversal" | "colour" | "brightness" | "softening";

/** Warn and fail limits of continuity.md E.5, measured on synthetic faults: settings to tune on real renders. */
export const SEAM_LIMITS = {
  jump: { warn: 4, fail: 6 },
  duplicateZ: -5,
  duplicateShare: 0.15,
  reversal: { warn: 0.75, fail: 0.6 },
  colour: { warn: 1, fail: 2 },
  brightness: { warn: 1.5, fail: 3 },
  softening: { warn: 0.85, fail: 0.7 },
} as const;

/** Frames looked at about the boundary: a pop can come some frames late. */
const SCAN_BEFORE = 6;
const SCAN_AFTER = 12;
const NEIGHBOURS = 12;
const MIN_NEIGHBOURS = 6;
const SHARPNESS_FRAMES = 6;
/** Spread of motion under which a change can't be seen, in luma levels: a still clip has almost none of its own. */
const LEAST_SPREAD = 0.05;

/**
 * Judges each boundary (first frame of the next part) by the four signals of E.5: jump or duplicate, reversal,
 * colour or brightness step, softening. Boundaries outside 1…frames−1 are left out. Near a clip's ends the
 * neighbours are taken from the other side; a signal with too few of them is not judged.
 */
export function judgeSeams(curves: FrameCurves, boundaries: readonly number[]): Seam[] {
  return boundaries.filter((frame) => frame > 0 && frame < curves.motion.length)
    .map((frame) => judgeSeam(curves, frame));
}

type Verdict = Seam["verdict"];
interface Finding {
  readonly signal: SeamSignal;
  readonly verdict: Verdict;
  readonly reason: string;
}

function judgeSeam(curves: FrameCurves, boundary: number): Seam {
  const from = Math.max(1, boundary - SCAN_BEFORE);
  const to = Math.min(curves.motion.length - 1, boundary + SCAN_AFTER);
  const scan = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const jump = worstJump(curves, scan);
  const reversal = worstReversal(curves, scan, boundary);
  const colour = largest(
    scan,
    (t) => Math.hypot(...[0, 1, 2].map((k) => ownStep((i) => curves.meanLab[i]?.[k], t))),
  );
  const luma = largest(scan, (t) => Math.abs(ownStep((i) => curves.meanLuma[i], t)));
  const sharpnessRatio = sharpnessStep(curves.sharpness, boundary);
  const findings = [
    over(
      "jump",
      jump.z,
      SEAM_LIMITS.jump,
      (limit) => `the picture jumps at frame ${jump.frame} (${said("z", jump.z, limit)})`,
    ),
    ...(jump.duplicate === undefined ? [] : [
      {
        signal: "duplicate",
        verdict: "fail",
        reason: `duplicate: frame ${jump.duplicate} repeats the one before it`,
      } satisfies Finding,
    ]),
    reversal && under(
      "reversal",
      reversal.value,
      SEAM_LIMITS.reversal,
      (limit) => `motion turns back at frame ${reversal.frame} (${said("ratio", reversal.value, limit)})`,
    ),
    over(
      "colour",
      colour.value,
      SEAM_LIMITS.colour,
      (limit) => `the mean colour steps at frame ${colour.frame} (${said("ΔE", colour.value, limit)})`,
    ),
    over(
      "brightness",
      luma.value,
      SEAM_LIMITS.brightness,
      (limit) => `the mean brightness steps at frame ${luma.frame} (${said("ΔY", luma.value, limit)})`,
    ),
    under(
      "softening",
      sharpnessRatio,
      SEAM_LIMITS.softening,
      (limit) => `the picture is softer from frame ${boundary} (${said("ratio", sharpnessRatio, limit)})`,
    ),
  ].filter((finding) => finding !== undefined && finding !== null);
  return {
    frame: boundary,
    jump: jump.z,
    reversal: reversal?.value ?? null,
    colorStep: colour.value,
    lumaStep: luma.value,
    sharpnessRatio,
    verdict: worst(findings.map((finding) => finding.verdict)),
    reasons: findings.map((finding) => finding.reason),
  };
}

/** The step into frame `t` beyond the usual step around it: things that move in or out change the mean too, but steadily. */
function ownStep(curve: (frame: number) => number | undefined, t: number): number {
  const step = (frame: number) => {
    const [before, here] = [curve(frame - 1), curve(frame)];
    return before === undefined || here === undefined ? undefined : here - before;
  };
  const around = [-4, -3, -2, -1, 1, 2, 3, 4].flatMap((offset) => step(t + offset) ?? []);
  return (step(t) ?? 0) - median(around);
}

interface Limits {
  readonly warn: number;
  readonly fail: number;
}

function said(name: string, value: number, limit: number): string {
  return `${name} ${value.toFixed(2)}, limit ${limit}`;
}

function over(
  signal: SeamSignal,
  value: number,
  limits: Limits,
  say: (limit: number) => string,
): Finding | undefined {
  if (!(value > limits.warn)) return undefined;
  const verdict = value > limits.fail ? "fail" : "warn";
  return { signal, verdict, reason: `${signal}: ${say(limits[verdict])}` };
}

function under(
  signal: SeamSignal,
  value: number,
  limits: Limits,
  say: (limit: number) => string,
): Finding | undefined {
  if (!(value < limits.warn)) return undefined;
  const verdict = value < limits.fail ? "fail" : "warn";
  return { signal, verdict, reason: `${signal}: ${say(limits[verdict])}` };
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.includes("fail") ? "fail" : verdicts.includes("warn") ? "warn" : "pass";
}

function largest(
  frames: readonly number[],
  value: (frame: number) => number,
): { frame: number; value: number } {
  let best = { frame: frames[0] ?? 0, value: 0 };
  for (const frame of frames) {
    const here = value(frame);
    if (here > best.value) best = { frame, value: here };
  }
  return best;
}

/** The 2 × 12 nearest frames without `t`; near an end more from the other side. */
function neighbours(motion: readonly number[], t: number): number[] {
  const from = Math.max(1, Math.min(t - NEIGHBOURS, motion.length - 1 - 2 * NEIGHBOURS));
  const to = Math.min(motion.length - 1, Math.max(t + NEIGHBOURS, 1 + 2 * NEIGHBOURS));
  return motion.slice(from, to + 1).filter((_, i) => from + i !== t);
}

function worstJump(
  curves: FrameCurves,
  scan: readonly number[],
): { z: number; frame: number; duplicate: number | undefined } {
  const { motion } = curves;
  let worstYet = { z: 0, frame: scan[0] ?? 0 };
  let duplicate: number | undefined;
  for (const t of scan) {
    const around = neighbours(motion, t);
    if (around.length < MIN_NEIGHBOURS) continue;
    const middle = median(around);
    const spread = 1.4826 * Math.max(medianDeviation(around, middle), 0.02 * middle);
    const z = (motion[t]! - middle) / Math.max(spread, LEAST_SPREAD);
    if (z > worstYet.z) worstYet = { z, frame: t };
    const isLow = z < SEAM_LIMITS.duplicateZ || motion[t]! < SEAM_LIMITS.duplicateShare * middle;
    if (isLow && isLoneDip(motion, t)) duplicate ??= t;
  }
  return { ...worstYet, duplicate };
}

/** Motion that eases to rest falls as low as a duplicate, but not between two frames that do move. */
function isLoneDip(motion: readonly number[], t: number): boolean {
  const before = t > 1 ? motion[t - 1]! : Infinity;
  const lower = Math.min(before, motion[t + 1] ?? Infinity);
  return Number.isFinite(lower) && lower > LEAST_SPREAD && motion[t]! < 0.5 * lower;
}

/**
 * The least of ρ_t = |Y_{t+1} − Y_{t−1}| ÷ mean(d_t, d_{t+1}), relative to the median around it: small where
 * motion turns back. Null where there is too little motion over the noise to tell.
 */
function worstReversal(
  curves: FrameCurves,
  scan: readonly number[],
  boundary: number,
): { value: number; frame: number } | null {
  const { motion, motion2, noiseFloor } = curves;
  const around = neighbours(motion, boundary);
  const typical = median(around);
  if (around.length < MIN_NEIGHBOURS || typical < 1.5 * noiseFloor || typical < LEAST_SPREAD) return null;
  const turn = (t: number) => {
    const step = (motion[t]! + motion[t + 1]!) / 2;
    // A slow turn is a rest, which is wanted; and ratios of noise are 1 whichever way things move.
    return step < Math.max(0.5 * typical, 1.5 * noiseFloor) ? undefined : motion2[t + 1]! / step;
  };
  const inside = (t: number) => t >= 1 && t + 1 < motion.length;
  const wide = Array.from({ length: 2 * NEIGHBOURS + 1 }, (_, i) => boundary - NEIGHBOURS + i).filter(inside);
  const usual = median(wide.flatMap((t) => turn(t) ?? []));
  if (usual === 0) return null;
  let least: { value: number; frame: number } | null = null;
  for (const t of scan.filter(inside)) {
    const value = turn(t);
    if (value === undefined) continue;
    if (!least || value / usual < least.value) least = { value: value / usual, frame: t };
  }
  return least;
}

/** Median sharpness of up to 6 frames from the boundary on ÷ that of up to 6 before it. */
function sharpnessStep(sharpness: readonly number[], boundary: number): number {
  const before = median(sharpness.slice(Math.max(0, boundary - SHARPNESS_FRAMES), boundary));
  const after = median(sharpness.slice(boundary, boundary + SHARPNESS_FRAMES));
  return before === 0 ? 1 : after / before;
}
