import { signal } from "@lit-labs/signals";

export type Theme = "dark" | "light";

const KEY = "seedloop.theme";
const current = signal<Theme>(localStorage.getItem(KEY) === "light" ? "light" : "dark");

/** The theme that shows: dark, until a person chose light on this browser. */
export function theme(): Theme {
  return current.get();
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  current.set(chosen);
  applyTheme();
}

/** Sets the chosen theme on the page. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = current.get();
}
