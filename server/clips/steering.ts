import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { openSeed } from "#server/seeds/service.ts";
import { chooseVersion, openVersion } from "#server/workflows/service.ts";
import type { Clip, ClipState } from "./contract.ts";
import { advance, announceClip } from "./loop.ts";
import { isOpen, readRun, type Run } from "./run.ts";
import * as queries from "./queries.ts";
import { requestCut } from "./requests.ts";
import { endRemakes } from "./segment_queries.ts";
import { openClip, openClipState, openCut } from "./service.ts";

/** What people do with the whole loop: start, pause, stitch, keep. What they do with one segment is in segments.ts. */

/** Starts the loop, or goes on with it. Nothing changes while it runs or when its newest cut is as it should be. */
export async function generateClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  if (clip.heroSeedId) await requireApprovedHero(db, actor, clip);
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const fresh = await openClip(tx, actor, clipId, "generate");
    if (fresh.status === "generating" || fresh.status === "stitching") return;
    refuseClosed(fresh);
    if (!fresh.heroSeedId) await takeCharactersHero(tx, fresh);
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

/** A clip that was made before its hero was chosen goes by the one that the character has by now. */
async function takeCharactersHero(tx: Tx, clip: Clip): Promise<void> {
  const hero = await queries.findApprovedHero(tx, clip.characterId);
  if (!hero) {
    throw new AppError(
      "conflict",
      "The clip has no hero, and its character has none that is approved: pick one of the character's foundations " +
        `with POST /api/seeds/{seedId}/hero and {"approve": true}, then generate again; or name a hero for this ` +
        `clip alone with PATCH /api/clips/${clip.id} and {"heroSeedId": …}`,
      { details: { rule: "take_needs_hero", characterId: clip.characterId } },
    );
  }
  await queries.updateClip(tx, clip.id, {
    heroSeedId: hero.id,
    ...(clip.portraitSeedId || !hero.portraitSeedId ? {} : { portraitSeedId: hero.portraitSeedId }),
  });
}

/** Throws for a clip that is final or in the trash. */
export function refuseClosed(clip: Clip): void {
  if (clip.status === "final") {
    throw new AppError("conflict", "The clip is final: undo the finalization before you change it");
  }
  if (clip.status === "trashed") {
    throw new AppError("conflict", "The clip is in the trash: restore it first");
  }
}

/** Throws unless the clip has a hero that is approved: nothing is generated without (PRD-16). */
export async function requireApprovedHero(db: Queryable, actor: Actor, clip: Clip): Promise<void> {
  const hero = clip.heroSeedId ? await openSeed(db, actor, clip.heroSeedId, "asset.read") : undefined;
  if (!hero) {
    throw new AppError(
      "conflict",
      "The clip has no hero: choose a hero foundation for it first, or generate it to use its character's",
      {
        details: { rule: "take_needs_hero" },
      },
    );
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

/** The clip's loop under its lock, when nothing of it runs and it may change. */
export async function openIdle(tx: Tx, actor: Actor, clipId: string): Promise<Run> {
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

export async function stitchClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  await transact(db, async (tx) => {
    const run = await openIdle(tx, actor, clipId);
    if (run.step.kind === "generate") {
      throw new AppError("conflict", "The clip is not complete: generate its missing segments first");
    }
    await endRemakes(tx, clipId, 0);
    await requestCut(tx, run, actor);
    await queries.setClipStatus(tx, clipId, "stitching");
    await audit(tx, actor, "cut.stitch", { projectId: clip.projectId, subject: ["clip", clipId] });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clipId);
}

/** A person overrules the gates: the clip goes to review with this cut. Keeping it again changes nothing. */
export async function keepCut(db: Db, actor: Actor, cutId: string): Promise<ClipState> {
  const { clip } = await openCut(db, actor, cutId, "clip.edit");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clip.id);
    const { cut, clip: fresh } = await openCut(tx, actor, cutId, "clip.edit");
    if (fresh.status === "in_review" && cut.status === "ready") return;
    if (fresh.status !== "needs_attention" || cut.status !== "ready" || cut.gate?.verdict !== "ask") {
      throw new AppError(
        "conflict",
        `Cannot keep cut ${cut.number}: only the newest cut that its gates ask about can be kept. ` +
          "Look at the clip again",
      );
    }
    await queries.setClipStatus(tx, clip.id, "in_review");
    await audit(tx, actor, "cut.keep", {
      projectId: clip.projectId,
      subject: ["cut", cutId],
      facts: { gate: cut.gate },
    });
    await announceClip(tx, fresh);
  });
  return await openClipState(db, actor, clip.id);
}
