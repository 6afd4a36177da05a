import { session } from "#client/auth/session_store.ts";
import { live } from "#client/core/live.ts";
import { tell } from "#client/core/notices.ts";
import { workspace } from "#client/core/workspace.ts";
import { bindView } from "#client/core/workspace_bindings.ts";
import { chooseLanguage, language } from "#client/core/words.ts";
import { THEMES } from "#client/design/tokens.ts";
import { dock } from "./dock_store.ts";
import { allowSingleKeys, boundKeys, restoreKeys, singleKeys, type Stroke } from "./keymap.ts";
import { chooseTheme, theme } from "./theme.ts";
import { w } from "./words.ts";

/**
 * Longer than this nobody waits to see the studio: what was kept then shows when it comes, over what was done
 * meanwhile. Only a browser that has nothing yet, and a studio that is slow, come near it.
 */
const PATIENCE_MS = 10_000;

/**
 * Opens the workspace of who is signed in and keeps the shell's share in it: layouts of each view, one's own layouts
 * and keys everywhere. A panel's own window, which has the `slot` of the tab that opened it, keeps no layout. Resolves when it shows, with the function that saves what is left and closes it.
 */
export async function openWorkspace(slot?: number): Promise<() => void> {
  const { me } = session;
  if (!me) return () => {};
  const stops = [...slot === undefined ? bindShell() : [], ...bindSettings()];
  const opening = workspace.open({
    userId: me.userId,
    ownerSlot: slot,
    live,
    branched: () => tell({ kind: "attention", text: w("branched") }),
    refused: (name, problem) => tell({ kind: "failed", text: w("notKept", { name }), error: problem }),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, PATIENCE_MS));
  await Promise.race([opening.catch(() => {}), patience]);
  clearTimeout(timer);
  return () => {
    for (const stop of stops) stop();
    void workspace.close();
  };
}

/** What the studio's own window shows, in its own view, and the layouts that one has made. */
function bindShell(): (() => void)[] {
  return [
    bindView(workspace),
    workspace.bind({
      name: "layouts",
      keepsWhatShows: true,
      read: () => dock.document.layouts,
      write: (kept) => kept === undefined || dock.restoreLayouts(kept),
    }),
    workspace.bind({
      name: "own_layouts",
      keepsWhatShows: true,
      isShared: true,
      read: () => ({ mine: dock.document.mine, isLocked: dock.isLocked }),
      write: (kept) => kept === undefined || dock.restoreOwn(kept),
    }),
    workspace.bind({
      name: "active_panel",
      keepsWhatShows: true,
      read: () => ({ id: dock.active?.id, isFocused: dock.isFocused }),
      write: (kept) => isActive(kept) && restoreActive(kept),
    }),
  ];
}

function bindSettings(): (() => void)[] {
  return [
    workspace.bind({
      name: "settings",
      keepsWhatShows: true,
      isShared: true,
      read: () => ({ theme: theme(), language: language(), hasSingleKeys: singleKeys() }),
      write: (kept) => typeof kept === "object" && kept !== null && restoreSettings(kept),
    }),
    workspace.bind({
      name: "keys",
      keepsWhatShows: true,
      isShared: true,
      read: boundKeys,
      write: (kept) => isKeys(kept) && restoreKeys(kept),
    }),
  ];
}

interface ActivePanel {
  readonly id?: string;
  readonly isFocused: boolean;
}

function isActive(kept: unknown): kept is ActivePanel {
  return typeof kept === "object" && kept !== null && "isFocused" in kept &&
    (!("id" in kept) || typeof kept.id === "string");
}

function restoreActive({ id, isFocused }: ActivePanel): void {
  if (id !== undefined) dock.setActive(id);
  dock.focusOnActive(isFocused);
}

function restoreSettings(kept: { theme?: unknown; language?: unknown; hasSingleKeys?: unknown }): void {
  const known = THEMES.find((name) => name === kept.theme);
  if (known && known !== theme()) chooseTheme(known);
  if ((kept.language === "en" || kept.language === "de") && kept.language !== language()) {
    chooseLanguage(kept.language);
  }
  if (typeof kept.hasSingleKeys === "boolean") allowSingleKeys(kept.hasSingleKeys);
}

function isKeys(kept: unknown): kept is Record<string, readonly Stroke[]> {
  return typeof kept === "object" && kept !== null &&
    Object.values(kept).every((strokes) =>
      Array.isArray(strokes) && strokes.every((one) => typeof one === "string")
    );
}
