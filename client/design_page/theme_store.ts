import { computed } from "@lit-labs/signals";
import type { MeasuredPair } from "#server/core/contrast.ts";
import { measurePairs } from "#server/core/contrast.ts";
import { type DesignToken, readTokenFiles, type TokenSet } from "#server/core/design_tokens.ts";
import { studioCss, writtenPaths } from "#server/core/studio_css.ts";
import { saveStudioTokens, type StudioTokens, type TokenFile } from "#server/settings/contract.ts";
import { theme } from "#client/app/theme.ts";
import { call } from "#client/core/call.ts";
import { follow } from "#client/core/follow.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { tell } from "#client/core/notices.ts";
import { previewCss, showStudioCss } from "#client/design/studio_sheet.ts";
import { type ThemeName, THEMES } from "#client/design/tokens.ts";
import { learnStudioTokens, studioTokens } from "./studio_tokens.ts";
import { isHighContrast, THEME_FILES, writeToken } from "./themes.ts";
import { w } from "./words.ts";

type Themes = StudioTokens["themes"];

/** What an admin has changed and not saved; undefined while that is nothing. */
const draft = keptSignal<Themes | undefined>("theme_draft", undefined, { isShared: true });
const themes = computed<Themes>(() => draft.get() ?? studioTokens()?.themes ?? {});
const tokenSet = computed<TokenSet>(() =>
  readTokenFiles([...THEME_FILES[theme()], ownFile(themes.get(), theme())])
);
const plainSet = computed<TokenSet>(() => readTokenFiles(THEME_FILES[theme()]));
const pairs = computed<readonly MeasuredPair[]>(() =>
  measurePairs(tokenSet.get().tokens, isHighContrast(theme()))
);

/** The tokens of the theme that shows, with what is changed and not saved. */
export function shownTokens(): ReadonlyMap<string, DesignToken> {
  return tokenSet.get().tokens;
}

/** What is wrong in the theme that shows. */
export function tokenFaults(): TokenSet["faults"] {
  return tokenSet.get().faults;
}

/** Every pair of text and ground in the theme that shows, with its contrast. */
export function shownPairs(): readonly MeasuredPair[] {
  return pairs.get();
}

/** A token as Seedloop comes with it. */
export function plainToken(path: string): DesignToken | undefined {
  return plainSet.get().tokens.get(path);
}

/** The tokens of the theme that shows which the studio, or the draft, changes. */
export function changedPaths(): readonly string[] {
  return writtenPaths(ownFile(themes.get(), theme()));
}

export function hasDraft(): boolean {
  return draft.get() !== undefined;
}

/** Pairs that the draft leaves hard to read, in any theme that it changes. */
export function unreadablePairs(): readonly MeasuredPair[] {
  return THEMES.filter((name) => themes.get()[name] !== undefined).flatMap((name) => {
    const { tokens } = readTokenFiles([...THEME_FILES[name], ownFile(themes.get(), name)]);
    return measurePairs(tokens, isHighContrast(name)).filter(({ ratio, needed }) => ratio < needed);
  });
}

/** Changes a token of the theme that shows, for this page only until it is saved. */
export function changeToken(path: string, value: unknown): void {
  const token = shownTokens().get(path);
  if (token) setOwn(theme(), writeToken(ownFile(themes.get(), theme()), path, { type: token.type, value }));
}

/** Puts a token back to what Seedloop comes with. */
export function resetToken(path: string): void {
  setOwn(theme(), writeToken(ownFile(themes.get(), theme()), path, undefined));
}

export function discardDraft(): void {
  draft.set(undefined);
  showDraft();
}

/** Saves the draft for everybody in the studio; offers to take it back. Throws ApiError. */
export async function saveDraft(allowsLowContrast: boolean): Promise<void> {
  const before = studioTokens();
  const wanted = draft.get();
  if (!before || !wanted) return;
  await save(wanted, before.changedAt, allowsLowContrast);
  tell({
    kind: "done",
    text: w("saved"),
    undo: () => save(before.themes, studioTokens()?.changedAt ?? null, true),
  });
}

async function save(wanted: Themes, basedOn: string | null, allowsLowContrast: boolean): Promise<void> {
  learnStudioTokens(await call(saveStudioTokens, { body: { themes: wanted, basedOn, allowsLowContrast } }));
  draft.set(undefined);
}

/** The theme that shows as one token file: Seedloop's and the studio's tokens together. */
export function exportTheme(): string {
  const file = [...shownTokens().values()].reduce<Readonly<Record<string, unknown>>>(
    (whole, token) => writeToken(whole, token.path, token),
    {},
  );
  return `${JSON.stringify({ $description: `Seedloop, ${theme()}`, ...file }, null, 2)}\n`;
}

/** Takes a token file into the draft of the theme that shows. Returns what is wrong in it; then nothing is taken. */
export function importTheme(text: string): TokenSet["faults"] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return [{ path: "", problem: "is no JSON" }];
  }
  const { tokens, faults } = readTokenFiles([...THEME_FILES[theme()], file]);
  if (faults.length > 0) return faults;
  const plain = plainSet.get().tokens;
  const strange = writtenPaths(file).filter((path) => !plain.has(path) && !path.startsWith("studio."));
  if (strange.length > 0) return strange.map((path) => ({ path, problem: "is no token of Seedloop" }));
  // What is as Seedloop has it needs no mention.
  const own = writtenPaths(file).reduce<Readonly<Record<string, unknown>>>((whole, path) => {
    const token = tokens.get(path);
    const isSame = JSON.stringify(token?.value) === JSON.stringify(plain.get(path)?.value);
    return token && !isSame ? writeToken(whole, path, token) : whole;
  }, {});
  setOwn(theme(), own);
  return [];
}

/** Shows the draft on the page as it changes; returns how to stop, which shows the saved tokens again. */
export function followDraft(): () => void {
  const stop = follow(showDraft);
  return () => {
    stop();
    const saved = studioTokens();
    if (saved) showStudioCss(saved.css);
  };
}

function showDraft(): void {
  const wanted = draft.get();
  const saved = studioTokens();
  if (!wanted) {
    if (saved) previewCss(saved.css);
    return;
  }
  previewCss(studioCss(
    THEMES.filter((name) => wanted[name] !== undefined).map((name) => ({
      name,
      isHighContrast: isHighContrast(name),
      files: THEME_FILES[name],
      own: ownFile(wanted, name),
    })),
  ));
}

function ownFile(all: Themes, name: ThemeName): TokenFile {
  return all[name] ?? {};
}

function setOwn(name: ThemeName, file: Readonly<Record<string, unknown>>): void {
  const { [name]: _, ...others } = themes.get();
  draft.set(Object.keys(file).length === 0 ? others : { ...others, [name]: { ...file } });
}
