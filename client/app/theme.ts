import { signal } from "@lit-labs/signals";
import { showKeptStudioCss } from "#client/design/studio_sheet.ts";
import { type ThemeName, THEMES } from "#client/design/tokens.ts";

export type Theme = ThemeName;

const KEY = "seedloop.theme";
const current = signal<Theme>(readKept());

/** The theme that shows: dark, until a person chose another on this browser. */
export function theme(): Theme {
  return current.get();
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  current.set(chosen);
  applyTheme();
}

/** Sets the chosen theme on the page, with what the studio changes of it. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = current.get();
  showKeptStudioCss();
}

function readKept(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((name) => name === kept) ?? "dark";
}
