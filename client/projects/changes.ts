import { type Changed, type Note, undoableChange } from "#client/core/undoable.ts";
import type { Project } from "#server/projects/contract.ts";
import { projectStore } from "./project_store.ts";

type Change = Partial<Pick<Project, "name" | "status">>;

/** Notes another name of a project, or that it was archived, trashed or brought back. */
export const noteProject: Note<Changed<Change>> = undoableChange<Change>(
  "projects.change",
  // An id that the studio gave, out of the history.
  ({ id }, change) => projectStore.change(id as Project["id"], change),
);
