import { session } from "#client/auth/session_store.ts";
import { live } from "#client/core/live.ts";
import { tell } from "#client/core/notices.ts";
import { workspace } from "#client/core/workspace.ts";
import { bindView } from "#client/core/workspace_bindings.ts";
import { dock } from "./dock_store.ts";
import { boundKeys, restoreKeys, type Stroke } from "./keymap.ts";
import { w } from "./words.ts";

/** Longer than this nobody waits to see the studio: what was kept then shows when it comes. */
const PATIENCE_MS = 1_500;

/**
 * Opens the workspace of who is signed in and keeps the shell's share in it: layouts of each view, one's own layouts
 * and keys everywhere. Resolves when it shows, with the function that saves what is left and closes it.
 */
export async function openWorkspace(): Promise<() => void> {
  const { me } = session;
  if (!me) return () => {};
  const stops = [
    bindView(workspace),
    workspace.bind({
      name: "layouts",
      read: () => dock.document.layouts,
      write: (kept) => kept === undefined || dock.restoreLayouts(kept),
    }),
    workspace.bind({
      name: "own_layouts",
      isShared: true,
      read: () => ({ mine: dock.document.mine, isLocked: dock.isLocked }),
      write: (kept) => kept === undefined || dock.restoreOwn(kept),
    }),
    workspace.bind({
      name: "keys",
      isShared: true,
      read: boundKeys,
      write: (kept) => isKeys(kept) && restoreKeys(kept),
    }),
  ];
  const opening = workspace.open({
    userId: me.userId,
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

function isKeys(kept: unknown): kept is Record<string, readonly Stroke[]> {
  return typeof kept === "object" && kept !== null &&
    Object.values(kept).every((strokes) =>
      Array.isArray(strokes) && strokes.every((one) => typeof one === "string")
    );
}
