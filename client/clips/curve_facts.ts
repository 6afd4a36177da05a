import type { CurvePart, Threshold } from "#client/player/curve.ts";
import type { ClipDesk } from "./clip_desk.ts";
import { type LaneSegment, rateRatio } from "./clip_facts.ts";
import type { TakeMeasures } from "./clip_store.ts";
import { w } from "./words.ts";

/** One measure over the whole line. */
export interface CurveRow {
  readonly name: string;
  readonly parts: readonly CurvePart[];
  readonly limits: readonly Threshold[];
  readonly low: number;
  readonly high: number;
  /** Nothing measured there means that no face was found. */
  readonly isOfFaces?: boolean;
  levelOf(value: number): "warn" | "fail" | "";
}

interface Measured extends TakeMeasures {
  readonly lane: LaneSegment;
  /** Frames of the take that are kept. */
  readonly kept: number;
  readonly span: number;
}

/** Motion, likeness and colour of the takes on the line; what was not measured is left out. */
export function curvesOf(desk: ClipDesk): CurveRow[] {
  const plan = desk.store.facts?.plan;
  const scale = plan ? rateRatio(plan) : 1;
  const measured = desk.lane.flatMap((lane): Measured[] => {
    const { take } = lane;
    const found = take && desk.store.measuresOf(take);
    if (!take || !found) return [];
    const kept = (take.endFrame ?? (take.frameCount ?? 1) - 1) + 1;
    return [{ lane, ...found, kept, span: Math.min(lane.frames, kept * scale) }];
  });
  return [
    motionRow(measured),
    likenessRow(measured, desk.store.facts?.clip.likenessFloor ?? null),
    colourRow(measured),
  ];
}

function motionRow(measured: readonly Measured[]): CurveRow {
  const parts = measured.flatMap(({ curves, kept, lane, span }) => {
    const floor = curves?.noiseFloor ?? 0;
    // Motion of frame 0 is against nothing.
    const values = curves?.motion?.slice(0, kept).map((value, n) =>
      n === 0 ? null : Math.max(0, value - floor)
    );
    return values ? [{ from: lane.firstFrame, span, values }] : [];
  });
  return { name: w("motion"), parts, limits: [], low: 0, high: most(parts, 2), levelOf: () => "" };
}

function likenessRow(measured: readonly Measured[], floor: number | null): CurveRow {
  const parts = measured.flatMap(({ likeness, kept, lane, span }) => {
    if (!likeness?.points || likeness.points.length === 0) return [];
    const values: (number | null)[] = Array.from({ length: kept }, () => null);
    const scored = likeness.points.filter(({ frame }) => frame < kept);
    for (const [n, { frame, score }] of scored.entries()) {
      // Looked at every few frames: each value holds until the next one was looked at.
      const until = scored[n + 1]?.frame ?? kept;
      for (let at = frame; at < until; at++) values[at] = score;
    }
    return [{ from: lane.firstFrame, span, values }];
  });
  const limits: Threshold[] = floor === null ? [] : [{ value: floor, level: "fail" }];
  const levelOf = (value: number) => floor !== null && value < floor ? "fail" as const : "" as const;
  return { name: w("likeness"), parts, limits, low: 0, high: 1, isOfFaces: true, levelOf };
}

/** How far the picture's mean colour is from the first frames of the clip, as ΔE. */
function colourRow(measured: readonly Measured[]): CurveRow {
  const reference = meanOf(measured[0]?.curves?.meanLab?.slice(0, 8) ?? []);
  const parts = measured.flatMap(({ curves, kept, lane, span }) => {
    const values = curves?.meanLab?.slice(0, kept).map((lab) =>
      Math.hypot(...lab.map((value, k) => value - (reference[k] ?? 0)))
    );
    return values ? [{ from: lane.firstFrame, span, values }] : [];
  });
  return { name: w("colour"), parts, limits: [], low: 0, high: most(parts, 8), levelOf: () => "" };
}

function meanOf(labs: readonly (readonly number[])[]): number[] {
  return [0, 1, 2].map((k) => labs.reduce((sum, lab) => sum + (lab[k] ?? 0), 0) / Math.max(1, labs.length));
}

function most(parts: readonly CurvePart[], least: number): number {
  return parts.reduce(
    (top, { values }) => values.reduce<number>((max, value) => Math.max(max, value ?? 0), top),
    least,
  );
}
