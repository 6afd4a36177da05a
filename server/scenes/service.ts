import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { timecode } from "#server/core/media_time.ts";
import { workOf } from "#server/core/work.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import { makeProxy } from "#server/assets/job_kinds.ts";
import { addAsset, recordInspection } from "#server/assets/service.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { submitJob } from "#server/jobs/service.ts";
import type { JobFailure, SettledJob } from "#server/jobs/settle.ts";
import { announce } from "#server/live/announce.ts";
import { renewDocuments } from "#server/metadata/service.ts";
import { cutPage, openProject, requireAccess } from "#server/projects/service.ts";
import { type Master, masterChanged, type Scene, sceneChanged } from "./contract.ts";
import { assembleMaster } from "./job_kinds.ts";
import * as queries from "./queries.ts";

/** Where a scene's facts are written, and the documents that tell them. */
export interface ScenePlace {
  readonly db: Db;
  readonly store: FileStore;
}

/** The scene, if the actor may do `permission` in its project. */
export async function openScene(
  db: Queryable,
  actor: Actor,
  sceneId: string,
  permission: Permission,
): Promise<Scene> {
  const scene = await queries.findScene(db, sceneId);
  await requireAccess(db, actor, scene?.projectId, permission, "scene");
  if (!scene) throw notFound("scene");
  return scene;
}

export async function listScenes(
  db: Db,
  actor: Actor,
  projectId: string,
  query: PageQuery,
): Promise<{ items: Scene[]; next?: string }> {
  await requireAccess(db, actor, projectId, "project.read");
  return cutPage(await queries.listScenes(db, projectId, query), query.limit);
}

export async function createScene(
  db: Db,
  actor: Actor,
  projectId: string,
  input: { id?: string | undefined; name: string },
): Promise<Scene> {
  await requireAccess(db, actor, projectId, "clip.edit");
  const sceneId = input.id ?? newId<"scene">();
  await transact(db, async (tx) => {
    if (!await queries.insertScene(tx, { id: sceneId, projectId, name: input.name }, actor)) return;
    await audit(tx, actor, "scene.create", {
      projectId,
      subject: ["scene", sceneId],
      facts: { name: input.name },
    });
    await announce(tx, sceneChanged, `project:${projectId}`, { sceneId });
  });
  const scene = await openScene(db, actor, sceneId, "project.read");
  if (scene.projectId !== projectId) {
    throw new AppError("conflict", "A scene with this id is in another project: use a new id");
  }
  return scene;
}

export async function changeScene(
  { db, store }: ScenePlace,
  actor: Actor,
  sceneId: string,
  change: queries.SceneChange,
): Promise<Scene> {
  const before = await openScene(db, actor, sceneId, "clip.edit");
  await transact(db, async (tx) => {
    await queries.updateScene(tx, sceneId, change);
    await renewDocuments({ db: tx, store }, { sceneId });
    await audit(tx, actor, "scene.change", {
      projectId: before.projectId,
      subject: ["scene", sceneId],
      facts: { before, change },
    });
    await announce(tx, sceneChanged, `project:${before.projectId}`, { sceneId });
  });
  return await openScene(db, actor, sceneId, "project.read");
}

export async function listMasters(
  db: Db,
  actor: Actor,
  sceneId: string,
  query: PageQuery,
): Promise<{ items: Master[]; next?: string }> {
  await openScene(db, actor, sceneId, "asset.read");
  return cutPage(await queries.listMasters(db, sceneId, query), query.limit);
}

export async function openMaster(
  db: Queryable,
  actor: Actor,
  masterId: string,
  permission: Permission,
): Promise<Master> {
  const master = await queries.findMaster(db, masterId);
  await requireAccess(db, actor, master?.projectId, permission, "master");
  if (!master) throw notFound("master");
  return master;
}

/** Queues a new master of the scene's final cuts in order. Refused with the list while a clip is not final. */
export async function assembleScene(
  db: Db,
  actor: Actor,
  sceneId: string,
  input: { id?: string | undefined },
): Promise<Master> {
  const scene = await openScene(db, actor, sceneId, "delivery.create");
  const masterId = input.id ?? newId<"master">();
  await transact(db, async (tx) => {
    await queries.lockScene(tx, sceneId);
    await queries.lockClips(tx, sceneId);
    const project = await openProject(tx, actor, scene.projectId, "delivery.create");
    const there = await queries.findMaster(tx, masterId);
    if (there?.sceneId === sceneId) return;
    requireActive(await queries.findScene(tx, sceneId));
    const items = requireFinals(await queries.listItems(tx, sceneId));
    const frames = items.reduce((sum, item) => sum + item.frames, 0);
    const master = {
      id: masterId,
      sceneId,
      rate: project.rate,
      widthPx: project.widthPx,
      heightPx: project.heightPx,
      frames,
    };
    if (!await queries.insertMaster(tx, master, actor)) {
      throw new AppError("conflict", "Cannot assemble: the id belongs to another master. Use a new id");
    }
    let firstFrame = 0;
    for (const [position, item] of items.entries()) {
      await queries.insertMasterItem(tx, {
        masterId,
        position: position + 1,
        cutId: item.cutId,
        firstFrame,
        frameCount: item.frames,
      });
      firstFrame += item.frames;
    }
    await submitJob(tx, {
      kind: assembleMaster,
      input: {
        items: items.map(({ file, frames: frameCount }) => ({ file, frameCount })),
        rate: project.rate,
        widthPx: project.widthPx,
        heightPx: project.heightPx,
        startTimecode: timecode(project.startFrame, project.rate),
        title: `${project.name} ${scene.name}`,
      },
      projectId: scene.projectId,
      userId: actor.userId,
      subject: { masterId },
    });
    await audit(tx, actor, "master.assemble", {
      projectId: scene.projectId,
      subject: ["master", masterId],
      facts: { sceneId, frames },
    });
    await announce(tx, masterChanged, `project:${scene.projectId}`, { masterId, sceneId });
  });
  return await openMaster(db, actor, masterId, "asset.read");
}

function requireActive(scene: Scene | undefined): void {
  if (scene?.status === "active") return;
  throw new AppError("conflict", "Cannot assemble: the scene is in the trash. Restore it first");
}

function requireFinals(items: queries.SceneItem[]) {
  if (items.length === 0) {
    throw new AppError("conflict", "The scene has no clips: add one and finalize it first");
  }
  const open = items.filter((item) => !item.cutId || !item.file || item.frames === null);
  if (open.length > 0) {
    throw new AppError(
      "conflict",
      `These clips have no final cut: ${open.map((item) => item.clipName).join(", ")}. Finalize them first`,
      {
        details: { clipIds: open.map((item) => item.clipId) },
      },
    );
  }
  return items.flatMap(({ cutId, file, frames }) =>
    cutId && file && frames !== null ? [{ cutId, file, frames }] : []
  );
}

export async function onMasterAssembled(
  tx: Tx,
  job: SettledJob,
  made: z.output<typeof assembleMaster["output"]>,
): Promise<void> {
  const master = job.masterId ? await queries.findMaster(tx, job.masterId) : undefined;
  if (master?.status !== "assembling") return;
  if (made.frameCount !== master.frames) {
    const message = `it has ${made.frameCount} frames where its clips have ${master.frames}`;
    return await onMasterFailed(tx, job, { failureClass: "bad_output", message });
  }
  const scene = await queries.findScene(tx, master.sceneId);
  const assetId = await addAsset(tx, {
    projectId: master.projectId,
    file: made.master,
    kind: "master",
    retention: "protected",
    name: `${fileName(scene?.name ?? "scene")}_master_v${String(master.number).padStart(3, "0")}.mp4`,
    createdById: job.userId,
  });
  await queries.finishMaster(tx, master.id, assetId, made.method);
  await recordInspection(tx, made.master.hash, { facts: made.facts });
  // Joined without being decoded, so nothing to look at came with it. The master is ready without.
  await submitJob(tx, {
    kind: makeProxy,
    work: workOf({ width: master.widthPx, height: master.heightPx, frames: master.frames }),
    input: { file: made.master, rate: master.rate, frameCount: master.frames },
    projectId: master.projectId,
    userId: job.userId,
    subject: { fileHash: made.master.hash },
  });
  await announce(tx, masterChanged, `project:${master.projectId}`, {
    masterId: master.id,
    sceneId: master.sceneId,
  });
}

export async function onMasterFailed(tx: Tx, job: SettledJob, failure: JobFailure): Promise<void> {
  const master = job.masterId ? await queries.findMaster(tx, job.masterId) : undefined;
  if (master?.status !== "assembling") return;
  await queries.failMaster(tx, master.id, failure.message);
  await announce(tx, masterChanged, `project:${master.projectId}`, {
    masterId: master.id,
    sceneId: master.sceneId,
  });
}

export async function onMasterRetried(tx: Tx, job: SettledJob): Promise<void> {
  const master = job.masterId ? await queries.findMaster(tx, job.masterId) : undefined;
  if (master?.status !== "failed") return;
  await queries.reopenMaster(tx, master.id);
  await announce(tx, masterChanged, `project:${master.projectId}`, {
    masterId: master.id,
    sceneId: master.sceneId,
  });
}

/** A name that every file system and edit program takes: ASCII letters, digits, dash and underscore. */
export function fileName(name: string): string {
  return name.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(
    /^_+|_+$/g,
    "",
  ).slice(0, 60) ||
    "untitled";
}

export const { lockScene } = queries;
