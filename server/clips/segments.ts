import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { requireAccess } from "#server/projects/service.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import type { ClipState, Following } from "./contract.ts";
import { advance, announceClip } from "./loop.ts";
import { longestOwn } from "./planner.ts";
import * as queries from "./queries.ts";
import { refuseLocked, remakeOrReplan } from "./remake.ts";
import { follows, hasLockedAfter, keptFrames, type Run } from "./run.ts";
import { findClipOfSegment, type SegmentChange, setSegmentStatus, updateSegment } from "./segment_queries.ts";
import { openClip, openClipState, openTake } from "./service.ts";
import { openIdle, refuseClosed, requireApprovedHero } from "./steering.ts";
import {
  chooseTake as markChosen,
  dropLaterTakes,
  findFollower,
  findLoopTake,
  type LoopTake,
  setTakeStatus,
} from "./take_queries.ts";

/** What people do with one segment of a clip: its own words, locking, making again, making longer, choosing a take. */

async function openSegment(db: Queryable, actor: Actor, segmentId: string, permission: Permission) {
  const found = await findClipOfSegment(db, segmentId);
  const clip = found ? await queries.findClip(db, found.clipId) : undefined;
  await requireAccess(db, actor, clip?.projectId, permission, "segment");
  if (!found || !clip) throw notFound("segment");
  return { clip, index: found.index };
}

export async function changeSegment(
  db: Db,
  actor: Actor,
  segmentId: string,
  change: SegmentChange,
): Promise<ClipState> {
  const { clip, index } = await openSegment(db, actor, segmentId, "clip.edit");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clip.id);
    refuseClosed(await openClip(tx, actor, clip.id, "clip.edit"));
    await updateSegment(tx, segmentId, change);
    await audit(tx, actor, "segment.change", {
      projectId: clip.projectId,
      subject: ["segment", segmentId],
      facts: { index, ...change },
    });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clip.id);
}

interface RerollInput {
  readonly randomSeed?: number | undefined;
  readonly following?: Following | undefined;
}

/** Another take of a segment; see `Following` for what becomes of those after it. */
export async function rerollSegment(
  db: Db,
  actor: Actor,
  segmentId: string,
  input: RerollInput,
): Promise<ClipState> {
  return await makeAgain(db, actor, segmentId, "segment.reroll", { ...input }, async (tx, run, index) => {
    const following = input.following ?? (hasLockedAfter(run, index) ? "keep" : "replan");
    await remakeOrReplan(tx, run, { index, following, actor, randomSeed: input.randomSeed });
  });
}

/** A longer take of a segment: within the clip's length, or with it when what follows stays. */
export async function extendSegment(
  db: Db,
  actor: Actor,
  segmentId: string,
  input: RerollInput & { frames: number },
): Promise<ClipState> {
  return await makeAgain(db, actor, segmentId, "segment.extend", { ...input }, async (tx, run, index) => {
    const { randomSeed, frames } = input;
    const following = input.following ?? (hasLockedAfter(run, index) ? "keep" : "replan");
    const isFollowed = index < run.chain.length;
    const isEnd = !isFollowed && run.step.kind !== "generate";
    const kept = keptFrames(run.chain)[index - 1] ?? 0;
    if (following === "keep") {
      await queries.updateClip(tx, run.clip.id, { frames: run.clip.frames + frames });
    } else if (isEnd) {
      throw new AppError(
        "conflict",
        `Segment ${index} is the clip's last and ends with it: say "following": "keep" to make the clip longer too`,
      );
    }
    if (!isEnd && !(isFollowed && following === "keep")) {
      const own = kept + nativeOf(run, frames);
      refuseTooLong(run, index, own);
      await updateSegment(tx, segmentId, { askedFrames: projectFramesOf(run, own) });
    }
    const longer = await openIdle(tx, actor, run.clip.id);
    const grown = kept + longer.loop.totalFrames - run.loop.totalFrames;
    await remakeOrReplan(tx, longer, { index, following, actor, randomSeed, frames: grown });
  });
}

function refuseTooLong(run: Run, index: number, own: number): void {
  const most = longestOwn(run.loop, index - 1);
  if (own <= most) return;
  const kept = keptFrames(run.chain)[index - 1] ?? 0;
  const more = Math.max(0, Math.floor(projectFramesOf(run, most - kept)));
  throw new AppError(
    "conflict",
    more > 0
      ? `Segment ${index} can become at most ${more} frames longer: the workflow makes no more at once`
      : `Segment ${index} can't become longer: the workflow makes no more frames at once. Make the clip longer instead`,
    { details: { maxFrames: more } },
  );
}

/** Frames at the clip's rate in the loop's, which its takes are counted in. */
function nativeOf({ loop: { conform } }: Run, frames: number): number {
  const { rate, nativeRate } = conform;
  return Math.max(1, Math.round((frames * nativeRate.num * rate.den) / (nativeRate.den * rate.num)));
}

function projectFramesOf({ loop: { conform } }: Run, frames: number): number {
  const { rate, nativeRate } = conform;
  return Math.round((frames * nativeRate.den * rate.num) / (nativeRate.num * rate.den));
}

async function makeAgain(
  db: Db,
  actor: Actor,
  segmentId: string,
  action: "segment.reroll" | "segment.extend",
  facts: Record<string, unknown>,
  work: (tx: Tx, run: Run, index: number) => Promise<void>,
): Promise<ClipState> {
  const { clip, index } = await openSegment(db, actor, segmentId, "generate");
  await requireApprovedHero(db, actor, clip);
  await transact(db, async (tx) => {
    const run = await openIdle(tx, actor, clip.id);
    await refuseLocked(tx, clip.id, index, index);
    await work(tx, run, index);
    await audit(tx, actor, action, {
      projectId: clip.projectId,
      subject: ["segment", segmentId],
      facts,
    });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clip.id);
}

/**
 * Makes this take its segment's chosen one. What follows stays where it goes on from this take; else what did go on
 * from it comes back, and the loop makes what is missing. Choosing the chosen one ends its making again, or changes
 * nothing.
 */
export async function chooseTake(db: Db, actor: Actor, takeId: string): Promise<ClipState> {
  const { clip } = await openTake(db, actor, takeId, "clip.edit");
  await transact(db, async (tx) => {
    const run = await openIdle(tx, actor, clip.id);
    const take = await findLoopTake(tx, takeId);
    if (!take) throw notFound("take");
    const isRemade = run.segments.some(({ id, remakeFrames }) =>
      id === take.segmentId && remakeFrames !== null
    );
    if (run.chain.some((each) => each.id === takeId) && !isRemade) return;
    await requireFitting(tx, run, take);
    const next = run.chain[take.segmentIndex];
    const isFollowed = next !== undefined && follows(take, next);
    if (!isFollowed) await refuseLocked(tx, clip.id, take.segmentIndex + 1);
    const before = run.takes.find((each) => each.segmentId === take.segmentId && each.isChosen);
    if (take.status === "rejected") await setTakeStatus(tx, take.id, "ready");
    await markChosen(tx, take, actor.userId);
    if (!isFollowed) await bringBackFollowers(tx, clip.id, take);
    await audit(tx, actor, "take.choose", {
      projectId: clip.projectId,
      subject: ["take", take.id],
      facts: { before: before?.id ?? null },
    });
    await queries.setClipStatus(tx, clip.id, "generating");
    await advance(tx, clip.id, actor);
  });
  return await openClipState(db, actor, clip.id);
}

/** Takes that went on from this one are the clip's again: nothing that is finished is made twice. */
async function bringBackFollowers(tx: Tx, clipId: string, take: LoopTake): Promise<void> {
  await dropLaterTakes(tx, clipId, take.segmentIndex);
  for (let at = await findFollower(tx, take.id); at; at = await findFollower(tx, at.id)) {
    await setSegmentStatus(tx, at.segmentId, "ready");
    await markChosen(tx, at);
  }
}

/** A take can only follow the picture that it was made from. */
async function requireFitting(tx: Tx, { clip, chain }: Run, take: LoopTake): Promise<void> {
  if (!["ready", "rejected"].includes(take.status) || take.endFrame === null) {
    throw new AppError("conflict", `This take is ${take.status}: choose one that is ready`);
  }
  const before = chain[take.segmentIndex - 2];
  if (take.segmentIndex > 1) {
    if (before && follows(before, take)) return;
    throw new AppError(
      "conflict",
      `This take goes on from another take of segment ${
        take.segmentIndex - 1
      } than the chosen one: choose that first`,
    );
  }
  const hero = clip.heroSeedId ? await findWorkingImage(tx, clip.heroSeedId) : undefined;
  if (hero?.hash === take.startFileHash) return;
  throw new AppError("conflict", "This take was made from another hero: make the clip's that one first");
}
