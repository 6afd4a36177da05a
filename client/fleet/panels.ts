import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** The workers, and what each can run. */
export const workerPanels: readonly PanelKind[] = [{
  id: "workers",
  title: () => title("workers"),
  icon: "server",
  tag: "st-workers-panel",
  permission: "worker.read",
  shows: ["worker"],
  load: () => import("./workers_panel.ts"),
}];

export const workerScreens: readonly Screen[] = [{
  id: "workers",
  title: () => title("workers"),
  icon: "server",
  permission: "worker.read",
  isOfProject: false,
  // Which worker can run a workflow is said here.
  opens: ["worker", "workflow"],
  keywords: () => title("settings"),
  layout: { panels: ["workers"] },
}];
