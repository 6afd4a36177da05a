import type { ClipState, Cut, Plan, Segment, Take } from "#server/clips/contract.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { ClipStatus } from "#server/clips/contract.ts";

/** What follows from a clip's facts; pure. */

/** The newest cut that has a picture and counts: what the player shows and people decide about. */
export function cutToShow({ cuts }: Pick<ClipState, "cuts">): Cut | undefined {
  return cuts.findLast(({ assetId, status }) => assetId !== null && status !== "superseded") ??
    cuts.findLast(({ assetId }) => assetId !== null);
}

export function chosenTake({ takes }: Pick<Segment, "takes">): Take | undefined {
  return takes.find(({ isChosen }) => isChosen);
}

/** The take that is being made now. */
export function openTake({ takes }: Pick<Segment, "takes">): Take | undefined {
  return takes.findLast(({ status }) => OPEN_TAKE.includes(status));
}
const OPEN_TAKE: readonly Take["status"][] = ["generating", "ingesting", "measuring"];

/** The cut that is being made now. */
export function openCut({ cuts }: Pick<ClipState, "cuts">): Cut | undefined {
  return cuts.findLast(({ status }) => status === "stitching" || status === "measuring");
}

/** A segment on the line of time: made, being made, or only planned. */
export interface LaneSegment {
  /** Counts from 1. */
  readonly number: number;
  readonly segment: Segment | undefined;
  readonly isPlanned: boolean;
  readonly firstFrame: number;
  readonly frames: number;
  /** How far before and after its end it may end, in frames of the clip's rate; 0 where it is exact. */
  readonly reach: number;
  readonly generateFrames: number | null;
  readonly take: Take | undefined;
  readonly running: Take | undefined;
}

/** The segments in order, as the plan lays them out; without a plan, as the cut has them. */
export function laneOf(clip: ClipState, plan: Plan | undefined): LaneSegment[] {
  if (!plan) return laneOfCut(clip);
  const scale = rateRatio(plan);
  return plan.segments.map((planned, index) => {
    const segment = clip.segments.find((each) => each.index === index + 1 && each.status !== "removed");
    const take = segment && chosenTake(segment);
    return {
      number: index + 1,
      segment,
      isPlanned: planned.state !== "accepted",
      firstFrame: planned.firstFrame,
      frames: planned.frames,
      reach: planned.exact ? 0 : planned.window * scale,
      generateFrames: planned.generateFrames,
      take,
      running: segment && openTake(segment),
    };
  });
}

function laneOfCut(clip: ClipState): LaneSegment[] {
  const cut = cutToShow(clip);
  return clip.segments.filter(({ status }) => status !== "removed").map((segment, index) => {
    const part = cut?.parts[index];
    const firstFrame = part?.firstFrame ?? 0;
    const take = chosenTake(segment);
    return {
      number: segment.index,
      segment,
      isPlanned: take === undefined,
      firstFrame,
      frames: (cut?.parts[index + 1]?.firstFrame ?? clip.frames) - firstFrame,
      reach: 0,
      generateFrames: null,
      take,
      running: openTake(segment),
    };
  });
}

/** Frames of the clip for each generated frame. */
export function rateRatio({ rate, nativeRate }: Pick<Plan, "rate" | "nativeRate">): number {
  return (rate.num * nativeRate.den) / (rate.den * nativeRate.num);
}

/** The clip's status as a shape. */
export const CLIP_MARKS: Readonly<Record<ClipStatus, State>> = {
  draft: "queued",
  generating: "running",
  paused: "waiting",
  needs_attention: "attention",
  stitching: "running",
  in_review: "attention",
  final: "good",
  trashed: "off",
};

/** A take's status as a shape. */
export function takeMark(take: Take): State {
  if (take.staleAt && take.status === "ready") return "waiting";
  return TAKE_MARKS[take.status];
}
const TAKE_MARKS: Readonly<Record<Take["status"], State>> = {
  generating: "running",
  ingesting: "running",
  measuring: "running",
  ready: "good",
  rejected: "attention",
  failed: "failed",
  cancelled: "off",
};

/** The take about which its gates ask a person, and its segment. */
export function askedTake(
  { status, segments }: Pick<ClipState, "status" | "segments">,
): { readonly take: Take; readonly segment: Segment } | undefined {
  if (status !== "needs_attention") return undefined;
  const segment = segments.findLast(({ status }) => status === "failed");
  const take = segment?.takes.at(-1);
  return segment && take?.gate?.verdict === "ask" && !take.isChosen ? { take, segment } : undefined;
}

/** What the one big button is about now. */
export type PrimaryStep =
  | "plan"
  | "generate"
  | "go_on"
  | "pause"
  | "wait"
  | "keep"
  | "keep_take"
  | "stitch"
  | "finalize"
  | "undo"
  | "none";

/** The next step of a clip. `isPlanSeen`: one has looked at what generating would do. */
export function primaryStep(clip: ClipState, plan: Plan | undefined, isPlanSeen: boolean): PrimaryStep {
  const left = plan?.segments.filter(({ state }) => state !== "accepted").length ?? 0;
  const cut = cutToShow(clip);
  switch (clip.status) {
    case "generating":
      return "pause";
    case "stitching":
      return "wait";
    case "final":
      return "undo";
    case "trashed":
      return "none";
    case "in_review":
      if (left > 0) return "go_on";
      return cut && cut.status !== "rejected" ? "finalize" : "none";
    case "needs_attention":
      if (cut?.gate?.verdict === "ask" && left === 0) return "keep";
      if (askedTake(clip)) return "keep_take";
      return left === 0 ? "stitch" : "go_on";
    default:
  }
  if (clip.segments.some((segment) => openTake(segment))) return "wait";
  if (left === 0 && clip.segments.length > 0) return "stitch";
  if (clip.segments.some((segment) => chosenTake(segment))) return "go_on";
  return isPlanSeen ? "generate" : "plan";
}
