import type { EndChoice, FrameCurves, LikenessTrack, Seam } from "./job_kinds.ts";

/** Which measure spoke. */
export type GateName =
  | "end"
  | "frozen"
  | "flash"
  | "likeness"
  | "face"
  | "colour"
  | "sharpness"
  | "seam"
  | "drift";

export interface Finding {
  readonly gate: GateName;
  readonly level: "warn" | "fail";
  /** What is wrong, as a sentence with its number and the limit. */
  readonly message: string;
  /** Counts from 0: the segment that a new take would mend. */
  readonly segment: number;
}

/** What to do with a take or cut. `ask` keeps everything and waits for a person. */
export interface Gate {
  readonly verdict: "pass" | "heal" | "reroll" | "ask";
  readonly findings: readonly Finding[];
  /** The segment to heal or to make again; null when it passes. */
  readonly segment: number | null;
  /** One sentence for the log and the tray. */
  readonly sentence: string;
}

interface Limits {
  readonly warn: number;
  readonly fail: number;
}

/**
 * Limits of continuity.md E.2, E.4 and E.12: starting values, to be tuned on real renders. Colour and sharpness are
 * whole-frame statistics here, which a camera move changes too, so they are wider than E.4's for backgrounds.
 */
export const GATE_LIMITS = {
  /** Stability of an end that could be chosen; below 0.4 no rest was there. An exact end is never failed by motion. */
  stability: { warn: 0.4, fail: 0.1 },
  frozenFrames: 6,
  /** Change of mean luma, out and back within 4 frames. */
  flashLuma: 12,
  /** Distance of mean Lab of the last 8 kept frames from the reference's. */
  colour: { warn: 5, fail: 12 },
  /** Sharpness of the last 8 kept frames ÷ the reference's. */
  sharpness: { warn: 0.7, fail: 0.4 },
  /** Share of looked-at frames with a usable face, where a face is required. */
  coverage: { warn: 0.6, fail: 0.3 },
  maxWarnings: 2,
  /** Automatic new takes of a segment before a person is asked. */
  maxRerolls: 2,
} as const;
export type GateLimits = Omit<typeof GATE_LIMITS, "maxRerolls"> & { readonly maxRerolls: number };

/** Limits of one face model: its score, and how far it may fall against segment 1. */
export interface LikenessLimits {
  readonly score: Limits;
  readonly drop: Limits;
}

/** By the model's name: scores of different models are never compared. A model not listed here gates nothing. */
export const LIKENESS_LIMITS: Readonly<Record<string, LikenessLimits>> = {
  // 0.5 is this net's own limit between two people; its score falls steeply there, so drops are wide.
  "blazeface+facemesh+dlib-resnet": { score: { warn: 0.75, fail: 0.5 }, drop: { warn: 0.2, fail: 0.4 } },
};

/** What later segments are compared with: taken from segment 1, or anew at a declared new shot. */
export interface TakeReference {
  readonly lab: readonly [number, number, number];
  readonly sharpness: number;
  readonly likeness: number | null;
  readonly modelName: string | null;
}

export interface TakeFacts {
  /** Counts from 0. */
  readonly segment: number;
  readonly curves: FrameCurves;
  /** Frames 0…keepFrames−1 are kept. */
  readonly keepFrames: number;
  readonly end: EndChoice | null;
  readonly exact: boolean;
  readonly likeness: LikenessTrack | null;
  readonly requireFace: boolean;
  /** Null for segment 1 and the first of a new shot. */
  readonly reference: TakeReference | null;
  /** New takes made by themselves already for this segment. */
  readonly rerolls: number;
}

/** The reference that a first take gives to those after it: its first 8 frames, and its likeness. */
export function referenceOf(curves: FrameCurves, likeness: LikenessTrack | null): TakeReference {
  return {
    lab: meanLab(curves, 0, 8),
    sharpness: median(curves.sharpness.slice(0, 8)) ?? 0,
    likeness: likeness?.median ?? null,
    modelName: likeness?.model.name ?? null,
  };
}

/** Judges one take right after it was measured: pass, make again by itself, or ask. */
export function gateTake(facts: TakeFacts, limits: GateLimits = GATE_LIMITS): Gate {
  const findings = [
    ...judgeEnd(facts, limits),
    ...judgePicture(facts, limits),
    ...judgeLikeness(facts, limits),
    ...judgeDrift(facts, limits),
  ];
  return decide(findings, limits.maxWarnings, () => facts.rerolls < limits.maxRerolls ? "reroll" : "ask");
}

export interface CutFacts {
  readonly seams: readonly Seam[];
  /** First frame of each part in the cut; the first is 0. */
  readonly boundaries: readonly number[];
  readonly likeness: LikenessTrack | null;
  /** New takes made by themselves already, by segment. */
  readonly rerolls: readonly number[];
  /** Whether a rung of the healing ladder is left for the seam before each segment. */
  readonly canHeal?: (segment: number) => boolean;
}

/** Judges a stitched cut: its seams, and likeness falling from the first segment on. At most one warning passes. */
export function gateCut(facts: CutFacts, limits: GateLimits = GATE_LIMITS): Gate {
  const findings = [
    ...facts.seams.flatMap((seam) => judgeSeam(seam, facts.boundaries)),
    ...judgeSegmentLikeness(facts),
  ];
  return decide(findings, 1, (worst) => {
    if (worst.gate === "seam" && facts.canHeal?.(worst.segment)) return "heal";
    return (facts.rerolls[worst.segment] ?? 0) < limits.maxRerolls ? "reroll" : "ask";
  });
}

/** The take to offer when all of a segment's failed: fewest failures, then fewest warnings, then the latest. */
export function leastBad(gates: readonly Gate[]): number {
  const weight = ({ findings }: Gate) =>
    findings.reduce((sum, { level }) => sum + (level === "fail" ? 1000 : 1), 0);
  let best = -1;
  let least = Infinity;
  for (const [index, gate] of gates.entries()) {
    if (weight(gate) > least) continue;
    best = index;
    least = weight(gate);
  }
  return best;
}

/** Change of likeness per 100 frames by Theil–Sen, which single bad frames don't move; null under 8 scored frames. */
export function likenessSlope(track: LikenessTrack): number | null {
  const points = track.points.flatMap(({ frame, score }) => score === null ? [] : [{ frame, score }]);
  if (points.length < 8) return null;
  // Pairs grow with the square: beyond 200 points every n-th tells as much.
  const some = points.filter((_, index) => index % Math.ceil(points.length / 200) === 0);
  const slopes = some.flatMap((a, i) =>
    some.slice(i + 1).flatMap((b) => b.frame === a.frame ? [] : [(b.score - a.score) / (b.frame - a.frame)])
  );
  const slope = median(slopes);
  return slope === null ? null : slope * 100;
}

function decide(
  findings: readonly Finding[],
  maxWarnings: number,
  mend: (worst: Finding) => "heal" | "reroll" | "ask",
): Gate {
  const fails = findings.filter(({ level }) => level === "fail");
  const warns = findings.filter(({ level }) => level === "warn");
  const worst = fails[0] ?? (warns.length > maxWarnings ? warns[0] : undefined);
  if (!worst) {
    const remark = warns.length === 0 ? "" : ` with ${count(warns.length, "warning")}: ${warns[0]?.message}`;
    return { verdict: "pass", findings, segment: null, sentence: `Passed${remark}.` };
  }
  const verdict = mend(worst);
  const others = findings.length - 1;
  const reason = `${worst.message}${others > 0 ? `, and ${count(others, "more finding")}` : ""}`;
  const where = `Segment ${worst.segment + 1}`;
  const sentence = verdict === "ask"
    ? `${where} needs a decision: ${reason}. Keep the take, make it again or change its prompt.`
    : verdict === "heal"
    ? `The join before segment ${worst.segment + 1} is healed: ${reason}.`
    : `${where} is made again with a new seed: ${reason}.`;
  return { verdict, findings, segment: worst.segment, sentence };
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

function judgeDrop(modelName: string, drop: number, segment: number): Finding[] {
  const limits = LIKENESS_LIMITS[modelName]?.drop;
  const level = limits && above(drop, limits);
  if (!level) return [];
  const message = `likeness fell by ${shown(drop)} since segment 1 (limit ${limits[level]})`;
  return [{ gate: "drift", level, message, segment }];
}

function judgeSegmentLikeness({ likeness, boundaries }: CutFacts): Finding[] {
  if (!likeness) return [];
  const medians = boundaries.map((from, index) => {
    const to = boundaries[index + 1] ?? Infinity;
    return median(
      likeness.points.flatMap(({ frame, score }) =>
        frame >= from && frame < to && score !== null ? [score] : []
      ),
    );
  });
  const first = medians[0] ?? null;
  if (first === null) return [];
  return medians.flatMap((own, segment) =>
    own === null || segment === 0 ? [] : judgeDrop(likeness.model.name, first - own, segment)
  );
}

function judgeSeam(seam: Seam, boundaries: readonly number[]): Finding[] {
  if (seam.verdict === "pass") return [];
  const segment = Math.max(0, boundaries.findLastIndex((first) => first <= seam.frame));
  const reason = seam.reasons[0] ?? "the join shows";
  return [{
    gate: "seam",
    level: seam.verdict,
    message: `at the join on frame ${seam.frame}, ${reason}`,
    segment,
  }];
}

function meanLab(curves: FrameCurves, from: number, to: number): [number, number, number] {
  const labs = curves.meanLab.slice(Math.max(0, from), to);
  const mean = (k: 0 | 1 | 2) => labs.reduce((sum, lab) => sum + lab[k], 0) / Math.max(1, labs.length);
  return [mean(0), mean(1), mean(2)];
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle];
  if (high === undefined) return null;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

function below(value: number, { warn, fail }: Limits): "warn" | "fail" | undefined {
  return value < fail ? "fail" : value < warn ? "warn" : undefined;
}

function above(value: number, { warn, fail }: Limits): "warn" | "fail" | undefined {
  return value > fail ? "fail" : value > warn ? "warn" : undefined;
}

function shown(value: number): string {
  return value.toFixed(2);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
