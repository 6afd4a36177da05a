import { panelStates, restorePanelStates, screens } from "./panels.ts";
import { addressOf, go, type Place, place, select, type Selection, selection } from "./place.ts";
import type { WorkspaceStore } from "./workspace.ts";

/** Keeps what the core itself knows of a view: what panels remember, the open place, the selection. */
export function bindView(workspace: WorkspaceStore): () => void {
  const stops = [
    workspace.bindMap({
      name: "panels",
      read: panelStates,
      write: (kept) => restorePanelStates(asStates(kept)),
    }),
    workspace.bind({
      name: "place",
      read: () => ({ ...place() }),
      write: (kept, { isOpening }) => {
        // A link that was opened says itself where to go, and from then on that is where one is.
        if (isOpening && location.pathname !== "/") return keepPlace(workspace);
        if (isPlace(kept)) go(kept, { replace: true });
      },
    }),
    workspace.bind({
      name: "selection",
      read: () => selection() ?? null,
      write: (kept) => isSelection(kept) ? select(kept.kind, kept.ids) : select("seed", []),
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

function keepPlace(workspace: WorkspaceStore): void {
  const { entity, screen } = place();
  const isSomewhere = entity !== undefined || screens().some(({ id }) => id === screen);
  if (isSomewhere) workspace.set("place", { ...place() }, { isShared: false });
}

function asStates(kept: Readonly<Record<string, unknown>>): Record<string, Record<string, unknown>> {
  const entries = Object.entries(kept).filter(([, state]) => typeof state === "object" && state !== null);
  // Just looked at.
  return Object.fromEntries(entries) as Record<string, Record<string, unknown>>;
}

function isPlace(kept: unknown): kept is Place {
  if (typeof kept !== "object" || kept === null) return false;
  try {
    return addressOf(kept as Place) !== "/";
  } catch {
    return false;
  }
}

function isSelection(kept: unknown): kept is Selection {
  return typeof kept === "object" && kept !== null && "kind" in kept && "ids" in kept &&
    Array.isArray(kept.ids);
}
