import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** The queue as a table or as lanes, and one job with its log. */
export const jobPanels: readonly PanelKind[] = [
  {
    id: "queue",
    title: () => title("queue"),
    icon: "list",
    tag: "st-queue-panel",
    permission: "job.read",
    load: () => import("./queue_panel.ts"),
  },
  {
    id: "job",
    title: () => title("job"),
    icon: "activity",
    tag: "st-job-panel",
    permission: "job.read",
    shows: ["job"],
    load: () => import("./job_panel.ts"),
  },
  {
    id: "job_tray",
    title: () => title("tray"),
    icon: "activity",
    tag: "st-job-tray",
    permission: "job.read",
    load: () => import("./job_tray.ts"),
  },
];

export const jobScreens: readonly Screen[] = [{
  id: "queue",
  title: () => title("queue"),
  icon: "list",
  permission: "job.read",
  isOfProject: false,
  isInBar: true,
  opens: ["job"],
  layout: {
    split: "row",
    areas: [{ panels: ["queue"], size: 0.72 }, { panels: ["job"], size: 0.28 }],
  },
  // Who keeps the studio running has the machines that do the work one tab away from it; they load when shown.
  layoutFor: {
    admin: {
      split: "row",
      areas: [
        { panels: ["queue"], size: 0.68 },
        { panels: ["job", "workers"], active: "job", size: 0.32 },
      ],
    },
  },
}];
