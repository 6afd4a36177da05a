import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { openCharacter } from "#server/characters/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { cutPage, findProjectFacts, requireAccess } from "#server/projects/service.ts";
import { openScene } from "#server/scenes/service.ts";
import { openSeed, randomSeed } from "#server/seeds/service.ts";
import { fitSize } from "#server/workflows/bind.ts";
import { chooseVersion, openVersion } from "#server/workflows/service.ts";
import type { Clip, ClipChange, ClipInput, ClipState, ClipStatus, Cut, Plan } from "./contract.ts";
import { acceptedFrames, advance, announceClip, openLoop, requestCut, requestTake } from "./loop.ts";
import { findTakeCurves, findTakeLikeness } from "./measure_queries.ts";
import { forecast } from "./forecast.ts";
import { nextStep } from "./planner.ts";
import * as queries from "./queries.ts";

/** The clip, if the actor may do `permission` in its project. */
export async function openClip(
  db: Queryable,
  actor: Actor,
  clipId: string,
  permission: Permission,
): Promise<Clip> {
  const clip = await queries.findClip(db, clipId);
  await requireAccess(db, actor, clip?.projectId, permission, "clip");
  if (!clip) throw notFound("clip");
  return clip;
}

export async function openClipState(db: Queryable, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "project.read");
  return {
    ...clip,
    segments: await queries.listSegments(db, clipId),
    cuts: await queries.listCuts(db, clipId),
  };
}

/** A cut and its clip, if the actor may do `permission` in the project. */
export async function openCut(
  db: Queryable,
  actor: Actor,
  cutId: string,
  permission: Permission,
): Promise<{ cut: Cut; clip: Clip }> {
  const cut = await queries.findCut(db, cutId);
  const clip = cut ? await queries.findClip(db, cut.clipId) : undefined;
  await requireAccess(db, actor, clip?.projectId, permission, "cut");
  if (!cut || !clip) throw notFound("cut");
  return { cut, clip };
}

export async function listClips(
  db: Db,
  actor: Actor,
  sceneId: string,
  query: PageQuery,
): Promise<{ items: Clip[]; next?: string }> {
  await openScene(db, actor, sceneId, "project.read");
  return cutPage(await queries.listClips(db, sceneId, query), query.limit);
}

export async function createClip(db: Db, actor: Actor, sceneId: string, input: ClipInput): Promise<Clip> {
  const scene = await openScene(db, actor, sceneId, "clip.edit");
  const character = await openCharacter(db, actor, input.characterId, "project.read");
  if (character.projectId !== scene.projectId) {
    throw new AppError("conflict", "The character belongs to another project: choose one of this project");
  }
  await checkSeeds(db, actor, input.characterId, input);
  if (input.workflowVersionId) await chooseVersion(db, "image_to_video", input.workflowVersionId);
  const clipId = input.id ?? newId<"clip">();
  await transact(db, async (tx) => {
    const row = {
      ...input,
      id: clipId,
      projectId: scene.projectId,
      sceneId,
      randomSeed: input.randomSeed ?? randomSeed(),
    };
    if (!await queries.insertClip(tx, row, actor)) return;
    await audit(tx, actor, "clip.create", {
      projectId: scene.projectId,
      subject: ["clip", clipId],
      facts: { ...input },
    });
    await announceClip(tx, { id: clipId, projectId: scene.projectId, sceneId });
  });
  const clip = await openClip(db, actor, clipId, "project.read");
  if (clip.sceneId !== sceneId) {
    throw new AppError("conflict", "A clip with this id is in another scene: use a new id");
  }
  return clip;
}

async function checkSeeds(
  db: Queryable,
  actor: Actor,
  characterId: string,
  given: { portraitSeedId?: string | null | undefined; heroSeedId?: string | null | undefined },
): Promise<void> {
  const wanted = [["portrait", given.portraitSeedId], ["foundation", given.heroSeedId]] as const;
  for (const [kind, seedId] of wanted) {
    if (!seedId) continue;
    const seed = await openSeed(db, actor, seedId, "asset.read");
    if (seed.characterId !== characterId || seed.kind !== kind) {
      throw new AppError(
        "conflict",
        `The ${
          kind === "portrait" ? "portrait" : "hero"
        } must be a ${kind} of the clip's character: choose another`,
      );
    }
  }
}

const RUNNING: readonly ClipStatus[] = ["generating", "stitching"];

export async function changeClip(db: Db, actor: Actor, clipId: string, change: ClipChange): Promise<Clip> {
  const before = await openClip(db, actor, clipId, "clip.edit");
  if (RUNNING.includes(before.status)) {
    throw new AppError("conflict", `The clip is ${before.status}: pause it before you change it`);
  }
  if (before.status === "final" && Object.keys(change).some((key) => key !== "name" && key !== "position")) {
    throw new AppError("conflict", "The clip is final: undo the finalization before you change it");
  }
  await checkSeeds(db, actor, before.characterId, change);
  if (change.workflowVersionId) await chooseVersion(db, "image_to_video", change.workflowVersionId);
  await transact(db, async (tx) => {
    await queries.updateClip(tx, clipId, change);
    const isAnother = change.heroSeedId !== undefined && change.heroSeedId !== before.heroSeedId;
    if (isAnother) await queries.dropLaterTakes(tx, clipId, 0);
    if (change.trash !== undefined) {
      await queries.setClipStatus(tx, clipId, change.trash ? "trashed" : "draft");
    }
    await audit(tx, actor, "clip.change", {
      projectId: before.projectId,
      subject: ["clip", clipId],
      facts: { before, change },
    });
    await announceClip(tx, before);
  });
  return await openClip(db, actor, clipId, "project.read");
}

/** What generating would do now. */
export async function planClip(db: Db, actor: Actor, clipId: string): Promise<Plan> {
  const clip = await openClip(db, actor, clipId, "project.read");
  const version = await chooseVersion(db, "image_to_video", clip.workflowVersionId);
  const loop = await openLoop(db, clip, version);
  const { frames } = acceptedFrames(await queries.listLoopTakes(db, clipId));
  const plan = forecast(loop, frames);
  const project = await findProjectFacts(db, clip.projectId);
  const size = fitSize(version.manifest.constraints, project.widthPx, project.heightPx);
  return {
    summary: plan.summary,
    askedFrames: plan.askedFrames,
    generatedFrames: plan.generatedTotal,
    rate: loop.conform.rate,
    nativeRate: loop.conform.nativeRate,
    conform: loop.conform.method,
    bound: plan.bound,
    workflowVersionId: version.id,
    workflowTitle: version.manifest.title,
    isCpuPreview: version.manifest.cpuPreview,
    widthPx: size.width,
    heightPx: size.height,
    segments: plan.segments.map((segment) => ({ ...segment })),
  };
}

/** Starts the loop, or goes on with it. */
export async function generateClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  if (clip.status === "final") {
    throw new AppError("conflict", "The clip is final: undo the finalization before you generate again");
  }
  await requireApprovedHero(db, actor, clip);
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const fresh = await queries.findClip(tx, clipId);
    if (!fresh || RUNNING.includes(fresh.status)) return;
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

export async function pauseClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const fresh = await queries.findClip(tx, clipId);
    if (fresh?.status !== "generating") {
      throw new AppError(
        "conflict",
        `The clip is ${fresh?.status.replace("_", " ")}: only a generating clip can be paused`,
      );
    }
    await queries.setClipStatus(tx, clipId, "paused");
    await audit(tx, actor, "clip.pause", { projectId: clip.projectId, subject: ["clip", clipId] });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clipId);
}

async function openSegment(db: Queryable, actor: Actor, segmentId: string, permission: Permission) {
  const found = await queries.findClipOfSegment(db, segmentId);
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
    if (change.prompt !== undefined) {
      await tx`update segments set prompt = ${change.prompt} where id = ${segmentId}`;
    }
    if (change.isLocked !== undefined) {
      await tx`update segments set locked_at = ${
        change.isLocked ? new Date() : null
      } where id = ${segmentId}`;
    }
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
    await queries.lockClip(tx, clip.id);
    const { version, loop, chain } = await openRunnable(tx, clip.id);
    await refuseLocked(tx, clip.id, index);
    await queries.dropLaterTakes(tx, clip.id, index - 1);
    const kept = chain.slice(0, index - 1);
    const step = nextStep(loop, kept.map((take) => (take.endFrame ?? 0) + 1));
    if (step.kind !== "generate" || step.index !== index - 1) {
      throw new AppError(
        "conflict",
        `Segment ${index} is not part of the clip any more: the ones before it fill it`,
      );
    }
    await queries.setClipStatus(tx, clip.id, "generating");
    await requestTake(tx, {
      clip,
      version,
      loop,
      step,
      previous: kept.at(-1),
      actor,
      randomSeed: input.randomSeed,
    });
    await audit(tx, actor, "segment.reroll", {
      projectId: clip.projectId,
      subject: ["segment", segmentId],
      facts: { ...input },
    });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clip.id);
}

/** The clip's loop, when nothing of it runs and it may change. */
async function openRunnable(tx: Tx, clipId: string) {
  const clip = await queries.findClip(tx, clipId);
  if (!clip?.workflowVersionId) {
    throw new AppError("conflict", "The clip has not been generated yet: generate it first");
  }
  if (clip.status === "final") {
    throw new AppError("conflict", "The clip is final: undo the finalization first");
  }
  const takes = await queries.listLoopTakes(tx, clipId);
  if (
    RUNNING.includes(clip.status) ||
    takes.some((take) => ["generating", "ingesting", "measuring"].includes(take.status))
  ) {
    throw new AppError("conflict", "The clip is at work: wait for the running step, or pause the clip first");
  }
  const version = await openVersion(tx, clip.workflowVersionId);
  const loop = await openLoop(tx, clip, version);
  return { clip, version, loop, takes, chain: acceptedFrames(takes).chain };
}

async function refuseLocked(tx: Tx, clipId: string, fromIndex: number): Promise<void> {
  const [locked] = await tx<{ index: number }[]>`
    select index from segments where clip_id = ${clipId} and index >= ${fromIndex} and locked_at is not null order by index limit 1`;
  if (locked) {
    throw new AppError(
      "conflict",
      `Segment ${locked.index} is locked: unlock it, since it would be planned again`,
    );
  }
}

export async function chooseTake(db: Db, actor: Actor, takeId: string): Promise<ClipState> {
  const take = await queries.findLoopTake(db, takeId);
  const clip = take ? await queries.findClip(db, take.clipId) : undefined;
  await requireAccess(db, actor, clip?.projectId, "clip.edit", "take");
  if (!take || !clip) throw notFound("take");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clip.id);
    const { takes } = await openRunnable(tx, clip.id);
    if (!["ready", "rejected"].includes(take.status) || take.endFrame === null) {
      throw new AppError("conflict", `This take is ${take.status}: choose one that is ready`);
    }
    await refuseLocked(tx, clip.id, take.segmentIndex + 1);
    const chosen = takes.find((each) => each.segmentId === take.segmentId && each.isChosen);
    if (chosen?.id !== take.id) {
      if (take.status === "rejected") await queries.setTakeStatus(tx, take.id, "ready");
      await queries.chooseTake(tx, take);
      await queries.setSegmentReady(tx, take.segmentId);
      await queries.dropLaterTakes(tx, clip.id, take.segmentIndex);
      await audit(tx, actor, "take.choose", {
        projectId: clip.projectId,
        subject: ["take", take.id],
        facts: { before: chosen?.id ?? null },
      });
    }
    await queries.setClipStatus(tx, clip.id, "generating");
    await advance(tx, clip.id, actor);
  });
  return await openClipState(db, actor, clip.id);
}

export async function stitchClip(db: Db, actor: Actor, clipId: string): Promise<ClipState> {
  const clip = await openClip(db, actor, clipId, "generate");
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const { clip: fresh, loop, chain } = await openRunnable(tx, clipId);
    const step = nextStep(loop, chain.map((take) => (take.endFrame ?? 0) + 1));
    if (step.kind !== "done") {
      throw new AppError("conflict", "The clip is not complete: generate its missing segments first");
    }
    await requestCut(tx, fresh, loop, chain, actor);
    await queries.setClipStatus(tx, clipId, "stitching");
    await audit(tx, actor, "cut.stitch", { projectId: clip.projectId, subject: ["clip", clipId] });
    await announceClip(tx, clip);
  });
  return await openClipState(db, actor, clipId);
}

export async function openTakeMeasures(db: Db, actor: Actor, takeId: string) {
  const take = await queries.findLoopTake(db, takeId);
  const clip = take ? await queries.findClip(db, take.clipId) : undefined;
  await requireAccess(db, actor, clip?.projectId, "asset.read", "take");
  if (!take) throw notFound("take");
  return {
    curves: await findTakeCurves(db, takeId) ?? null,
    likeness: await findTakeLikeness(db, takeId) ?? null,
  };
}

export const { setClipStatus, setCutStatus, listCuts } = queries;
export { announceClip };
