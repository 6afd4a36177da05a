import { GATE_LIMITS, type GateLimits } from "./gate_limits.ts";
import type { EndChoice, FrameCurves, LikenessTrack, Seam } from "./job_kinds.ts";
import { judgeDrop, judgeTake, median } from "./judge_take.ts";

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

/** Judges one take right after it was measured: pass, make again by itself, or ask. */
export function gateTake(facts: TakeFacts, limits: GateLimits = GATE_LIMITS): Gate {
  return decide(
    judgeTake(facts, limits),
    limits.maxWarnings,
    () => facts.rerolls < limits.maxRerolls ? "reroll" : "ask",
  );
}

export interface CutFacts {
  readonly seams: readonly Seam[];
  /** First frame of each part in the cut; the first is 0. */
  readonly boundaries: readonly number[];
  readonly likeness: LikenessTrack | null;
  /** New takes made by themselves already, by segment. */
  readonly rerolls: readonly number[];
  /** By segment: a person has kept its take against the gates, so its likeness is not asked about again. */
  readonly isAccepted?: readonly boolean[];
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

function judgeSegmentLikeness({ likeness, boundaries, isAccepted = [] }: CutFacts): Finding[] {
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
    own === null || segment === 0 || isAccepted[segment]
      ? []
      : judgeDrop(likeness.model.name, first - own, segment)
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

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
