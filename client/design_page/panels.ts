import type { PanelKind, Screen } from "#client/core/panels.ts";
import { title } from "./titles.ts";

/** The design system: all its elements and tokens, and the editor of the studio's theme. */
export const designPanels: readonly PanelKind[] = [
  {
    id: "gallery",
    title: () => title("gallery"),
    icon: "layers",
    tag: "st-gallery-panel",
    load: () => import("./gallery_panel.ts"),
  },
  {
    id: "theme",
    title: () => title("themeEditor"),
    icon: "palette",
    tag: "st-theme-panel",
    load: () => import("./theme_panel.ts"),
    permission: "settings.admin",
  },
];

export const designScreens: readonly Screen[] = [{
  id: "design",
  title: () => title("design"),
  icon: "palette",
  isOfProject: false,
  isInBar: false,
  keywords: () => title("settings"),
  layout: {
    split: "row",
    areas: [{ panels: ["gallery"], size: 0.68 }, { panels: ["theme"], size: 0.32 }],
  },
}];
