import type { IconName } from "#client/ui/icons.ts";
import { signal } from "@lit-labs/signals";
import { openCharacterId } from "#client/characters/open_character.ts";
import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { go } from "#client/core/place.ts";
import type { Seed, SeedKind } from "#server/seeds/contract.ts";
import {
  chooseDirection,
  type Direction,
  isReady,
  openDirection,
  openPair,
  openSeeds,
  showSeed,
} from "./open_pair.ts";
import { dropSeedUpload, seedUploads } from "./seed_uploads.ts";
import { w } from "./words.ts";

const SCOPE = "character";
const group = () => w("seeds");

/** A kind for which the page of a character is to open the system's file picker, and how often that was wanted. */
const wanted = signal<{ readonly kind: SeedKind; readonly times: number } | undefined>(undefined);

export function wantedFile(): { readonly kind: SeedKind; readonly times: number } | undefined {
  return wanted.get();
}

function directionCommand(direction: Direction, icon: IconName, key: string): Command {
  const words = { forward: "forward", backward: "backward", by_hand: "byHand" } as const;
  return {
    id: `seeds.direction_${direction}`,
    label: () => w(words[direction]),
    group,
    icon,
    keys: [key],
    scope: SCOPE,
    permission: "character.edit",
    when: () => openCharacterId() !== undefined,
    whyNot: () => w("needsCharacter"),
    isOn: () => openDirection() === direction,
    run: () => chooseDirection(direction),
  };
}

function giveCommand(kind: SeedKind, key: string): Command {
  return {
    id: `seeds.give_${kind}`,
    label: () => w(kind === "portrait" ? "givePortrait" : "giveFoundation"),
    group,
    icon: "upload",
    keys: [key],
    scope: SCOPE,
    permission: "character.edit",
    when: () => openCharacterId() !== undefined,
    whyNot: () => w("needsCharacter"),
    run: () => {
      const id = openCharacterId();
      if (id !== undefined) go({ entity: { kind: "character", id } });
      wanted.set({ kind, times: (wanted.get()?.times ?? 0) + 1 });
    },
  };
}

function deriveCommand(id: string, key: string, words: "deriveForward" | "deriveBackward"): Command {
  const source = () => words === "deriveForward" ? openPair().a : openPair().b;
  return {
    id,
    label: () => w(words),
    group,
    icon: "sparkles",
    keys: [key],
    scope: SCOPE,
    permission: "generate",
    when: () => isReady(source()),
    whyNot: () => w(words === "deriveForward" ? "needsA" : "needsB"),
    run: async () => {
      const from = source();
      const made = from && await openSeeds()?.derive(from.id);
      if (made) showSeed(made);
    },
  };
}

/** What is on its way to the open character. */
function sending(): readonly string[] {
  const id = openCharacterId() ?? "";
  return [...seedUploads(id, "portrait"), ...seedUploads(id, "foundation")].map(({ upload }) => upload.id);
}

/** The seed that carries the likeness of the pair: of a derived portrait that itself, else the foundation. */
export function measuredOf(a: Seed | undefined, b: Seed | undefined): Seed | undefined {
  if (!a || !b) return undefined;
  if (b.measures?.againstSeedId === a.id) return b;
  return a.measures?.againstSeedId === b.id ? a : undefined;
}

export const pairCommands: readonly Command[] = [
  giveCommand("portrait", "a"),
  giveCommand("foundation", "b"),
  directionCommand("forward", "arrowRight", "shift+arrowright"),
  directionCommand("backward", "arrowLeft", "shift+arrowleft"),
  directionCommand("by_hand", "arrowLeftRight", "shift+arrowup"),
  deriveCommand("seeds.derive_forward", "g", "deriveForward"),
  deriveCommand("seeds.derive_backward", "shift+g", "deriveBackward"),
  {
    id: "seeds.drop_upload",
    isForGood: true,
    label: () => w("stop"),
    group,
    icon: "close",
    permission: "asset.upload",
    when: (target) => typeof target === "string" || sending().length > 0,
    whyNot: () => w("needsUpload"),
    run: async (target) => {
      const ids = typeof target === "string" ? [target] : sending();
      for (const id of ids) await dropSeedUpload(id);
    },
  },
  {
    id: "seeds.compare_pair",
    label: () => w("comparePair"),
    group,
    icon: "face",
    keys: ["i"],
    scope: SCOPE,
    permission: "character.edit",
    when: () => isReady(openPair().a) && isReady(openPair().b),
    whyNot: () => w("needsBoth"),
    run: async () => {
      const { a, b } = openPair();
      if (!a || !b) return;
      await openSeeds()?.compare(b.id, a.id);
      tell({ kind: "info", text: w("compareTold") });
    },
  },
];
