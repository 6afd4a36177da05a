import type { PanelKind, Screen } from "#client/core/panels.ts";
import { w } from "./words.ts";

/** The first steps in a new studio. */
export const firstRunPanels: readonly PanelKind[] = [{
  id: "first_run",
  title: () => w("firstRun"),
  icon: "sparkles",
  tag: "st-first-run-panel",
  permission: "project.create",
  load: () => import("./first_run_panel.ts"),
}];

export const firstRunScreens: readonly Screen[] = [{
  id: "first-run",
  title: () => w("firstRun"),
  icon: "sparkles",
  permission: "project.create",
  isOfProject: false,
  layout: { panels: ["first_run"] },
}];
