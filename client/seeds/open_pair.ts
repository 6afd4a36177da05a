import { openCharacterId } from "#client/characters/open_character.ts";
import { keptSignal, withNewest } from "#client/core/kept_signal.ts";
import { inOrder } from "#client/core/order.ts";
import { projectId } from "#client/core/place.ts";
import type { Seed, SeedKind } from "#server/seeds/contract.ts";
import { seedsOf, type SeedStore } from "./seed_store.ts";

/** How the other half of the pair comes about. */
export type Direction = "forward" | "backward" | "by_hand";

/** Which seeds a person looks at, by character; else the best there are. */
interface Shown {
  readonly portrait?: string | undefined;
  readonly foundation?: string | undefined;
  readonly direction?: Direction | undefined;
}
/** Characters of which it is remembered which pair one looked at. */
const MOST_SHOWN = 50;
const shown = keptSignal<Readonly<Record<string, Shown>>>("seeds_shown", {});

export interface Pair {
  readonly a: Seed | undefined;
  readonly b: Seed | undefined;
}

/** The store of the open character's seeds. */
export function openSeeds(): SeedStore | undefined {
  const project = projectId();
  const character = openCharacterId();
  return project === undefined || character === undefined ? undefined : seedsOf(project, character);
}

/** The pair that shows: what one chose, else the newest portrait and the hero or newest foundation. */
export function openPair(): Pair {
  const all = openSeeds()?.all ?? [];
  const chosen = shown.get()[openCharacterId() ?? ""];
  const find = (kind: SeedKind, id: string | undefined) =>
    all.find((seed) => seed.id === id && seed.kind === kind);
  return {
    a: find("portrait", chosen?.portrait) ?? bestOf(all, "portrait"),
    b: find("foundation", chosen?.foundation) ?? bestOf(all, "foundation"),
  };
}

/** The direction that one chose, else how the pair that shows came about, else the one that can go on. */
export function openDirection({ a, b }: Pair = openPair()): Direction {
  const chosen = shown.get()[openCharacterId() ?? ""]?.direction;
  if (chosen) return chosen;
  if (a && b) {
    if (b.derivedFromSeedId === a.id) return "forward";
    return a.derivedFromSeedId === b.id ? "backward" : "by_hand";
  }
  return b && !a ? "backward" : "forward";
}

export function chooseDirection(direction: Direction): void {
  remember({ direction });
}

/** Shows that seed as A or B of its character. */
export function showSeed({ id, kind }: Pick<Seed, "id" | "kind">): void {
  remember({ [kind]: id });
}

function remember(change: Shown): void {
  const character = openCharacterId();
  if (character === undefined) return;
  const before = shown.get();
  shown.set(withNewest(before, character, { ...before[character], ...change }, MOST_SHOWN));
}

/** Whether anything can be made from it. */
export function isReady(seed: Seed | undefined): seed is Seed {
  return seed !== undefined && !["making", "failed", "cancelled"].includes(seed.status);
}

const RANK: Readonly<Record<Seed["status"], number>> = {
  hero: 0,
  kept: 1,
  making: 2,
  candidate: 2,
  failed: 3,
  rejected: 4,
  cancelled: 5,
};

/** A hero before what was kept, then the newest; what failed or was rejected only where there is nothing else. */
export function bestOf(all: readonly Seed[], kind: SeedKind): Seed | undefined {
  const rank = (seed: Seed) =>
    kind === "portrait" && seed.status === "kept" ? RANK.candidate : RANK[seed.status];
  return all.filter((seed) => seed.kind === kind)
    .sort((one, other) => rank(one) - rank(other) || inOrder(other.id, one.id))[0];
}
