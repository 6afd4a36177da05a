import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Rate } from "#server/core/media_time.ts";
import { Name } from "#server/core/name.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { RoleCode } from "#server/core/permissions.ts";
import { SpriteLayout } from "#server/core/sprite_layout.ts";
import { Instant } from "#server/core/time.ts";

export const ProjectStatus = z.enum(["active", "archived", "trashed"]);

const Side = z.int().check(z.minimum(64), z.maximum(8192), z.multipleOf(2, "must be even"));

export const Project = z.object({
  id: id("project"),
  name: z.string(),
  status: ProjectStatus,
  rate: Rate,
  widthPx: z.int(),
  heightPx: z.int(),
  /** Timecode of the first frame, as a frame count at the project's rate. */
  startFrame: z.int(),
  createdAt: Instant,
});
export type Project = z.infer<typeof Project>;

/** A project as one picks it out of many. */
export const ProjectCard = z.extend(Project, {
  /** What the reader is in it; admins enter every project. */
  role: RoleCode,
  members: z.int(),
  characters: z.int(),
  clips: z.int(),
  /** The newest hero, else the newest portrait. */
  coverAssetId: z.nullable(id("asset")),
  /** The newest final cut of its clips, else the newest one; null while there is none. */
  film: z.nullable(z.object({ assetId: id("asset"), sprite: z.nullable(SpriteLayout) })),
});
export type ProjectCard = z.infer<typeof ProjectCard>;

const ProjectInput = z.object({
  id: z.optional(id("project")),
  name: Name,
  rate: z._default(Rate, { num: 24, den: 1 }),
  widthPx: z._default(Side, 1280),
  heightPx: z._default(Side, 720),
});
export type ProjectInput = z.infer<typeof ProjectInput>;

export const ProjectMember = z.object({
  userId: id("user"),
  login: z.string(),
  displayName: z.string(),
  role: RoleCode,
  addedAt: Instant,
});
export type ProjectMember = z.infer<typeof ProjectMember>;

const projectParams = z.object({ projectId: id("project") });

export const listProjects = endpoint({
  method: "GET",
  path: "/projects",
  can: "project.read",
  summary: "Projects one is a member of, newest first: all but those in the trash, or only these",
  query: z.extend(IdPageQuery, { trash: z.optional(z.enum(["only"])) }),
  reply: page(ProjectCard),
});

export const createProject = endpoint({
  method: "POST",
  path: "/projects",
  can: "project.create",
  summary: "Make a project; its maker becomes a member. The same id twice is the same project",
  body: ProjectInput,
  reply: Project,
  status: 201,
});

export const getProject = endpoint({
  method: "GET",
  path: "/projects/:projectId",
  can: "project.read",
  summary: "One project",
  params: projectParams,
  reply: ProjectCard,
});

export const changeProject = endpoint({
  method: "PATCH",
  path: "/projects/:projectId",
  can: "project.edit",
  summary: "Rename a project, change its frame size, archive or trash it",
  params: projectParams,
  body: z.object({
    name: z.optional(Name),
    widthPx: z.optional(Side),
    heightPx: z.optional(Side),
    status: z.optional(ProjectStatus),
  }),
  reply: Project,
});

export const listMembers = endpoint({
  method: "GET",
  path: "/projects/:projectId/members",
  can: "project.read",
  summary: "Members of a project",
  params: projectParams,
  reply: z.array(ProjectMember),
});

export const setMember = endpoint({
  method: "PUT",
  path: "/projects/:projectId/members/:userId",
  can: "project.members",
  summary: "Add a member or change the role in this project",
  params: z.object({ projectId: id("project"), userId: id("user") }),
  body: z.object({ role: RoleCode }),
  reply: ProjectMember,
});

export const removeMember = endpoint({
  method: "DELETE",
  path: "/projects/:projectId/members/:userId",
  can: "project.members",
  summary: "Take a member out of a project",
  params: z.object({ projectId: id("project"), userId: id("user") }),
});

export const projectChanged = eventKind("project.changed", z.object({ projectId: z.string() }));
