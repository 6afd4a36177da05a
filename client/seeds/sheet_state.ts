import { signal } from "@lit-labs/signals";
import { keptSignal } from "#client/core/kept_signal.ts";
import { select, selection } from "#client/core/place.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { openSeeds } from "./open_pair.ts";

/** At most this many pictures stand beside each other. */
export const COMPARE_MOST = 9;

const shownIds = signal<readonly string[]>([]);
const comparedIds = keptSignal<readonly string[]>("seeds_compared", []);

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
  if (ids.length > 0 && comparedIds.get().length === 0) fitCompare();
  comparedIds.set(ids.slice(0, COMPARE_MOST));
  if (ids[0] !== undefined) select("seed", [ids[0]]);
}

/** What of each compared picture is seen: the same of all. */
export interface CompareView {
  /** 1 shows the whole picture. */
  readonly zoom: number;
  /** The middle of what is seen, in shares of the picture. */
  readonly x: number;
  readonly y: number;
}
const WHOLE: CompareView = { zoom: 1, x: 0.5, y: 0.5 };
const MOST_ZOOM = 16;
const seen = keptSignal<CompareView>("seeds_compare_view", WHOLE);

export function compareView(): CompareView {
  return seen.get();
}

export function fitCompare(): void {
  seen.set(WHOLE);
}

/** Shows that part, moved so far that no picture leaves its cell. */
export function showCompare({ zoom, x, y }: CompareView): void {
  const half = 0.5 / zoom;
  const within = (value: number) => Math.min(1 - half, Math.max(half, value));
  seen.set({ zoom, x: within(x), y: within(y) });
}

/** Zooms so that the point `at` (in shares of the cell) stays where it is. */
export function zoomCompare(factor: number, at: { x: number; y: number } = { x: 0.5, y: 0.5 }): void {
  const { zoom, x, y } = seen.get();
  const next = Math.min(MOST_ZOOM, Math.max(1, zoom * factor));
  const shift = 1 / zoom - 1 / next;
  showCompare({ zoom: next, x: x + (at.x - 0.5) * shift, y: y + (at.y - 0.5) * shift });
}

/** The seeds that a command is for: the one it stands beside, else all that are selected. */
export function seedsFor(target: unknown): readonly Seed[] {
  if (typeof target === "object" && target !== null) return [target as Seed]; // What the button stands beside.
  const store = openSeeds();
  return (selection("seed")?.ids ?? []).flatMap((id) => store?.find(id) ?? []);
}

/** Those that one means to compare: two or more selected ones, else the kept ones of the sheet; none for less. */
export function meantToCompare(): readonly string[] {
  const selected = selection("seed")?.ids ?? [];
  if (selected.length >= 2) return selected;
  const store = openSeeds();
  const kept = sheetIds().filter((id) => {
    const status = store?.find(id)?.status;
    return status === "kept" || status === "hero";
  });
  return kept.length >= 2 ? kept : [];
}

/** Goes on to the next picture, as one who culls wants it; not while several are selected. */
export function advance(from: readonly Seed[]): void {
  const [only] = from;
  if (!only || from.length > 1) return;
  const ids = compared().length > 0 ? compared() : sheetIds();
  const next = ids[ids.indexOf(only.id) + 1];
  if (next !== undefined) select("seed", [next]);
}
