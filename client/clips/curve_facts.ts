import type { CurveMark, CurvePart, Threshold } from "#client/player/curve.ts";
import type { Cut, MeasureLimits } from "#server/clips/contract.ts";
import type { ClipDesk } from "./clip_desk.ts";
import { askedTake, type LaneSegment, rateRatio } from "./clip_facts.ts";
import type { Measures } from "./clip_store.ts";
import { w } from "./words.ts";

/** One measure over the whole line. */
export interface CurveRow {
  readonly name: string;
  /** What it is and in which unit, as a sentence. */
  readonly meaning: string;
  /** Whose values these are: "cut 2", "the chosen takes". */
  readonly source: string;
  readonly parts: readonly CurvePart[];
  readonly limits: readonly Threshold[];
  readonly marks: readonly CurveMark[];
  /** It is the small values that are at fault. */
  readonly failsBelow: boolean;
  readonly low: number;
  readonly high: number;
  /** Nothing measured there means that no face was found. */
  readonly isOfFaces?: boolean;
}

interface Measured extends Measures {
  readonly lane: LaneSegment;
  /** Frames of the take that are kept. */
  readonly kept: number;
  readonly span: number;
}

/** The cut that is on the player, with what was measured on it. */
interface MeasuredCut extends Measures {
  readonly cut: Cut;
}

/** How many frames before a take's end its gates look at: for rest, and for colour. */
const REST_FRAMES = 3;
const COLOUR_FRAMES = 8;

/**
 * Motion, likeness and colour over the line; what was not measured is left out. Motion and likeness are the cut's while
 * one shows; of colour only the takes' is kept.
 */
export function curvesOf(desk: ClipDesk): CurveRow[] {
  const plan = desk.store.facts?.plan;
  const scale = plan ? rateRatio(plan) : 1;
  const asked = desk.store.facts && askedTake(desk.store.facts.clip);
  const measured = desk.lane.flatMap((lane): Measured[] => {
    // Who is asked about a take sees what its gates saw.
    const take = lane.take ?? (asked && asked.segment.id === lane.segment?.id ? asked.take : undefined);
    const found = take && desk.store.measuresOf(take);
    if (!take || !found) return [];
    const kept = (take.endFrame ?? (take.frameCount ?? 1) - 1) + 1;
    return [{ lane, ...found, kept, span: Math.min(lane.frames, kept * scale) }];
  });
  const floor = desk.store.facts?.clip.likenessFloor ?? null;
  const { shown } = desk;
  const found = shown?.kind === "cut" ? desk.store.measuresOfCut(shown.cut) : undefined;
  if (shown?.kind !== "cut" || !found?.curves) {
    return [motionOfTakes(measured), likenessOfTakes(measured, floor), colourRow(measured, [])];
  }
  const cut = { cut: shown.cut, ...found };
  return [
    motionOfCut(cut, scale === 1 ? restLimits(measured) : []),
    likenessOfCut(cut, floor),
    colourRow(measured, marksOf(shown.cut, ["colour", "brightness"])),
  ];
}

const ofMotion = () => ({ name: w("motion"), meaning: w("motionIs"), failsBelow: false, low: 0 });
const ofLikeness = () => ({
  name: w("likeness"),
  meaning: w("likenessIs"),
  failsBelow: true,
  low: 0,
  high: 1,
  isOfFaces: true,
});

function motionOfTakes(measured: readonly Measured[]): CurveRow {
  const parts = measured.flatMap(({ curves, kept, lane, span }) => {
    const values = overNoise(curves)?.slice(0, kept);
    return values ? [{ from: lane.firstFrame, span, values }] : [];
  });
  const limits = restLimits(measured);
  return { ...ofMotion(), source: w("ofTakes"), parts, limits, marks: [], high: most(parts, limits, 2) };
}

function motionOfCut({ cut, curves }: MeasuredCut, limits: readonly Threshold[]): CurveRow {
  const values = overNoise(curves);
  const parts = values ? [{ from: 0, span: cut.frames, values }] : [];
  const marks = marksOf(cut, ["jump", "duplicate", "reversal"]);
  const source = w("ofCut", { number: cut.number });
  return { ...ofMotion(), source, parts, limits, marks, high: most(parts, limits, 2) };
}

/** Motion of each frame over the noise; of frame 0 it is against nothing. */
function overNoise(curves: Measures["curves"]): (number | null)[] | undefined {
  const floor = curves?.noiseFloor ?? 0;
  return curves?.motion?.map((value, n) => n === 0 ? null : Math.max(0, value - floor));
}

/** A take is to be at rest about its end. */
function restLimits(measured: readonly Measured[]): Threshold[] {
  return measured.flatMap(({ lane, limits: { rest }, kept, span }) => {
    const to = lane.firstFrame + span;
    return rest ? pair(rest, to - REST_FRAMES * span / kept, to) : [];
  });
}

function likenessOfTakes(measured: readonly Measured[], floor: number | null): CurveRow {
  const parts = measured.flatMap(({ likeness, kept, lane, span }) => {
    const values = heldScores(likeness, kept);
    return values ? [{ from: lane.firstFrame, span, values }] : [];
  });
  const [first] = measured;
  const reference = first?.lane.number === 1 ? first.likeness?.median ?? null : null;
  const limits = measured.flatMap(({ lane, limits, span }) => {
    const own = lane.number === 1 ? null : reference;
    return likenessLimits(limits.likeness, floor, own, lane.firstFrame, lane.firstFrame + span);
  });
  return { ...ofLikeness(), source: w("ofTakes"), parts, limits, marks: [] };
}

function likenessOfCut(
  { cut, likeness, limits: { likeness: given } }: MeasuredCut,
  floor: number | null,
): CurveRow {
  const values = heldScores(likeness, cut.frames);
  const parts = values ? [{ from: 0, span: cut.frames, values }] : [];
  const starts = cut.parts.map(({ firstFrame }) => firstFrame ?? 0);
  const scores = (likeness?.points ?? []).filter(({ frame }) => frame < (starts[1] ?? Infinity));
  const reference = medianOf(scores.flatMap(({ score }) => score ?? []));
  const limits = starts.flatMap((from, part) =>
    likenessLimits(given, floor, part === 0 ? null : reference, from, starts[part + 1] ?? cut.frames)
  );
  const source = w("ofCut", { number: cut.number });
  return { ...ofLikeness(), source, parts, limits: values ? limits : [], marks: [] };
}

/** The model's own limits, the clip's floor, and how far it may fall under the first segment, whichever is highest. */
function likenessLimits(
  given: MeasureLimits["likeness"],
  floor: number | null,
  reference: number | null,
  from: number,
  to: number,
): Threshold[] {
  const fallen = given && reference !== null
    ? { warn: reference - given.drop.warn, fail: reference - given.drop.fail }
    : undefined;
  const fail = Math.max(given?.score.fail ?? -1, floor ?? -1, fallen?.fail ?? -1);
  const warn = Math.max(given?.score.warn ?? -1, fallen?.warn ?? -1);
  return [
    ...(warn > fail ? [{ value: warn, level: "warn" as const, from, to }] : []),
    ...(fail >= 0 ? [{ value: fail, level: "fail" as const, from, to }] : []),
  ];
}

/** Looked at every few frames: each value holds until the next one was looked at. */
function heldScores(likeness: Measures["likeness"], frames: number): (number | null)[] | undefined {
  if (!likeness?.points || likeness.points.length === 0) return undefined;
  const values: (number | null)[] = Array.from({ length: frames }, () => null);
  const scored = likeness.points.filter(({ frame }) => frame < frames);
  for (const [n, { frame, score }] of scored.entries()) {
    values.fill(score, frame, scored[n + 1]?.frame ?? frames);
  }
  return values;
}

/** How far the picture's mean colour is from the first frames of the clip, as ΔE. */
function colourRow(measured: readonly Measured[], marks: readonly CurveMark[]): CurveRow {
  const reference = meanOf(measured[0]?.curves?.meanLab?.slice(0, COLOUR_FRAMES) ?? []);
  const parts = measured.flatMap(({ curves, kept, lane, span }) => {
    const values = curves?.meanLab?.slice(0, kept).map((lab) =>
      Math.hypot(...lab.map((value, k) => value - (reference[k] ?? 0)))
    );
    return values ? [{ from: lane.firstFrame, span, values }] : [];
  });
  // The first one is what the others are compared with.
  const limits = measured.slice(1).flatMap(({ lane, limits: { colour }, kept, span }) => {
    const to = lane.firstFrame + span;
    return colour ? pair(colour, to - COLOUR_FRAMES * span / kept, to) : [];
  });
  return {
    name: w("colour"),
    meaning: w("colourIs"),
    source: w("ofTakes"),
    failsBelow: false,
    parts,
    limits,
    marks,
    low: 0,
    high: most(parts, limits, 6),
  };
}

/** The seams of a cut that one of these signals is the reason for; each reason begins with its signal. */
function marksOf({ seams }: Cut, signals: readonly string[]): CurveMark[] {
  return seams.flatMap(({ frame, verdict, reasons }) => {
    const told = reasons.filter((reason) => signals.some((signal) => reason.startsWith(`${signal}:`)));
    return verdict === "pass" || told.length === 0
      ? []
      : [{ at: frame, level: verdict, text: told.join("; ") }];
  });
}

function pair(
  { warn, fail }: { readonly warn: number; readonly fail: number },
  from: number,
  to: number,
): Threshold[] {
  return [{ value: warn, level: "warn", from, to }, { value: fail, level: "fail", from, to }];
}

function meanOf(labs: readonly (readonly number[])[]): number[] {
  return [0, 1, 2].map((k) => labs.reduce((sum, lab) => sum + (lab[k] ?? 0), 0) / Math.max(1, labs.length));
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted.length === 0
    ? null
    : ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** The top of the scale: all values and the limits they come near to, `least` at the least. */
function most(parts: readonly CurvePart[], limits: readonly Threshold[], least: number): number {
  const top = parts.reduce(
    (top, { values }) => values.reduce<number>((max, value) => Math.max(max, value ?? 0), top),
    least,
  );
  const near = limits.filter(({ value }) => value < 1.5 * top).map(({ value }) => 1.05 * value);
  return Math.max(top, ...near);
}

/** What the gates say of a value at a frame of the line. */
export function levelAt(
  { limits, marks, failsBelow }: Pick<CurveRow, "limits" | "marks" | "failsBelow">,
  value: number,
  at: number,
): "warn" | "fail" | "" {
  const broken = [
    ...limits.filter(({ value: limit, from, to }) =>
      at >= from && at < to && (failsBelow ? value < limit : value > limit)
    ),
    ...marks.filter((mark) => Math.abs(mark.at - at) < 1),
  ];
  if (broken.some(({ level }) => level === "fail")) return "fail";
  return broken.length > 0 ? "warn" : "";
}

/** The nearest value at a frame of the line; null where it was looked for and not found, undefined where not measured. */
export function valueAt(parts: readonly CurvePart[], at: number): number | null | undefined {
  const part = parts.find(({ from, span }) => at >= from && at < from + span);
  if (!part) return undefined;
  return part.values[Math.floor(((at - part.from) / part.span) * part.values.length)];
}
