import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** The contact sheet of variations, and the form of a new batch. */
export const seedPanels: readonly PanelKind[] = [
  {
    id: "variations",
    title: () => title("variations"),
    icon: "grid",
    tag: "st-variations-panel",
    load: () => import("./variations_panel.ts"),
    permission: "asset.read",
    shows: ["batch"],
  },
  {
    id: "batch",
    title: () => title("batch"),
    icon: "sparkles",
    tag: "st-batch-panel",
    load: () => import("./batch_panel.ts"),
    permission: "generate",
  },
];

export const seedScreens: readonly Screen[] = [{
  id: "variations",
  title: () => title("variations"),
  icon: "grid",
  permission: "asset.read",
  isOfProject: true,
  opens: ["batch", "seed"],
  isInBar: true,
  layout: {
    split: "row",
    areas: [{ panels: ["variations"], size: 0.78 }, { panels: ["batch"], size: 0.22 }],
  },
}];
