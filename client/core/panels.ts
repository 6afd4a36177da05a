import { signal } from "@lit-labs/signals";
import type { Permission, RoleCode } from "#server/core/permissions.ts";
import type { IconName } from "#client/ui/icons.ts";
import type { EntityKind } from "./place.ts";

/** A kind of panel: any of them can be shown in any area. */
export interface PanelKind {
  /** "clip": unique, and kept in people's layouts; don't rename it. */
  readonly id: string;
  title(): string;
  readonly icon: IconName;
  /** The element that is the panel, "st-clip-panel". It fills its area, scrolls by itself, and gets `.panel`. */
  readonly tag: `st-${string}`;
  /** Loads the file that defines the element, when it is first shown. */
  load(): Promise<unknown>;
  readonly permission?: Permission;
  /** Ids of the few commands that the area's header shows. */
  readonly actions?: readonly string[];
  /** What it shows, for "show in place": a panel that follows the open entity of these kinds. */
  readonly shows?: readonly EntityKind[];
}

/** What a panel element gets as `.panel`. */
export interface Panel {
  /** Unique in a layout. */
  readonly id: string;
  readonly kind: string;
  readonly state: PanelState;
  /** Names the tab after what it shows, "Clip 020"; undefined gives it back its kind's title. */
  rename(title: string | undefined): void;
}

/** What a panel remembers (scroll, zoom, filter, sort, playhead, drafts): kept with the layout, read inside render(). */
export interface PanelState {
  /** A JSON value. */
  get<T>(key: string, fallback: T): T;
  set(key: string, value: unknown): void;
}

/** An element that is a panel. */
export interface PanelElement extends HTMLElement {
  panel: Panel;
}

/** Where panels stand: panels of one area are its tabs; a split divides into areas, `size` being their share. */
export type Area =
  | { readonly panels: readonly string[]; readonly active?: string; readonly size?: number }
  | { readonly split: "row" | "column"; readonly areas: readonly Area[]; readonly size?: number };

/** A place in the top bar with a layout of its own, as in Blender or Resolve. */
export interface Screen {
  /** "characters": also its name in the address. */
  readonly id: string;
  title(): string;
  readonly icon: IconName;
  readonly permission?: Permission;
  /** Whether it is about the open project ("/projects/<id>/characters") or the studio ("/status"). */
  readonly isOfProject: boolean;
  /** Entities that open here. */
  readonly opens?: readonly EntityKind[];
  /** Panels by kind; kinds that are not known or not allowed are left out. "no bar": it is reached otherwise. */
  readonly layout: Area;
  /** Layouts for roles that do other work here; the others have `layout`. */
  readonly layoutFor?: Readonly<Partial<Record<RoleCode, Area>>>;
  /** Roles that begin here, once a project is open. */
  readonly isHomeOf?: readonly RoleCode[];
  readonly isInBar?: boolean;
  /** Other words by which the palette finds it: what can be changed there. */
  keywords?(): string;
}

const kinds = signal<readonly PanelKind[]>([]);
const screenList = signal<readonly Screen[]>([]);
const states = signal<PanelStates>({});
const restorations = signal<ReadonlyMap<string, number>>(new Map());

/** Panel id → its remembered values; JSON. */
export type PanelStates = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function panelKinds(): readonly PanelKind[] {
  return kinds.get();
}

export function findPanelKind(id: string): PanelKind | undefined {
  return kinds.get().find((kind) => kind.id === id);
}

/** Adds kinds of panels until the returned function is called. Throws when an id is taken. */
export function registerPanels(list: readonly PanelKind[]): () => void {
  for (const { id } of list) {
    if (findPanelKind(id)) {
      throw new Error(`Cannot register the panel ${id}: there is one of that id already`);
    }
  }
  kinds.set([...kinds.get(), ...list]);
  return () => kinds.set(kinds.get().filter((kind) => !list.includes(kind)));
}

export function screens(): readonly Screen[] {
  return screenList.get();
}

/** Adds places of the top bar, in its order, until the returned function is called. */
export function registerScreens(list: readonly Screen[]): () => void {
  screenList.set([...screenList.get(), ...list]);
  return () => screenList.set(screenList.get().filter((screen) => !list.includes(screen)));
}

/** What all panels remember: the workspace keeps it, and is told by the signal when it changes. */
export function panelStates(): PanelStates {
  return states.get();
}

/** Puts back what the workspace kept. */
export function restorePanelStates(kept: PanelStates): void {
  const before = states.get();
  const isOther = (id: string) => JSON.stringify(before[id]) !== JSON.stringify(kept[id]);
  const others = [...new Set([...Object.keys(before), ...Object.keys(kept)])].filter(isOther);
  states.set(kept);
  const counts = restorations.get();
  restorations.set(new Map([...counts, ...others.map((id) => [id, (counts.get(id) ?? 0) + 1] as const)]));
}

/** How often other things were put back than the panel remembered: what it took from there is old with each. */
export function timesRestored(id: string): number {
  return restorations.get().get(id) ?? 0;
}

/** The memory of the panel `id`. */
export function panelState(id: string): PanelState {
  return {
    get: <T>(key: string, fallback: T): T => {
      const kept = states.get()[id]?.[key];
      // Whoever reads a key is who wrote it.
      return kept === undefined ? fallback : kept as T;
    },
    set: (key, value) => {
      const all = states.get();
      if (Object.is(all[id]?.[key], value)) return;
      states.set({ ...all, [id]: { ...all[id], [key]: value } });
    },
  };
}

/** Forgets a panel that was closed for good. */
export function forgetPanelState(id: string): void {
  const { [id]: _, ...rest } = states.get();
  states.set(rest);
}
