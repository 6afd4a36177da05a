import { signal } from "@lit-labs/signals";

/** What commands do to the theme that is edited; the editor, which is heavy, brings it along when it opens. */
export interface ThemeEditing {
  hasDraft(): boolean;
  unreadablePairs(): readonly unknown[];
  changedPaths(): readonly string[];
  saveDraft(allowsLowContrast: boolean): Promise<void>;
  discardDraft(): void;
  resetToken(path: string): void;
  exportTheme(): string;
  importTheme(text: string): readonly { readonly path: string; readonly problem: string }[];
}

const editing = signal<ThemeEditing | undefined>(undefined);

/** The open editor's verbs; undefined while none is open. */
export function themeEditing(): ThemeEditing | undefined {
  return editing.get();
}

export function openThemeEditing(verbs: ThemeEditing | undefined): void {
  editing.set(verbs);
}
