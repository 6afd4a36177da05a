import type { PanelKind, Screen } from "#client/core/panels.ts";
import { w } from "./words.ts";

/** How the studio is: health, workers, jobs, the newest finals. */
export const statusPanels: readonly PanelKind[] = [{
  id: "status",
  title: () => w("status"),
  icon: "activity",
  tag: "st-status-panel",
  load: () => import("./status_panel.ts"),
}];

export const statusScreens: readonly Screen[] = [{
  id: "status",
  title: () => w("status"),
  icon: "activity",
  isOfProject: false,
  isInBar: true,
  layout: { panels: ["status"] },
}];
