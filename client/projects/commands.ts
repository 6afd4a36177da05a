import { session } from "#client/auth/session_store.ts";
import type { Command } from "#client/core/commands.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { tell } from "#client/core/notices.ts";
import { go, projectId } from "#client/core/place.ts";
import type { Project, ProjectCard, ProjectMember } from "#server/projects/contract.ts";
import { noteMember, noteProject } from "./changes.ts";
import { membersOf } from "./member_store.ts";
import { projectStore, trashedProjects } from "./project_store.ts";
import { w } from "./words.ts";

/** What the page of projects asks one to fill in. */
export type ProjectAsk = { readonly kind: "create" } | { readonly kind: "rename"; readonly project: Project };

const asked = keptSignal<ProjectAsk | undefined>("projects_ask", undefined);
const isAdding = keptSignal("projects_adding_member", false);
const isTrash = keptSignal("projects_trash", false);
const picked = keptSignal<string | undefined>("projects_picked", undefined);

/** The form that is open, if any. */
export function projectAsk(): ProjectAsk | undefined {
  return asked.get();
}

export function closeProjectAsk(): void {
  asked.set(undefined);
}

/** The project that has the keyboard in the list; commands take it before the open one. */
export function pickProject(id: string | undefined): void {
  picked.set(id);
}

export function pickedProject(): string | undefined {
  return picked.get();
}

/** Whether the page of projects lists the trash. */
export function isTrashShown(): boolean {
  return isTrash.get();
}

/** Whether the page of members asks whom to add. */
export function isAddingMember(): boolean {
  return isAdding.get();
}

export function closeAddingMember(): void {
  isAdding.set(false);
}

function projectFor(target: unknown): ProjectCard | undefined {
  if (typeof target === "object" && target !== null) return target as ProjectCard; // What a tile stands for.
  const id = picked.get() ?? projectId() ?? "";
  return projectStore.find(id) ?? trashedProjects.find(id);
}

/** Opens a project where its work is. */
export function openProject(id: string): void {
  go({ projectId: id, screen: "characters" });
}

async function changeStatus(project: ProjectCard, status: Project["status"]): Promise<void> {
  const before = project.status;
  const now = { ...project, status };
  projectStore.put(project);
  const texts = { trashed: "trashed", archived: "archivedTold", active: "restored" } as const;
  const { id, name } = project;
  const text = w(texts[status], { name });
  const undo = noteProject(text, { projectId: id, id, before: { status: before }, after: { status } });
  await undo.settle(projectStore.change(id, { status }));
  for (const shelf of [projectStore, trashedProjects]) shelf.put(now);
  tell({ kind: "done", text, undo });
}

function isAtWork(project: ProjectCard | undefined): boolean {
  return project !== undefined && project.status !== "trashed";
}

const group = () => w("projects");
const needsProject = () => w("needsProject");
const SCOPE = "projects";

export const projectCommands: readonly Command[] = [
  {
    id: "projects.create",
    label: () => w("createProject"),
    group,
    icon: "plus",
    keys: ["n"],
    scope: [SCOPE, "first_run"],
    permission: "project.create",
    run: () => {
      // From the palette one may be anywhere: the form shows on the page of projects.
      go({ screen: "projects" });
      asked.set({ kind: "create" });
    },
  },
  {
    id: "projects.show",
    label: () => w("projects"),
    group,
    icon: "folder",
    permission: "project.read",
    run: () => go({ screen: "projects" }),
  },
  {
    id: "projects.open",
    label: () => w("openProject"),
    group,
    icon: "folderOpen",
    permission: "project.read",
    when: (target) => isAtWork(projectFor(target)),
    whyNot: (target) => projectFor(target) ? w("needsRestored") : w("needsProject"),
    run: (target) => {
      const project = projectFor(target);
      if (project) openProject(project.id);
    },
  },
  {
    id: "projects.show_trash",
    label: () => w("trash"),
    group,
    icon: "trash",
    permission: "project.read",
    isOn: isTrashShown,
    run: () => {
      isTrash.set(!isTrash.get());
      picked.set(undefined);
      go({ screen: "projects" });
    },
  },
  {
    id: "projects.rename",
    label: () => w("renameProject"),
    group,
    icon: "edit",
    keys: ["f2"],
    scope: SCOPE,
    permission: "project.edit",
    when: (target) => projectFor(target)?.status === "active",
    whyNot: (target) => projectFor(target) ? w("needsActive") : w("needsProject"),
    run: (target) => {
      const project = projectFor(target);
      go({ screen: "projects" });
      if (project) asked.set({ kind: "rename", project });
    },
  },
  {
    id: "projects.archive",
    label: () => w("archiveProject"),
    group,
    icon: "archive",
    permission: "project.edit",
    when: (target) => projectFor(target)?.status === "active",
    whyNot: (target) => projectFor(target) ? w("needsActive") : w("needsProject"),
    run: async (target) => {
      const project = projectFor(target);
      if (project) await changeStatus(project, "archived");
    },
  },
  {
    id: "projects.restore",
    label: () => w("restoreProject"),
    group,
    icon: "restore",
    permission: "project.edit",
    when: (target) => (projectFor(target)?.status ?? "active") !== "active",
    whyNot: (target) => projectFor(target) ? w("needsArchived") : w("needsProject"),
    run: async (target) => {
      const project = projectFor(target);
      if (project) await changeStatus(project, "active");
    },
  },
  {
    id: "projects.trash",
    label: () => w("trashProject"),
    group,
    icon: "trash",
    keys: ["delete"],
    scope: SCOPE,
    isDanger: true,
    permission: "project.edit",
    when: (target) => isAtWork(projectFor(target)),
    whyNot: (target) => projectFor(target) ? w("needsRestored") : w("needsProject"),
    run: async (target) => {
      const project = projectFor(target);
      if (project) await changeStatus(project, "trashed");
    },
  },
  {
    id: "members.show",
    label: () => w("members"),
    group,
    icon: "users",
    permission: "project.read",
    when: () => projectId() !== undefined,
    whyNot: needsProject,
    run: () => go({ screen: "members" }),
  },
  {
    id: "members.add",
    label: () => w("addMember"),
    group,
    icon: "userPlus",
    keys: ["n"],
    scope: "members",
    permission: "project.members",
    when: () => projectId() !== undefined,
    whyNot: needsProject,
    run: () => {
      go({ screen: "members" });
      isAdding.set(true);
    },
  },
  {
    id: "members.remove",
    label: () => w("removeMember"),
    group,
    icon: "close",
    permission: "project.members",
    when: (target) => target !== undefined && projectId() !== undefined,
    whyNot: needsProject,
    run: async (target) => {
      // Only a member's row stands beside this.
      const { userId, displayName, role } = target as ProjectMember;
      const project = projectId() ?? "";
      const text = w("removed", { name: displayName });
      const remove = () => membersOf(project).remove(userId);
      // Oneself one can't let in again.
      if (userId === session.me?.userId) {
        await remove();
        return void tell({ kind: "done", text });
      }
      const undo = noteMember(text, { projectId: project, userId, before: role, after: null });
      await undo.settle(remove());
      tell({ kind: "done", text, undo });
    },
  },
];
