import type { Command } from "#client/core/commands.ts";
import { history, HISTORY_START } from "#client/core/history.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { w } from "./words.ts";

const chosen = keptSignal<string | undefined>("history_chosen", undefined);
const renamed = keptSignal<{ readonly id: string; readonly text: string } | undefined>(
  "history_renaming",
  undefined,
);

/** The point that is chosen in the panel. */
export function chosenPoint(): string | undefined {
  return chosen.get();
}

export function choosePoint(id: string | undefined): void {
  chosen.set(id);
}

/** The point whose name is being typed, and how far one has got. */
export function pointNaming(): { readonly id: string; readonly text: string } | undefined {
  return renamed.get();
}

/** Begins to name a point, by the name it has, or goes on with `text`; undefined ends it. */
export function namePoint(id: string | undefined, text?: string): void {
  renamed.set(id === undefined ? undefined : { id, text: text ?? history.nameOf(id) ?? "" });
}

/** What a point of the tree is called: its name, else what was done. */
export function titleOfPoint(id: string): string {
  return history.nameOf(id) ?? history.nodes.get(id)?.label ?? w("start");
}

const pointOf = (target: unknown) => typeof target === "string" ? target : chosen.get();

function whyNotUndo(): string {
  const why = history.whyNotUndo();
  return why === "start" ? w("nothingBefore") : why === "final" ? w("isFinal") : w("isForgotten");
}

/** Undo, redo, and the walk through the tree. */
export const historyCommands: readonly Command[] = [
  {
    id: "history.undo",
    label: () => history.undoLabel === undefined ? w("undo") : w("undoWhat", { what: history.undoLabel }),
    group: () => w("history"),
    icon: "undo",
    keys: ["mod+z"],
    permission: null,
    repeats: true,
    when: () => !history.isFull && (history.isBusy || history.whyNotUndo() === undefined),
    whyNot: whyNotUndo,
    run: () => history.undo(),
  },
  {
    id: "history.redo",
    label: () => history.redoLabel === undefined ? w("redo") : w("redoWhat", { what: history.redoLabel }),
    group: () => w("history"),
    icon: "redo",
    keys: ["mod+shift+z", "mod+y"],
    permission: null,
    repeats: true,
    when: () => !history.isFull && (history.isBusy || history.redoLabel !== undefined),
    whyNot: () => w("nothingNext"),
    run: () => history.redo(),
  },
  {
    id: "history.go_to",
    label: () => w("goTo"),
    group: () => w("history"),
    icon: "history",
    keys: ["enter"],
    permission: null,
    scope: "history",
    when: (target) => {
      const id = pointOf(target);
      return id !== undefined && id !== history.at && !history.isBusy;
    },
    whyNot: (target) => pointOf(target) === undefined ? w("nothingChosen") : w("isHere"),
    run: (target) => history.goTo(pointOf(target) ?? history.at),
  },
  {
    id: "history.name",
    label: () => w("name"),
    group: () => w("history"),
    icon: "bookmark",
    keys: ["f2"],
    permission: null,
    scope: "history",
    when: (target) => {
      const id = pointOf(target);
      return id !== undefined && id !== HISTORY_START;
    },
    whyNot: () => w("nothingChosen"),
    run: (target) => namePoint(pointOf(target)),
  },
];
