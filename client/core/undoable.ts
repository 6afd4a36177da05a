import { history } from "./history.ts";

/** Notes in the history what was just done; returns its undo, for a toast. */
export type Note<Facts> = (label: string, facts: Facts) => () => Promise<void>;

/**
 * Makes a kind of change one that history takes back and does again from its facts (JSON) alone, also after a reload
 * and on another device. Call it once for each verb, beside the commands that make the change.
 */
export function undoable<Facts>(
  verb: string,
  how: { undo(facts: Facts): Promise<void>; redo(facts: Facts): Promise<void> },
): Note<Facts> {
  history.registerVerb(verb, {
    // What the note below wrote.
    undo: (facts) => how.undo(facts as Facts),
    redo: (facts) => how.redo(facts as Facts),
  });
  return (label, facts) => {
    const id = history.record({ label, memory: { verb, facts } });
    return async () => {
      if (history.at === id) return await history.undo();
      // Something else was done since: taking this back is a change of its own.
      await how.undo(facts);
      history.record({ label: `↶ ${label}`, undo: () => how.redo(facts), redo: () => how.undo(facts) });
    };
  };
}

/** Something that one may change, before and after. */
export interface Changed<Change> {
  readonly projectId: string;
  readonly id: string;
  readonly before: Change;
  readonly after: Change;
}

/** undoable() for a change of some fields: `apply` writes either side. */
export function undoableChange<Change>(
  verb: string,
  apply: (target: Pick<Changed<Change>, "projectId" | "id">, change: Change) => Promise<void>,
): Note<Changed<Change>> {
  return undoable<Changed<Change>>(verb, {
    undo: ({ before, ...target }) => apply(target, before),
    redo: ({ after, ...target }) => apply(target, after),
  });
}
