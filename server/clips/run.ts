import { AppError } from "#server/core/errors.ts";
import { planConform } from "#server/core/conform.ts";
import { sameRate } from "#server/core/media_time.ts";
import type { Queryable } from "#server/db/db.ts";
import { findProjectFacts } from "#server/projects/service.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import type { Clip, TakeStatus } from "./contract.ts";
import { type Loop, nextStep, planLoop, type PlanStep } from "./planner.ts";
import { listLoopSegments, type LoopSegment } from "./segment_queries.ts";
import { listLoopTakes, type LoopTake } from "./take_queries.ts";

/** Who acts when the loop goes on by itself: the clip's jobs are accounted to whoever last started it. */
export interface LoopActor {
  readonly userId: string | null;
}

/** Where a clip stands: its plan, what of it is made, and what comes next. */
export interface Run {
  readonly clip: Clip;
  readonly version: WorkflowVersion;
  readonly loop: Loop;
  readonly segments: readonly LoopSegment[];
  readonly takes: readonly LoopTake[];
  /** The accepted takes, each made from the end of the one before. */
  readonly chain: readonly LoopTake[];
  /** What comes next, once nothing is to be made again. */
  readonly step: PlanStep;
}

const OPEN: readonly TakeStatus[] = ["generating", "ingesting", "measuring"];

export function isOpen(take: LoopTake): boolean {
  return OPEN.includes(take.status);
}

/** The clip's loop as the planner counts it. Throws AppError("conflict") where the workflow can't make such a clip. */
export async function openLoop(
  db: Queryable,
  clip: Clip,
  version: WorkflowVersion,
  segments: readonly LoopSegment[] = [],
): Promise<Loop> {
  const video = version.manifest.constraints.video;
  if (!video) {
    throw new AppError(
      "conflict",
      `The workflow "${version.manifest.title}" makes no video: choose an image-to-video workflow`,
    );
  }
  const { rate } = await findProjectFacts(db, clip.projectId);
  return orConflict(() => {
    const { nativeRate } = planConform(rate, video.rates);
    const native = (frames: number) =>
      Math.max(1, Math.round((frames * nativeRate.num * rate.den) / (nativeRate.den * rate.num)));
    const lengths = new Map(
      segments.flatMap(({ index, askedFrames }) =>
        askedFrames === null ? [] : [[index - 1, native(askedFrames)]]
      ),
    );
    return planLoop({
      askedFrames: clip.frames,
      rate,
      constraints: video,
      retimeLast: clip.retimeLimit,
      lengths,
    });
  });
}

/** What the planner says can't be is a conflict of the clip's settings, told in the planner's words. */
export function orConflict<T>(plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (error instanceof RangeError) throw new AppError("conflict", error.message, { cause: error });
    throw error;
  }
}

/**
 * The chosen takes from the first segment up to the first that has none, does not start from the picture that the one
 * before it ends on, or was made at another rate than the loop counts in.
 */
export function chainOf(takes: readonly LoopTake[], loop: Loop): LoopTake[] {
  const chain: LoopTake[] = [];
  for (const take of takes.filter((each) => each.isChosen).sort((a, b) => a.segmentIndex - b.segmentIndex)) {
    const isNext = take.segmentIndex === chain.length + 1 && follows(chain.at(-1), take);
    if (!isNext || take.endFrame === null || !sameRate(take.rate, loop.conform.nativeRate)) break;
    chain.push(take);
  }
  return chain;
}

/** Whether a take goes on where the one before it ends: it was made from it, or that one was made to end there. */
export function follows(before: LoopTake | undefined, take: LoopTake): boolean {
  if (!before) return take.startsFromTakeId === null;
  return take.startsFromTakeId === before.id || before.lastImageHash === take.startFileHash;
}

/** How many frames of the clip each take fills. */
export function keptFrames(chain: readonly LoopTake[]): number[] {
  return chain.map((take) => take.retimedFrames ?? (take.endFrame ?? 0) + 1);
}

export async function readRun(db: Queryable, clip: Clip, version: WorkflowVersion): Promise<Run> {
  const segments = await listLoopSegments(db, clip.id);
  const loop = await openLoop(db, clip, version, segments);
  const takes = await listLoopTakes(db, clip.id);
  const chain = chainOf(takes, loop);
  return { clip, version, loop, segments, takes, chain, step: nextStep(loop, keptFrames(chain)) };
}

/** Whether a segment after `index` (from 1) is locked. */
export function hasLockedAfter({ segments }: Run, index: number): boolean {
  return segments.some((segment) => segment.isLocked && segment.index > index);
}
