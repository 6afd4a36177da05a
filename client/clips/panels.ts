import type { PanelKind } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** A clip: its picture, its line of time, and what it is asked to be. */
export const clipPanels: readonly PanelKind[] = [
  {
    id: "clip",
    title: () => title("clip"),
    icon: "clapperboard",
    tag: "st-clip-panel",
    load: () => import("./clip_panel.ts"),
    permission: "project.read",
    shows: ["clip"],
  },
  {
    id: "clip-timeline",
    title: () => title("timeline"),
    icon: "film",
    tag: "st-clip-timeline-panel",
    load: () => import("./timeline_panel.ts"),
    permission: "project.read",
    actions: ["clips.previous-segment", "clips.next-segment"],
    shows: ["clip"],
  },
  {
    id: "clip-settings",
    title: () => title("settings"),
    icon: "sliders",
    tag: "st-clip-settings-panel",
    load: () => import("./settings_panel.ts"),
    permission: "project.read",
    shows: ["clip"],
  },
];
