import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** All projects as pictures, and who is in the open one. */
export const projectPanels: readonly PanelKind[] = [
  {
    id: "projects",
    title: () => title("projects"),
    icon: "folder",
    tag: "st-projects-panel",
    load: () => import("./projects_panel.ts"),
    permission: "project.read",
  },
  {
    id: "members",
    title: () => title("members"),
    icon: "users",
    tag: "st-members-panel",
    load: () => import("./members_panel.ts"),
    permission: "project.read",
  },
];

export const projectScreens: readonly Screen[] = [
  {
    id: "projects",
    title: () => title("projects"),
    icon: "folder",
    permission: "project.read",
    isOfProject: false,
    isInBar: false,
    layout: { panels: ["projects"] },
  },
  {
    id: "members",
    title: () => title("members"),
    icon: "users",
    permission: "project.read",
    isOfProject: true,
    isInBar: false,
    layout: { panels: ["members"] },
  },
];
