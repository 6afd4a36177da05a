import { type Changed, type Note, undoable, undoableChange } from "#client/core/undoable.ts";
import type { Project, ProjectMember } from "#server/projects/contract.ts";
import { membersOf } from "./member_store.ts";
import { projectStore } from "./project_store.ts";

type Change = Partial<Pick<Project, "name" | "status">>;

/** Notes another name of a project, or that it was made, archived, trashed or brought back. */
export const noteProject: Note<Changed<Change>> = undoableChange<Change>(
  "projects.change",
  // An id that the studio gave, out of the history.
  ({ id }, change) => projectStore.change(id as Project["id"], change),
);

interface MemberFacts {
  readonly projectId: string;
  readonly userId: ProjectMember["userId"];
  /** Null: no member. */
  readonly before: ProjectMember["role"] | null;
  readonly after: ProjectMember["role"] | null;
}

async function setRole({ projectId, userId }: MemberFacts, role: MemberFacts["after"]): Promise<void> {
  const members = membersOf(projectId);
  await (role === null ? members.remove(userId) : members.set(userId, role));
}

/** Notes that somebody became a member, has another role, or is none any more. Returns its undo. */
export const noteMember: Note<MemberFacts> = undoable<MemberFacts>("members.change", {
  undo: (facts) => setRole(facts, facts.before),
  redo: (facts) => setRole(facts, facts.after),
});
