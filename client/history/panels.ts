import type { PanelKind } from "#client/core/panels.ts";
import { w } from "./words.ts";

/** Everything that was done, as a tree. */
export const historyPanels: readonly PanelKind[] = [{
  id: "history",
  title: () => w("history"),
  icon: "history",
  tag: "st-history-panel",
  actions: ["history.undo", "history.redo", "history.go_to", "history.name"],
  load: () => import("./history_panel.ts"),
}];
