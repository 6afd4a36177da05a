import { dock } from "#client/app/dock_store.ts";
import { panelsOf } from "#client/app/layout.ts";
import { type PanelState, panelState } from "#client/core/panels.ts";
import { entity, go, place, takeKeyboard } from "#client/core/place.ts";
import { type PageId, PAGES } from "./page_list.ts";

const KEY = "page";

/** The id of the page that a panel shows: the one that the address names, else the one it showed last. */
export function pageIn(state: PanelState): string {
  return entity("help")?.id ?? state.get<string>(KEY, PAGES[0].id);
}

/** What the address names is what one comes back to without it. */
export function notePage(state: PanelState, id: PageId): void {
  state.set(KEY, id);
}

/**
 * Turns a panel to a page. On the manual's own screen the address names it, so that the browser's way back leads to the
 * page before, or with `replace` to what was before that.
 */
export function turn(state: PanelState, id: PageId, { replace = false } = {}): void {
  if (isOwnScreen()) go({ entity: { kind: "help", id } }, { replace });
  else notePage(state, id);
}

/** Opens the manual, at a page if one is named: in the area that shows it beside the work, else on its own screen. */
export function openManual(id?: PageId): void {
  const beside = dock.layout && panelsOf(dock.layout).find(({ kind }) => kind === "help");
  if (!beside || isOwnScreen()) {
    go(id === undefined ? { screen: "help" } : { entity: { kind: "help", id } });
    takeKeyboard();
    return;
  }
  if (id !== undefined) notePage(panelState(beside.id), id);
  dock.show(beside.id);
}

function isOwnScreen(): boolean {
  return entity("help") !== undefined || place().screen === "help";
}
