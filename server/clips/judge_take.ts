import { above, below, GATE_LIMITS, type GateLimits, LIKENESS_LIMITS, type Limits } from "./gate_limits.ts";
import type { Finding, TakeFacts, TakeReference } from "./gates.ts";
import { type FrameCurves, LEAST_TYPICAL_MOTION, type LikenessTrack } from "./job_kinds.ts";

/** What is wrong with a take or with likeness over segments: each finding says it with its number and the limit. */

/** The reference that a first take gives to those after it: its first 8 frames, and its likeness. */
export function referenceOf(curves: FrameCurves, likeness: LikenessTrack | null): TakeReference {
  return {
    lab: meanLab(curves, 0, 8),
    sharpness: median(curves.sharpness.slice(0, 8)) ?? 0,
    likeness: likeness?.median ?? null,
    modelName: likeness?.model.name ?? null,
  };
}

/** All that is wrong with one take: its end, its picture, its likeness, and how far it drifted. */
export function judgeTake(facts: TakeFacts, limits: GateLimits): Finding[] {
  return [
    ...judgeEnd(facts, limits),
    ...judgePicture(facts, limits),
    ...judgeLikeness(facts, limits),
    ...judgeDrift(facts, limits),
  ];
}

/** The limits of stability as motion over the noise: what it may be about the end of a take of these curves. */
export function restLimits({ motion, noiseFloor }: FrameCurves): Limits {
  const typical = Math.max((median(motion.slice(1)) ?? 0) - noiseFloor, LEAST_TYPICAL_MOTION);
  const { warn, fail } = GATE_LIMITS.stability;
  return { warn: (1 - warn) * typical, fail: (1 - fail) * typical };
}

function judgeEnd({ end, exact, segment }: TakeFacts, { stability }: GateLimits): Finding[] {
  if (!end) return [];
  const reason = end.rejected.find(({ frame }) => frame === end.frame)?.reason;
  if (reason !== undefined) {
    const text = exact
      ? `the end frame ${end.frame} is unusable: ${reason}`
      : `no usable end in the window: ${reason}`;
    return [{ gate: "end", level: "fail", message: text, segment }];
  }
  const level = below(end.stability, exact ? { ...stability, fail: -Infinity } : stability);
  const limit = level === "fail" ? stability.fail : stability.warn;
  const message = `the end is not at rest (stability ${shown(end.stability)}, wanted ${limit})`;
  return level ? [{ gate: "end", level, message, segment }] : [];
}

function judgePicture({ curves, keepFrames, segment }: TakeFacts, limits: GateLimits): Finding[] {
  const findings: Finding[] = [];
  let run = 1;
  let longest = { length: 1, end: 0 };
  for (let t = 1; t < keepFrames; t++) {
    run = (curves.motion[t] ?? Infinity) < 0.01 ? run + 1 : 1;
    if (run > longest.length) longest = { length: run, end: t };
  }
  if (longest.length > limits.frozenFrames) {
    const from = longest.end - longest.length + 1;
    const message = `the picture is frozen for ${longest.length} frames from frame ${from}`;
    findings.push({ gate: "frozen", level: "fail", message, segment });
  }
  const flash = findFlash(curves.meanLuma.slice(0, keepFrames), limits.flashLuma);
  if (flash !== undefined) {
    findings.push({
      gate: "flash",
      level: "fail",
      message: `the picture flashes at frame ${flash}`,
      segment,
    });
  }
  return findings;
}

/** The first frame that is brighter or darker by more than `limit` than one before it and one within 4 frames after. */
function findFlash(luma: readonly number[], limit: number): number | undefined {
  for (let t = 1; t < luma.length; t++) {
    const step = (luma[t] ?? 0) - (luma[t - 1] ?? 0);
    if (Math.abs(step) <= limit) continue;
    const isBack = luma.slice(t + 1, t + 5).some((later) =>
      Math.abs(later - (luma[t - 1] ?? 0)) < Math.abs(step) / 3
    );
    if (isBack) return t;
  }
  return undefined;
}

function judgeLikeness({ likeness, requireFace, segment }: TakeFacts, limits: GateLimits): Finding[] {
  if (!likeness || likeness.median === null) {
    return requireFace
      ? [{ gate: "face", level: "fail", message: "no usable face in the take", segment }]
      : [];
  }
  const findings: Finding[] = [];
  const sparse = requireFace ? below(likeness.coverage, limits.coverage) : undefined;
  if (sparse) {
    const message = `a usable face in only ${Math.round(likeness.coverage * 100)} % of the frames`;
    findings.push({ gate: "face", level: sparse, message, segment });
  }
  const own = LIKENESS_LIMITS[likeness.model.name];
  const level = own && below(likeness.median, own.score);
  if (level) {
    const message = `likeness ${shown(likeness.median)} is under ${own.score[level]}`;
    findings.push({ gate: "likeness", level, message, segment });
  }
  return findings;
}

function judgeDrift(
  { curves, keepFrames, likeness, reference, segment }: TakeFacts,
  limits: GateLimits,
): Finding[] {
  if (!reference) return [];
  const findings: Finding[] = [];
  const lab = meanLab(curves, keepFrames - 8, keepFrames);
  const distance = Math.hypot(...lab.map((value, k) => value - (reference.lab[k] ?? 0)));
  const colour = above(distance, limits.colour);
  if (colour) {
    const message = `colour drifted by ΔE ${shown(distance)} (limit ${limits.colour[colour]})`;
    findings.push({ gate: "colour", level: colour, message, segment });
  }
  const tail = median(curves.sharpness.slice(Math.max(0, keepFrames - 8), keepFrames));
  const ratio = tail === null || reference.sharpness === 0 ? 1 : tail / reference.sharpness;
  const soft = below(ratio, limits.sharpness);
  if (soft) {
    const message = `sharpness fell to ${shown(ratio)} of segment 1 (limit ${limits.sharpness[soft]})`;
    findings.push({ gate: "sharpness", level: soft, message, segment });
  }
  if (
    likeness && likeness.median !== null && reference.likeness !== null &&
    likeness.model.name === reference.modelName
  ) {
    findings.push(...judgeDrop(likeness.model.name, reference.likeness - likeness.median, segment));
  }
  return findings;
}

/** Likeness that fell since segment 1. */
export function judgeDrop(modelName: string, drop: number, segment: number): Finding[] {
  const limits = LIKENESS_LIMITS[modelName]?.drop;
  const level = limits && above(drop, limits);
  if (!level) return [];
  const message = `likeness fell by ${shown(drop)} since segment 1 (limit ${limits[level]})`;
  return [{ gate: "drift", level, message, segment }];
}

function meanLab(curves: FrameCurves, from: number, to: number): [number, number, number] {
  const labs = curves.meanLab.slice(Math.max(0, from), to);
  const mean = (k: 0 | 1 | 2) => labs.reduce((sum, lab) => sum + lab[k], 0) / Math.max(1, labs.length);
  return [mean(0), mean(1), mean(2)];
}

/** The middle value, or the mean of the two; null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle];
  if (high === undefined) return null;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/** As the sentences show a measure. */
export function shown(value: number): string {
  return value.toFixed(2);
}
