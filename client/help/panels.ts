import type { PanelKind, Screen } from "#client/core/panels.ts";
import { keywords, title } from "./titles.ts";

/** The manual: any area can show it beside the work. */
export const helpPanels: readonly PanelKind[] = [{
  id: "help",
  title: () => title("manual"),
  icon: "book",
  tag: "st-help-panel",
  load: () => import("./help_panel.ts"),
  shows: ["help"],
}];

export const helpScreens: readonly Screen[] = [{
  id: "help",
  title: () => title("manual"),
  icon: "book",
  isOfProject: false,
  opens: ["help"],
  keywords: () => keywords("start"),
  layout: { panels: ["help"] },
}];
