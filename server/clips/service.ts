import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { openCharacter } from "#server/characters/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { renewDocuments } from "#server/metadata/service.ts";
import { cutPage, findProjectFacts, requireAccess } from "#server/projects/service.ts";
import { openScene } from "#server/scenes/service.ts";
import { openSeed, randomSeed } from "#server/seeds/service.ts";
import { fitSize } from "#server/workflows/bind.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import { chooseVersion, findBlockage } from "#server/workflows/service.ts";
import type {
  Clip,
  ClipCard,
  ClipChange,
  ClipInput,
  ClipState,
  Cut,
  MeasureLimits,
  Plan,
} from "./contract.ts";
import { listClipCards } from "./card_queries.ts";
import { GATE_LIMITS, LIKENESS_LIMITS } from "./gate_limits.ts";
import type { LikenessTrack } from "./job_kinds.ts";
import { restLimits } from "./judge_take.ts";
import { findCut, listCuts, setCutStatus } from "./cut_queries.ts";
import { findRemake, refuseLocked } from "./remake.ts";
import { isOpen, keptFrames, readRun } from "./run.ts";
import { forecast } from "./forecast.ts";
import { announceClip } from "./loop.ts";
import { findCutCurves, findCutLikeness, findTakeCurves, findTakeLikeness } from "./measure_queries.ts";
import { estimatePlan } from "./plan_estimate.ts";
import * as queries from "./queries.ts";
import { dropLaterTakes, findLoopTake, listLoopTakes, listSegments } from "./take_queries.ts";

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
    segments: await listSegments(db, clipId),
    cuts: await listCuts(db, clipId),
  };
}

/** A cut and its clip, if the actor may do `permission` in the project. */
export async function openCut(
  db: Queryable,
  actor: Actor,
  cutId: string,
  permission: Permission,
): Promise<{ cut: Cut; clip: Clip }> {
  const cut = await findCut(db, cutId);
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
): Promise<{ items: ClipCard[]; next?: string }> {
  await openScene(db, actor, sceneId, "project.read");
  return cutPage(await listClipCards(db, sceneId, query), query.limit);
}

export async function createClip(db: Db, actor: Actor, sceneId: string, input: ClipInput): Promise<Clip> {
  const scene = await openScene(db, actor, sceneId, "clip.edit");
  const character = await openCharacter(db, actor, input.characterId, "project.read");
  if (scene.status === "trashed") {
    throw new AppError("conflict", "Cannot add a clip: the scene is in the trash. Restore it first");
  }
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

/** What may change whatever the clip does: neither takes nor cuts depend on it. */
const FREE: readonly string[] = ["name", "position"];

/** Where a clip's facts are written, and the documents that tell them. */
export interface ClipPlace {
  readonly db: Db;
  readonly store: FileStore;
}

export async function changeClip(
  { db, store }: ClipPlace,
  actor: Actor,
  clipId: string,
  change: ClipChange,
): Promise<Clip> {
  const { characterId } = await openClip(db, actor, clipId, "clip.edit");
  await checkSeeds(db, actor, characterId, change);
  if (change.workflowVersionId) await chooseVersion(db, "image_to_video", change.workflowVersionId);
  await transact(db, async (tx) => {
    await queries.lockClip(tx, clipId);
    const before = await openClip(tx, actor, clipId, "clip.edit");
    if (Object.keys(change).some((key) => !FREE.includes(key))) await requireQuiet(tx, before, change);
    const { trash, ...facts } = change;
    await queries.updateClip(tx, clipId, facts);
    if (change.heroSeedId !== undefined && change.heroSeedId !== before.heroSeedId) {
      await refuseLocked(tx, clipId, 1);
      await dropLaterTakes(tx, clipId, 0);
    }
    if (trash !== undefined && trash !== (before.status === "trashed")) {
      await queries.setClipStatus(tx, clipId, trash ? "trashed" : "draft");
    }
    await renewDocuments({ db: tx, store }, { clipId });
    await audit(tx, actor, "clip.change", {
      projectId: before.projectId,
      subject: ["clip", clipId],
      facts: { before, change },
    });
    await announceClip(tx, before);
  });
  return await openClip(db, actor, clipId, "project.read");
}

async function requireQuiet(tx: Tx, clip: Clip, change: ClipChange): Promise<void> {
  if (clip.status === "generating" || clip.status === "stitching") {
    throw new AppError("conflict", `Cannot change the clip: it is ${clip.status}. Pause it or wait first`);
  }
  if ((await listLoopTakes(tx, clip.id)).some(isOpen)) {
    throw new AppError(
      "conflict",
      "Cannot change the clip: its last step still runs. Wait or cancel its job",
    );
  }
  if (clip.status === "final") {
    throw new AppError("conflict", "Cannot change the clip: it is final. Undo the finalization first");
  }
  if (clip.status === "trashed" && change.trash !== false) {
    throw new AppError("conflict", "Cannot change the clip: it is in the trash. Restore it first");
  }
}

async function readBlockage(db: Queryable, version: WorkflowVersion): Promise<Plan["blocked"]> {
  const found = await findBlockage(db, version);
  return found && { sentence: found.sentence, workers: found.workers.map((worker) => ({ ...worker })) };
}

/** What generating would do now. */
export async function planClip(db: Db, actor: Actor, clipId: string): Promise<Plan> {
  const clip = await openClip(db, actor, clipId, "project.read");
  const version = await chooseVersion(db, "image_to_video", clip.workflowVersionId);
  const run = await readRun(db, clip, version);
  const { loop } = run;
  // Where it can't be made again, the loop says so when it comes there.
  const remake = await findRemake(db, run).catch((error) => {
    if (error instanceof AppError) return undefined;
    throw error;
  });
  const plan = forecast(loop, keptFrames(run.chain), remake?.step);
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
    estimate: await estimatePlan(db, version.id, {
      ...size,
      takes: plan.segments.filter(({ state }) => state !== "accepted")
        .map(({ generateFrames }) => generateFrames ?? undefined),
      frames: plan.askedFrames,
    }),
    blocked: await readBlockage(db, version),
    widthPx: size.width,
    heightPx: size.height,
    segments: plan.segments.map((segment) => ({ ...segment })),
  };
}

export async function openTakeMeasures(db: Db, actor: Actor, takeId: string) {
  const { take } = await openTake(db, actor, takeId, "asset.read");
  const curves = await findTakeCurves(db, take.id) ?? null;
  const likeness = await findTakeLikeness(db, take.id) ?? null;
  const rest = curves && restLimits(curves);
  return { curves, likeness, limits: { rest, colour: GATE_LIMITS.colour, ...likenessLimits(likeness) } };
}

export async function openCutMeasures(db: Db, actor: Actor, cutId: string) {
  const { cut } = await openCut(db, actor, cutId, "asset.read");
  const curves = await findCutCurves(db, cut.id) ?? null;
  const likeness = await findCutLikeness(db, cut.id) ?? null;
  return { curves, likeness, limits: { rest: null, colour: null, ...likenessLimits(likeness) } };
}

function likenessLimits(likeness: LikenessTrack | null): Pick<MeasureLimits, "likeness"> {
  return { likeness: likeness && (LIKENESS_LIMITS[likeness.model.name] ?? null) };
}

/** A take and its clip, if the actor may do `permission` in the project. */
export async function openTake(db: Queryable, actor: Actor, takeId: string, permission: Permission) {
  const take = await findLoopTake(db, takeId);
  const clip = take ? await queries.findClip(db, take.clipId) : undefined;
  await requireAccess(db, actor, clip?.projectId, permission, "take");
  if (!take || !clip) throw notFound("take");
  return { take, clip };
}

export const { lockClip, setClipStatus } = queries;
export { announceClip, listCuts, setCutStatus };
