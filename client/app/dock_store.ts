import { computed, signal } from "@lit-labs/signals";
import { session } from "#client/auth/session_store.ts";
import { forgetPanelState } from "#client/core/panels.ts";
import {
  activate,
  areaOf,
  areasOf,
  bringBack,
  type Layout,
  makeLayout,
  type PanelRef,
  panelsOf,
  readLayout,
  sendToWindow,
} from "./layout.ts";
import { allowedPanels, currentScreen } from "./screens.ts";

/** Everything about layouts that is kept: the workspace's share of the dock. */
export interface DockDocument {
  /** Screen id → its layout as one left it. */
  readonly layouts: Readonly<Record<string, Layout>>;
  /** Screen id → the layout that one kept as one's own. */
  readonly mine: Readonly<Record<string, Layout>>;
  readonly isLocked: boolean;
}

const EMPTY: DockDocument = { layouts: {}, mine: {}, isLocked: false };
const KEY = "seedloop.dock";

/** The layouts of all screens, and which panel is the active one. */
export class DockStore {
  readonly #solo = signal<PanelRef | undefined>(undefined);
  readonly #document = signal<DockDocument>(readKept());
  readonly #active = signal<string | undefined>(undefined);
  readonly #titles = signal<Readonly<Record<string, string>>>({});
  readonly #isFocused = signal(false);
  // Asked for by every command of the dock, whenever its button is drawn.
  readonly #layout = computed(() => {
    if (this.solo) return soloLayout(this.solo);
    const screen = currentScreen();
    if (!screen) return undefined;
    const { layouts, mine } = this.document;
    return layouts[screen.id] ?? mine[screen.id] ?? this.preset();
  });
  readonly #preset = computed(() => {
    const screen = currentScreen();
    const allowed = new Set(allowedPanels().map(({ id }) => id));
    const role = session.me?.role;
    const area = role && screen?.layoutFor?.[role];
    return screen && makeLayout(area ?? screen.layout, screen.id, (kind) => allowed.has(kind));
  });
  readonly #activePanel = computed(() => {
    const { layout } = this;
    if (!layout) return undefined;
    const kept = panelsOf(layout).find(({ id }) => id === this.#active.get());
    if (kept && areaOf(layout, kept.id)?.active === kept.id) return kept;
    const area = areasOf(layout)[0];
    return area?.panels.find(({ id }) => id === area.active);
  });

  /** The one panel of a window that was opened for it; such a window keeps no layout. */
  get solo(): PanelRef | undefined {
    return this.#solo.get();
  }

  set solo(panel: PanelRef | undefined) {
    this.#solo.set(panel);
  }

  get isSolo(): boolean {
    return this.solo !== undefined;
  }

  get document(): DockDocument {
    return this.#document.get();
  }

  /** Puts back what was kept; what can't be understood is left out. */
  restore(kept: unknown): void {
    this.#set(readDocument(kept));
  }

  /** Puts back the layouts as one left them. */
  restoreLayouts(kept: unknown): void {
    this.#set({ ...this.document, layouts: readLayouts(kept) });
  }

  /** Puts back what one keeps for all views: one's own layouts, and the lock. */
  restoreOwn(kept: unknown): void {
    const { mine, isLocked } = readDocument(kept);
    this.#set({ ...this.document, mine, isLocked });
  }

  /** The layout that shows: as one left it, else one's own, else the screen's preset. */
  get layout(): Layout | undefined {
    return this.#layout.get();
  }

  /** The layout as the screen's slice made it for one's role. */
  preset(): Layout | undefined {
    return this.#preset.get();
  }

  /** Changes the layout that shows. Refused, with false, while it is locked; tabs can be shown all the same. */
  change(edit: (layout: Layout) => Layout, { evenLocked = false } = {}): boolean {
    const screen = currentScreen();
    const before = this.layout;
    if (!screen || !before || this.isSolo || (this.isLocked && !evenLocked)) return false;
    const after = edit(before);
    if (after === before) return true;
    const left = new Set(panelsOf(after).map(({ id }) => id));
    for (const { id } of panelsOf(before)) if (!left.has(id)) forgetPanelState(id);
    this.#set({ ...this.document, layouts: { ...this.document.layouts, [screen.id]: after } });
    return true;
  }

  show(panelId: string): void {
    this.change((layout) => activate(layout, panelId), { evenLocked: true });
    this.setActive(panelId);
  }

  /** All panels that are in windows of their own, of any screen. */
  get inWindows(): readonly PanelRef[] {
    return Object.values(this.document.layouts).flatMap(({ windows }) => windows);
  }

  /** A panel that shows in a window of its own is not here, too: one that is loaded anew was taken back before. */
  sendAway(panelId: string): void {
    if (this.inWindows.some(({ id }) => id === panelId)) return;
    this.#changeAll((layout) => areaOf(layout, panelId) ? sendToWindow(layout, panelId) : layout);
  }

  /** Puts a panel back whose window was closed, on the screen from which it was taken. */
  takeBack(panelId: string): void {
    this.#changeAll((layout) =>
      layout.windows.some(({ id }) => id === panelId) ? bringBack(layout, panelId) : layout
    );
  }

  #changeAll(edit: (layout: Layout) => Layout): void {
    if (this.isSolo) return;
    const layouts = Object.entries(this.document.layouts).map(([id, layout]) => [id, edit(layout)] as const);
    this.#set({ ...this.document, layouts: Object.fromEntries(layouts) });
  }

  /** Back to the preset, or to one's own layout. Says whether there was one. */
  reset(to: "preset" | "mine"): boolean {
    const screen = currentScreen();
    const wanted = screen && (to === "mine" ? this.document.mine[screen.id] : this.preset());
    return wanted !== undefined && this.change(() => wanted);
  }

  keepAsMine(): void {
    const screen = currentScreen();
    const { layout } = this;
    if (screen && layout) {
      this.#set({ ...this.document, mine: { ...this.document.mine, [screen.id]: layout } });
    }
  }

  get hasMine(): boolean {
    const screen = currentScreen();
    return screen !== undefined && this.document.mine[screen.id] !== undefined;
  }

  get isLocked(): boolean {
    return this.document.isLocked;
  }

  lock(isLocked: boolean): void {
    this.#set({ ...this.document, isLocked });
  }

  /** The panel that has the focus, or had it last; else the one that shows in the first area. */
  get active(): PanelRef | undefined {
    return this.#activePanel.get();
  }

  setActive(panelId: string): void {
    this.#active.set(panelId);
  }

  /** What a panel calls itself; undefined for its kind's title. */
  titleOf(panelId: string): string | undefined {
    return this.#titles.get()[panelId];
  }

  rename(panelId: string, title: string | undefined): void {
    const { [panelId]: before, ...rest } = this.#titles.get();
    if (before !== title) this.#titles.set(title === undefined ? rest : { ...rest, [panelId]: title });
  }

  /** Whether only the active panel shows, without bars. */
  get isFocused(): boolean {
    return this.#isFocused.get();
  }

  focusOnActive(isFocused: boolean): void {
    this.#isFocused.set(isFocused);
  }

  #set(document: DockDocument): void {
    this.#document.set(document);
    localStorage.setItem(KEY, JSON.stringify(document));
  }
}

function soloLayout(panel: PanelRef): Layout {
  const root = { type: "area", id: "a1", panels: [panel], active: panel.id } as const;
  return {
    version: 1,
    root: { ...root, panels: [panel] },
    floats: [],
    maximised: null,
    windows: [],
    homes: {},
  };
}

function readKept(): DockDocument {
  try {
    return readDocument(JSON.parse(localStorage.getItem(KEY) ?? "null"));
  } catch {
    return EMPTY;
  }
}

function readDocument(kept: unknown): DockDocument {
  if (typeof kept !== "object" || kept === null) return EMPTY;
  const { layouts, mine, isLocked } = kept as Record<string, unknown>; // Any object has string keys.
  return { layouts: readLayouts(layouts), mine: readLayouts(mine), isLocked: isLocked === true };
}

function readLayouts(kept: unknown): Record<string, Layout> {
  const entries = Object.entries(kept ?? {}).map(([screen, json]) => [screen, readLayout(json)] as const);
  return Object.fromEntries(entries.flatMap(([screen, layout]) => layout ? [[screen, layout]] : []));
}

export const dock: DockStore = new DockStore();
