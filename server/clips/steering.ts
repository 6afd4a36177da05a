import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { requireAccess } from "#server/projects/service.ts";
import { findWorkingImage, openSeed } from "#server/seeds/service.ts";
import { chooseVersion, openVersion } from "#server/workflows/service.ts";
import type { Clip, ClipState } from "./contract.ts";
import { advance, announceClip, isOpen, keptFrames, readRun, type Run } from "./loop.ts";
import { nextStep } from "./planner.ts";
import * as queries from "./queries.ts";
import { requestCut, requestTake } from "./requests.ts";
import { openClip, openClipState, openTake, refuseLocked } from "./service.ts";
import {
  chooseTake as markChosen,
  dropLaterTakes,
  findClipOfSegment,
  findLoopTake,
  type LoopTake,
  setTakeStatus,
  updateSegment,
} from "./take_queries.ts";

/** What people do with the loop: start, pause, make again, choose, lock, stitch. */

/** Starts the loop, or goes on with it. Nothing changes while it runs or when its newest cut is as it should be. */
export async function generateClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  await requireApprovedHero(db, actor, clip);
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const fresh = await openClip(tx, actor, clipId, "generate");
    if (fresh.status === "generating" || fresh.status === "stitching") return;
    refuseClosed(fresh);
    const version = await chooseVersion(tx, "image_to_video", fresh.workflowVersionId);
    await queries.setWorkflow(tx, clipId, version.id);
    await queries.setClipStatus(tx, clipId, "generating");
    await audit(tx, actor, "clip.generate", {
      projectId: clip.projectId,
      subject: ["clip", clipId],
      facts: { from: fresh.status },
    });
    await advance(tx, clipId, actor);
  });
  return await openClipState(db, actor, clipId);
}

function refuseClosed(clip: Clip): void {
  if (clip.status === "final") {
    throw new AppError("conflict", "The clip is final: undo the finalization before you change it");
  }
  if (clip.status === "trashed") {
    throw new AppError("conflict", "The clip is in the trash: restore it first");
  }
}

async function requireApprovedHero(db: Queryable, actor: Actor, clip: Clip): Promise<void> {
  const hero = clip.heroSeedId ? await openSeed(db, actor, clip.heroSeedId, "asset.read") : undefined;
  if (!hero) {
    throw new AppError("conflict", "The clip has no hero: choose a hero foundation for it first", {
      details: { rule: "take_needs_hero" },
    });
  }
  if (hero.status !== "hero" || !hero.approvedAt) {
    throw new AppError("conflict", "The clip's hero is not approved: approve it first", {
      details: { rule: "take_needs_hero", seedId: hero.id },
    });
  }
}

/** Stops after the step that runs. Pausing what is paused changes nothing. */
export async function pauseClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  await openClip(db, actor, clipId, "generate");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const clip = await openClip(tx, actor, clipId, "generate");
    if (clip.status === "paused") return;
    if (clip.status !== "generating") {
      const status = clip.status.replace("_", " ");
      throw new AppError("conflict", `The clip is ${status}: only a generating clip can be paused`);
    }
    await queries.setClipStatus(tx, clipId, "paused");
    await audit(tx, actor, "clip.pause", { projectId: clip.projectId, subject: ["clip", clipId] });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clipId);
}

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
  change: { prompt?: string | null | undefined; isLocked?: boolean | undefined },
): Promise<ClipState> {
  const { clip } = await openSegment(db, actor, segmentId, "clip.edit");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clip.id);
    refuseClosed(await openClip(tx, actor, clip.id, "clip.edit"));
    await updateSegment(tx, segmentId, change);
    await audit(tx, actor, "segment.change", {
      projectId: clip.projectId,
      subject: ["segment", segmentId],
      facts: { ...change },
    });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clip.id);
}

/** Another take of a segment. Segments after it built on its old end and are planned again, unless locked. */
export async function rerollSegment(
  db: Db,
  actor: Actor,
  segmentId: string,
  input: { randomSeed?: number | undefined },
): Promise<ClipState> {
  const { clip, index } = await openSegment(db, actor, segmentId, "generate");
  await requireApprovedHero(db, actor, clip);
  await transact(db, async (tx) => {
    const run = await openIdle(tx, actor, clip.id);
    await refuseLocked(tx, clip.id, index);
    const chain = run.chain.slice(0, index - 1);
    const step = nextStep(run.loop, keptFrames(chain));
    if (step.kind !== "generate" || step.index !== index - 1) {
      throw new AppError(
        "conflict",
        `Segment ${index} is not part of the clip as it stands: generate the clip, then make it again`,
      );
    }
    await dropLaterTakes(tx, clip.id, index - 1);
    await queries.setClipStatus(tx, clip.id, "generating");
    await requestTake(tx, { ...run, chain, step, actor, randomSeed: input.randomSeed });
    await audit(tx, actor, "segment.reroll", {
      projectId: clip.projectId,
      subject: ["segment", segmentId],
      facts: { ...input },
    });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clip.id);
}

/** The clip's loop under its lock, when nothing of it runs and it may change. */
async function openIdle(tx: Tx, actor: Actor, clipId: string): Promise<Run> {
  await queries.lockClip(tx, clipId);
  const clip = await openClip(tx, actor, clipId, "project.read");
  refuseClosed(clip);
  if (!clip.workflowVersionId) {
    throw new AppError("conflict", "The clip has not been generated yet: generate it first");
  }
  const run = await readRun(tx, clip, await openVersion(tx, clip.workflowVersionId));
  if (["generating", "stitching"].includes(clip.status) || run.takes.some(isOpen)) {
    throw new AppError("conflict", "The clip is at work: wait for the running step, or pause the clip first");
  }
  return run;
}

/** Makes this take its segment's chosen one; the loop goes on from its end. Choosing the chosen one changes nothing. */
export async function chooseTake(db: Db, actor: Actor, takeId: string): Promise<ClipState> {
  const { clip } = await openTake(db, actor, takeId, "clip.edit");
  await transact(db, async (tx) => {
    const run = await openIdle(tx, actor, clip.id);
    const take = await findLoopTake(tx, takeId);
    if (!take) throw notFound("take");
    if (run.chain.some((each) => each.id === takeId)) return;
    await requireFitting(tx, run, take);
    await refuseLocked(tx, clip.id, take.segmentIndex + 1);
    const before = run.takes.find((each) => each.segmentId === take.segmentId && each.isChosen);
    if (take.status === "rejected") await setTakeStatus(tx, take.id, "ready");
    await markChosen(tx, take);
    await dropLaterTakes(tx, clip.id, take.segmentIndex);
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

/** A take can only follow the picture that it was made from. */
async function requireFitting(tx: Tx, { clip, chain }: Run, take: LoopTake): Promise<void> {
  if (!["ready", "rejected"].includes(take.status) || take.endFrame === null) {
    throw new AppError("conflict", `This take is ${take.status}: choose one that is ready`);
  }
  const before = chain[take.segmentIndex - 2];
  if (take.segmentIndex > 1) {
    if (before && take.startsFromTakeId === before.id) return;
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

export async function stitchClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  await transact(db, async (tx) => {
    const run = await openIdle(tx, actor, clipId);
    if (run.step.kind === "generate") {
      throw new AppError("conflict", "The clip is not complete: generate its missing segments first");
    }
    await requestCut(tx, run, actor);
    await queries.setClipStatus(tx, clipId, "stitching");
    await audit(tx, actor, "cut.stitch", { projectId: clip.projectId, subject: ["clip", clipId] });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clipId);
}
