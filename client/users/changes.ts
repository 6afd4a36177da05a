import { type Note, undoable } from "#client/core/undoable.ts";
import type { User, UserChange } from "#server/users/contract.ts";
import { people } from "./people_store.ts";

interface UserFacts {
  readonly userId: User["id"];
  readonly before: UserChange;
  readonly after: UserChange;
}

/** Notes another role of somebody, or that they were suspended or let in again. Returns its undo. */
export const noteUser: Note<UserFacts> = undoable<UserFacts>("people.change", {
  undo: ({ userId, before }) => people.change(userId, before),
  redo: ({ userId, after }) => people.change(userId, after),
});
