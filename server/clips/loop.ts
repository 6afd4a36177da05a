import { AppError } from "#server/core/errors.ts";
import { sameRate } from "#server/core/media_time.ts";
import type { Queryable, Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { findProjectFacts } from "#server/projects/service.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import { openVersion } from "#server/workflows/service.ts";
import { type Clip, clipChanged, type TakeStatus } from "./contract.ts";
import { type Loop, nextStep, planLoop, type PlanStep } from "./planner.ts";
import * as queries from "./queries.ts";
import { isStitched, requestCut, requestTake } from "./requests.ts";
import { listLoopTakes, type LoopTake, removeSegmentsAfter } from "./take_queries.ts";

/*
 * The recursive loop (PRD-17): what has been accepted decides what is done next. It is called in the transaction
 * that ends a step's job, holds the clip's row meanwhile, and does nothing when the next step already runs; so a
 * crash at any point, a repeated call or two callers at once lead to the same chain of takes.
 */

/** Who acts when the loop goes on by itself: the clip's jobs are accounted to whoever last started it. */
export interface LoopActor {
  readonly userId: string | null;
}

/** Where a clip stands: its plan, what of it is made, and what comes next. */
export interface Run {
  readonly clip: Clip;
  readonly version: WorkflowVersion;
  readonly loop: Loop;
  readonly takes: readonly LoopTake[];
  /** The accepted takes, each made from the end of the one before. */
  readonly chain: readonly LoopTake[];
  readonly step: PlanStep;
}

const OPEN: readonly TakeStatus[] = ["generating", "ingesting", "measuring"];

export function isOpen(take: LoopTake): boolean {
  return OPEN.includes(take.status);
}

/** The clip's loop as the planner counts it. Throws AppError("conflict") where the workflow can't make such a clip. */
export async function openLoop(db: Queryable, clip: Clip, version: WorkflowVersion): Promise<Loop> {
  const video = version.manifest.constraints.video;
  if (!video) {
    throw new AppError(
      "conflict",
      `The workflow "${version.manifest.title}" makes no video: choose an image-to-video workflow`,
    );
  }
  const project = await findProjectFacts(db, clip.projectId);
  try {
    return planLoop({ askedFrames: clip.frames, rate: project.rate, constraints: video });
  } catch (error) {
    if (error instanceof RangeError) throw new AppError("conflict", error.message, { cause: error });
    throw error;
  }
}

/**
 * The chosen takes from the first segment up to the first that has none, was made from another picture than the one
 * before it now ends on, or at another rate than the loop counts in.
 */
export function chainOf(takes: readonly LoopTake[], loop: Loop): LoopTake[] {
  const chain: LoopTake[] = [];
  for (const take of takes.filter((each) => each.isChosen).sort((a, b) => a.segmentIndex - b.segmentIndex)) {
    const follows = take.segmentIndex === chain.length + 1 &&
      take.startsFromTakeId === (chain.at(-1)?.id ?? null);
    if (!follows || take.endFrame === null || !sameRate(take.rate, loop.conform.nativeRate)) break;
    chain.push(take);
  }
  return chain;
}

/** How many frames of each take are kept. */
export function keptFrames(chain: readonly LoopTake[]): number[] {
  return chain.map((take) => (take.endFrame ?? 0) + 1);
}

export async function readRun(db: Queryable, clip: Clip, version: WorkflowVersion): Promise<Run> {
  const loop = await openLoop(db, clip, version);
  const takes = await listLoopTakes(db, clip.id);
  const chain = chainOf(takes, loop);
  return { clip, version, loop, takes, chain, step: nextStep(loop, keptFrames(chain)) };
}

/** Does the clip's next step, if it is generating and none runs. */
export async function advance(tx: Tx, clipId: string, actor: LoopActor): Promise<void> {
  await queries.lockClip(tx, clipId);
  const clip = await queries.findClip(tx, clipId);
  if (clip?.status !== "generating" || !clip.workflowVersionId) return;
  const run = await readRun(tx, clip, await openVersion(tx, clip.workflowVersionId));
  if (run.takes.some(isOpen)) return;
  if (run.step.kind === "generate") {
    await requestTake(tx, { ...run, step: run.step, actor });
  } else {
    await removeSegmentsAfter(tx, clipId, run.chain.length);
    const isThere = await isStitched(tx, run);
    if (!isThere) await requestCut(tx, run, actor);
    await queries.setClipStatus(tx, clipId, isThere ? "in_review" : "stitching");
  }
  await announceClip(tx, clip);
}

export async function announceClip(
  tx: Tx,
  clip: { id: string; projectId: string; sceneId: string },
): Promise<void> {
  await announce(tx, clipChanged, `project:${clip.projectId}`, { clipId: clip.id, sceneId: clip.sceneId });
}

/** The loop stops and says why; everything made stays. */
export async function needAttention(tx: Tx, clip: Clip, sentence: string): Promise<void> {
  if (["generating", "paused", "stitching"].includes(clip.status)) {
    await queries.setClipStatus(tx, clip.id, "needs_attention", sentence);
  }
  await announceClip(tx, clip);
}
