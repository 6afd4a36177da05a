import { type Note, undoable } from "#client/core/undoable.ts";
import { chooseTheme, type Theme, theme } from "./theme.ts";

interface ThemeFacts {
  readonly before: Theme;
  readonly after: Theme;
}

const noteTheme: Note<ThemeFacts> = undoable<ThemeFacts>("app.theme", {
  undo: ({ before }) => Promise.resolve(chooseTheme(before)),
  redo: ({ after }) => Promise.resolve(chooseTheme(after)),
});

/** Shows another theme, as a change that the history, where it is called `label`, takes back. */
export function changeTheme(after: Theme, label: string): void {
  const before = theme();
  if (before === after) return;
  chooseTheme(after);
  noteTheme(label, { before, after });
}
