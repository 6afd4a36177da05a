import { signal } from "@lit-labs/signals";
import { select, selection } from "#client/core/place.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { openSeeds } from "./open_pair.ts";

/** At most this many pictures stand beside each other. */
export const COMPARE_MOST = 9;

const shownIds = signal<readonly string[]>([]);
const comparedIds = signal<readonly string[]>([]);

/** What the sheet shows, in its order: so that keys know what comes next. */
export function sheetIds(): readonly string[] {
  return shownIds.get();
}

export function setSheetIds(ids: readonly string[]): void {
  const before = shownIds.get();
  if (ids.length !== before.length || ids.some((id, index) => id !== before[index])) shownIds.set(ids);
}

/** The pictures that stand beside each other now; none while the sheet shows. */
export function compared(): readonly string[] {
  return comparedIds.get();
}

/** Shows these beside each other, the first one selected; none goes back to the sheet. */
export function compare(ids: readonly string[]): void {
  comparedIds.set(ids.slice(0, COMPARE_MOST));
  if (ids[0] !== undefined) select("seed", [ids[0]]);
}

/** The seeds that a command is for: the one it stands beside, else all that are selected. */
export function seedsFor(target: unknown): readonly Seed[] {
  if (typeof target === "object" && target !== null) return [target as Seed]; // What the button stands beside.
  const store = openSeeds();
  return (selection("seed")?.ids ?? []).flatMap((id) => store?.find(id) ?? []);
}

/** Those that a comparison would show: two to nine selected ones, else the kept ones of the sheet. */
export function toCompare(): readonly string[] {
  const selected = selection("seed")?.ids ?? [];
  if (selected.length >= 2) return selected.slice(0, COMPARE_MOST);
  const store = openSeeds();
  const kept = sheetIds().filter((id) => {
    const status = store?.find(id)?.status;
    return status === "kept" || status === "hero";
  });
  return kept.length >= 2 ? kept.slice(0, COMPARE_MOST) : [];
}

/** Goes on to the next picture, as one who culls wants it; not while several are selected. */
export function advance(from: readonly Seed[]): void {
  const [only] = from;
  if (!only || from.length > 1) return;
  const ids = compared().length > 0 ? compared() : sheetIds();
  const next = ids[ids.indexOf(only.id) + 1];
  if (next !== undefined) select("seed", [next]);
}
