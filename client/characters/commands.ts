import type { Command } from "#client/core/commands.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { tell } from "#client/core/notices.ts";
import { go, projectId } from "#client/core/place.ts";
import type { Character } from "#server/characters/contract.ts";
import { noteCharacter } from "./changes.ts";
import { charactersOf } from "./character_store.ts";
import { noteOpen, openCharacterId } from "./open_character.ts";
import { w } from "./words.ts";

export type CharacterAsk =
  | { readonly kind: "create"; readonly portrait?: File | undefined }
  | { readonly kind: "rename"; readonly character: Character };

const asked = keptSignal<CharacterAsk | undefined>("characters_ask", undefined, {
  // A file that was dropped is no text.
  toKeep: (ask) => ask?.kind === "create" ? { kind: "create" } : ask,
});

/** The form that is open, if any. */
export function characterAsk(): CharacterAsk | undefined {
  return asked.get();
}

export function askForCharacter(ask: CharacterAsk | undefined): void {
  asked.set(ask);
}

/** Opens a character and remembers it as the project's last one. */
export function openCharacter(id: string): void {
  noteOpen(projectId() ?? "", id);
  go({ entity: { kind: "character", id } });
}

function characterFor(target: unknown): Character | undefined {
  if (typeof target === "object" && target !== null) return target as Character; // What a row stands for.
  const project = projectId();
  return project === undefined ? undefined : charactersOf(project).find(openCharacterId() ?? "");
}

const group = () => w("characters");
const SCOPES = ["characters", "character"];

export const characterCommands: readonly Command[] = [
  {
    id: "characters.create",
    label: () => w("createCharacter"),
    group,
    icon: "userPlus",
    keys: ["n"],
    scope: SCOPES,
    permission: "character.edit",
    when: () => projectId() !== undefined,
    whyNot: () => w("noProjectText"),
    run: () => {
      go({ screen: "characters" });
      asked.set({ kind: "create" });
    },
  },
  {
    id: "characters.open",
    label: () => w("openCharacter"),
    group,
    icon: "user",
    permission: "project.read",
    when: (target) => characterFor(target) !== undefined,
    whyNot: () => w("needsCharacter"),
    run: (target) => {
      const character = characterFor(target);
      if (character) openCharacter(character.id);
    },
  },
  {
    id: "characters.rename",
    label: () => w("renameCharacter"),
    group,
    icon: "edit",
    keys: ["f2"],
    scope: SCOPES,
    permission: "character.edit",
    when: (target) => characterFor(target) !== undefined,
    whyNot: () => w("needsCharacter"),
    run: (target) => {
      const character = characterFor(target);
      if (character) asked.set({ kind: "rename", character });
    },
  },
  {
    id: "characters.trash",
    label: () => w("trashCharacter"),
    group,
    icon: "trash",
    keys: ["delete"],
    scope: "characters",
    isDanger: true,
    permission: "character.edit",
    when: (target) => characterFor(target) !== undefined,
    whyNot: () => w("needsCharacter"),
    run: async (target) => {
      const character = characterFor(target);
      if (!character) return;
      const { id, projectId, name } = character;
      const [before, after] = [{ status: "active" }, { status: "trashed" }] as const;
      const text = w("trashed", { name });
      const undo = noteCharacter(text, { projectId, id, before, after });
      await undo.settle(charactersOf(projectId).change(id, after));
      tell({ kind: "done", text, undo });
    },
  },
];
