import type { PanelKind, Screen } from "#client/core/panels.ts";
import { w } from "./words.ts";

export const scenePanels: readonly PanelKind[] = [{
  id: "outline",
  title: () => w("outline"),
  icon: "list",
  tag: "st-outline-panel",
  load: () => import("./outline_panel.ts"),
  permission: "project.read",
  shows: ["scene"],
}];

/** Where clips are made: outline, picture over its line of time, settings. */
export const sceneScreens: readonly Screen[] = [{
  id: "scenes",
  title: () => w("scenes"),
  icon: "clapperboard",
  permission: "project.read",
  isOfProject: true,
  opens: ["scene", "clip"],
  isInBar: true,
  layout: {
    split: "row",
    areas: [
      { panels: ["outline"], size: 0.17 },
      {
        split: "column",
        size: 0.61,
        areas: [{ panels: ["clip"], size: 0.57 }, { panels: ["clip-timeline"], size: 0.43 }],
      },
      { panels: ["clip-settings"], size: 0.22 },
    ],
  },
  // Who reviews looks and decides: the picture is large over its curves, and what a clip is asked to be is one tab away.
  layoutFor: {
    reviewer: {
      split: "row",
      areas: [
        { panels: ["outline", "clip-settings"], active: "outline", size: 0.17 },
        {
          split: "column",
          size: 0.83,
          areas: [{ panels: ["clip"], size: 0.62 }, { panels: ["clip-timeline"], size: 0.38 }],
        },
      ],
    },
  },
  isHomeOf: ["reviewer"],
}];
