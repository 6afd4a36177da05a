import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Rate } from "#server/core/media_time.ts";
import { Name } from "#server/core/name.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";

export const SceneStatus = z.enum(["active", "trashed"]);
export const MasterStatus = z.enum(["assembling", "ready", "failed"]);
export const AssemblyMethod = z.enum(["copied", "conformed"]);

export const Scene = z.object({
  id: id("scene"),
  projectId: id("project"),
  name: z.string(),
  status: SceneStatus,
  position: z.int(),
  createdAt: Instant,
});
export type Scene = z.infer<typeof Scene>;

export const Master = z.object({
  id: id("master"),
  sceneId: id("scene"),
  projectId: id("project"),
  number: z.int(),
  status: MasterStatus,
  rate: Rate,
  widthPx: z.int(),
  heightPx: z.int(),
  frames: z.int(),
  method: z.nullable(AssemblyMethod),
  assetId: z.nullable(id("asset")),
  failure: z.nullable(z.string()),
  items: z.array(
    z.object({
      position: z.int(),
      cutId: id("cut"),
      clipName: z.string(),
      firstFrame: z.int(),
      frameCount: z.int(),
    }),
  ),
  createdAt: Instant,
});
export type Master = z.infer<typeof Master>;

const sceneParams = z.object({ sceneId: id("scene") });

export const listScenes = endpoint({
  method: "GET",
  path: "/projects/:projectId/scenes",
  can: "project.read",
  summary: "Scenes of a project, newest first",
  params: z.object({ projectId: id("project") }),
  query: IdPageQuery,
  reply: page(Scene),
});

export const createScene = endpoint({
  method: "POST",
  path: "/projects/:projectId/scenes",
  can: "clip.edit",
  summary: "Make a scene at the end of the project. The same id twice is the same scene",
  params: z.object({ projectId: id("project") }),
  body: z.object({ id: z.optional(id("scene")), name: Name }),
  reply: Scene,
  status: 201,
});

export const getScene = endpoint({
  method: "GET",
  path: "/scenes/:sceneId",
  can: "project.read",
  summary: "One scene",
  params: sceneParams,
  reply: Scene,
});

export const changeScene = endpoint({
  method: "PATCH",
  path: "/scenes/:sceneId",
  can: "clip.edit",
  summary: "Rename, move, trash or restore a scene",
  params: sceneParams,
  body: z.object({ name: z.optional(Name), position: z.optional(z.int()), status: z.optional(SceneStatus) }),
  reply: Scene,
});

export const assembleScene = endpoint({
  method: "POST",
  path: "/scenes/:sceneId/masters",
  can: "delivery.create",
  summary:
    "Assemble the scene's final clips, in order, to a new master. Refused while a clip has no final cut",
  params: sceneParams,
  body: z.object({ id: z.optional(id("master")) }),
  reply: Master,
  status: 202,
});

export const listMasters = endpoint({
  method: "GET",
  path: "/scenes/:sceneId/masters",
  can: "asset.read",
  summary: "Masters of a scene, newest first",
  params: sceneParams,
  query: IdPageQuery,
  reply: page(Master),
});

export const getMaster = endpoint({
  method: "GET",
  path: "/masters/:masterId",
  can: "asset.read",
  summary: "One master",
  params: z.object({ masterId: id("master") }),
  reply: Master,
});

export const sceneChanged = eventKind("scene.changed", z.object({ sceneId: z.string() }));
export const masterChanged = eventKind(
  "master.changed",
  z.object({ masterId: z.string(), sceneId: z.string() }),
);
