import { type Changed, type Note, undoableChange } from "#client/core/undoable.ts";
import type { Character } from "#server/characters/contract.ts";
import { charactersOf } from "./character_store.ts";

type Change = Partial<Pick<Character, "name" | "status">>;

/** Notes another name of a character, its way to the trash, or, from there, that it was made. */
export const noteCharacter: Note<Changed<Change>> = undoableChange<Change>(
  "characters.change",
  // An id that the studio gave, out of the history.
  ({ projectId, id }, change) => charactersOf(projectId).change(id as Character["id"], change),
);
