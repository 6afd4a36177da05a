import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { framesToHourOne, reduceRate } from "#server/core/media_time.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission, RoleCode } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { type Project, type ProjectCard, projectChanged, type ProjectInput } from "./contract.ts";
import * as queries from "./queries.ts";

/**
 * The only way from a project's id to the right to act in it. A stranger gets the same "not found" as for an id
 * that is nobody's; a member without the permission is told so.
 */
export async function openProject(
  db: Queryable,
  actor: Actor,
  projectId: string,
  permission: Permission,
): Promise<Project> {
  await requireAccess(db, actor, projectId, permission);
  const project = await queries.findProject(db, projectId);
  if (!project) throw notFound("project");
  return project;
}

/** openProject() without reading the project: for things that were found by their own id. */
export async function requireAccess(
  db: Queryable,
  actor: Actor,
  projectId: string | null | undefined,
  permission: Permission,
  thing = "project",
): Promise<void> {
  const access = projectId ? await queries.findAccess(db, actor, projectId, permission) : undefined;
  judgeAccess(access, actor, permission, thing);
}

/** What requireAccess() makes of what selectAccess() found. */
export function judgeAccess(
  access: queries.Access | undefined,
  actor: Actor,
  permission: Permission,
  thing = "project",
): void {
  if (!access) throw notFound(thing);
  if (!actor.permissions.has(permission) || !access.isAllowed) {
    throw new AppError(
      "forbidden",
      `Your role in this project does not allow "${permission}": ask one of its members who may`,
    );
  }
  if (access.status !== "active" && !permission.endsWith(".read") && permission !== "project.edit") {
    throw new AppError(
      "conflict",
      `The project is ${access.status}: restore it before you change anything in it`,
    );
  }
}

/** openProject() for people who look at it: with counts, a picture and what they are in it. */
export async function openCard(db: Queryable, actor: Actor, projectId: string): Promise<ProjectCard> {
  await requireAccess(db, actor, projectId, "project.read");
  const card = await queries.findCard(db, actor, projectId);
  if (!card) throw notFound("project");
  return card;
}

/** The project, for work that the studio does by itself: the right to it was checked when the work was asked for. */
export async function findProjectFacts(db: Queryable, projectId: string): Promise<Project> {
  const project = await queries.findProject(db, projectId);
  if (!project) throw notFound("project");
  return project;
}

export async function listProjects(
  db: Db,
  actor: Actor,
  query: PageQuery & { readonly trash?: "only" | undefined },
): Promise<{ items: ProjectCard[]; next?: string }> {
  return cutPage(await queries.listProjects(db, actor, query), query.limit);
}

/** Rows were read one beyond the limit: whether that one is there says whether there is a next page. */
export function cutPage<Row extends { readonly id: string }>(
  rows: Row[],
  limit: number,
): { items: Row[]; next?: string } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: last.id } : { items };
}

export async function createProject(db: Db, actor: Actor, input: ProjectInput): Promise<Project> {
  const projectId = input.id ?? newId<"project">();
  const rate = reduceRate(input.rate);
  await transact(db, async (tx) => {
    const row = { ...input, rate, startFrame: framesToHourOne(rate) };
    if (!await queries.insertProject(tx, projectId, row, actor)) {
      if (await queries.findAccess(tx, actor, projectId, "project.read")) return;
      throw new AppError("conflict", "Cannot make the project: its id belongs to another one. Use a new id");
    }
    await audit(tx, actor, "project.create", {
      projectId,
      subject: ["project", projectId],
      facts: { name: input.name },
    });
    await announce(tx, projectChanged, `user:${actor.userId}`, { projectId });
  });
  return await openProject(db, actor, projectId, "project.read");
}

/** Where a project is changed. */
export interface ProjectPlace {
  readonly db: Db;
  /** Brings the documents that tell of the project up to date, in its transaction: they lie in a slice above this one. */
  readonly renewDocuments: (tx: Tx, projectId: string) => Promise<void>;
}

export async function changeProject(
  { db, renewDocuments }: ProjectPlace,
  actor: Actor,
  projectId: string,
  change: Parameters<typeof queries.updateProject>[2],
): Promise<Project> {
  const before = await openProject(db, actor, projectId, "project.edit");
  await transact(db, async (tx) => {
    await queries.updateProject(tx, projectId, change);
    await renewDocuments(tx, projectId);
    await audit(tx, actor, "project.change", {
      projectId,
      subject: ["project", projectId],
      facts: { before, change },
    });
    await announce(tx, projectChanged, `project:${projectId}`, { projectId });
  });
  return await openProject(db, actor, projectId, "project.read");
}

export async function listMembers(db: Db, actor: Actor, projectId: string): Promise<queries.MemberRow[]> {
  await requireAccess(db, actor, projectId, "project.read");
  return await queries.listMembers(db, projectId);
}

export async function setMember(
  db: Db,
  actor: Actor,
  projectId: string,
  userId: string,
  role: RoleCode,
): Promise<queries.MemberRow> {
  await requireAccess(db, actor, projectId, "project.members");
  if (role === "admin" && actor.roleCode !== "admin") {
    throw new AppError("forbidden", "Only an admin can make someone an admin of a project");
  }
  await transact(db, async (tx) => {
    if (!await queries.upsertMember(tx, projectId, userId, role, actor)) throw notFound("user");
    await audit(tx, actor, "project.member_set", { projectId, subject: ["user", userId], facts: { role } });
    await announceMember(tx, projectId, userId);
  });
  const [member] = await queries.listMembers(db, projectId, userId);
  if (!member) throw notFound("user");
  return member;
}

export async function removeMember(db: Db, actor: Actor, projectId: string, userId: string): Promise<void> {
  await requireAccess(db, actor, projectId, "project.members");
  await transact(db, async (tx) => {
    if (!await queries.deleteMember(tx, projectId, userId)) throw notFound("member");
    await audit(tx, actor, "project.member_remove", { projectId, subject: ["user", userId] });
    await announceMember(tx, projectId, userId);
  });
}

/** Whoever was added does not hear the project yet, and who was removed no more: their own topic tells them. */
async function announceMember(tx: Tx, projectId: string, userId: string): Promise<void> {
  await announce(tx, projectChanged, `project:${projectId}`, { projectId });
  await announce(tx, projectChanged, `user:${userId}`, { projectId });
}

export const { selectAccess } = queries;
export type { Access } from "./queries.ts";
