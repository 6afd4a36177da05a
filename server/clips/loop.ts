import { AppError } from "#server/core/errors.ts";
import type { Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { openVersion } from "#server/workflows/service.ts";
import { type Clip, clipChanged } from "./contract.ts";
import * as queries from "./queries.ts";
import { findRemake, type Remake } from "./remake.ts";
import { isStitched, requestCut, requestTake } from "./requests.ts";
import { isOpen, type LoopActor, readRun } from "./run.ts";
import { removeSegmentsAfter } from "./segment_queries.ts";

/*
 * The recursive loop (PRD-17): what has been accepted decides what is done next. It is called in the transaction
 * that ends a step's job, holds the clip's row meanwhile, and does nothing when the next step already runs; so a
 * crash at any point, a repeated call or two callers at once lead to the same chain of takes.
 */

/** Does the clip's next step, if it is generating and none runs. */
export async function advance(tx: Tx, clipId: string, actor: LoopActor): Promise<void> {
  await queries.lockClip(tx, clipId);
  const clip = await queries.findClip(tx, clipId);
  if (clip?.status !== "generating" || !clip.workflowVersionId) return;
  const run = await readRun(tx, clip, await openVersion(tx, clip.workflowVersionId));
  if (run.takes.some(isOpen)) return;
  let remake: Remake | undefined;
  try {
    remake = await findRemake(tx, run);
  } catch (error) {
    if (error instanceof AppError) return await needAttention(tx, clip, error.message);
    throw error;
  }
  if (remake) await requestTake(tx, { ...run, ...remake, actor });
  else if (run.step.kind === "generate") {
    const locked = run.segments.find(({ id, index, isLocked }) =>
      isLocked && index > run.chain.length && run.takes.some((take) => take.isChosen && take.segmentId === id)
    );
    if (locked) return await needAttention(tx, clip, whyLockedIsLost(locked.index));
    await requestTake(tx, { ...run, step: run.step, actor });
  } else {
    await removeSegmentsAfter(tx, clipId, run.chain.length);
    const isThere = await isStitched(tx, run);
    if (!isThere) await requestCut(tx, run, actor);
    await queries.setClipStatus(tx, clipId, isThere ? "in_review" : "stitching");
  }
  await announceClip(tx, clip);
}

function whyLockedIsLost(index: number): string {
  return `Segment ${index} is locked, but what it goes on from has changed: unlock it to make it again, ` +
    "or choose the takes before it that it was made from";
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
