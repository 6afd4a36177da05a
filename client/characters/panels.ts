import type { PanelKind, Screen } from "#client/core/panels.ts";
import { w } from "./words.ts";

/** Who is in the film, and the seeds of the one that is open. */
export const characterPanels: readonly PanelKind[] = [
  {
    id: "characters",
    title: () => w("characters"),
    icon: "users",
    tag: "st-characters-panel",
    load: () => import("./characters_panel.ts"),
    permission: "project.read",
  },
  {
    id: "character",
    title: () => w("character"),
    icon: "user",
    tag: "st-character-panel",
    load: () => import("./character_panel.ts"),
    permission: "project.read",
    shows: ["character"],
  },
];

export const characterScreens: readonly Screen[] = [{
  id: "characters",
  title: () => w("characters"),
  icon: "users",
  permission: "project.read",
  isOfProject: true,
  opens: ["character"],
  isInBar: true,
  layout: {
    split: "row",
    areas: [{ panels: ["characters"], size: 0.2 }, { panels: ["character"], size: 0.8 }],
  },
}];
