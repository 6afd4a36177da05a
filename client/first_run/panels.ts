import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** The first steps in a new studio. */
export const firstRunPanels: readonly PanelKind[] = [{
  id: "first_run",
  title: () => title("firstRun"),
  icon: "sparkles",
  tag: "st-first-run-panel",
  permission: "project.create",
  load: () => import("./first_run_panel.ts"),
}];

export const firstRunScreens: readonly Screen[] = [{
  id: "first-run",
  title: () => title("firstRun"),
  icon: "sparkles",
  permission: "project.create",
  isOfProject: false,
  layout: { panels: ["first_run"] },
}];
