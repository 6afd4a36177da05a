import type { ThemeName } from "#client/design/tokens.ts";
import type { IconName } from "#client/ui/icons.ts";
import { w } from "./words.ts";

/** What people call a theme. */
export function themeLabel(name: ThemeName): string {
  const labels: Readonly<Record<ThemeName, () => string>> = {
    dark: () => w("themeDark"),
    light: () => w("themeLight"),
    "contrast-dark": () => w("themeContrastDark"),
    "contrast-light": () => w("themeContrastLight"),
    review: () => w("themeReview"),
  };
  return labels[name]();
}

export const THEME_ICONS: Readonly<Record<ThemeName, IconName>> = {
  dark: "moon",
  light: "sun",
  "contrast-dark": "contrast",
  "contrast-light": "contrast",
  review: "eye",
};
