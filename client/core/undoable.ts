import { history } from "./history.ts";

/** Something that is in the history: as its undo it may be given to a toast, which then knows when it is past. */
export interface Noted<Facts> {
  (): Promise<void>;
  /** Whether there is still something to take back. */
  isDone(): boolean;
  /** It was noted ahead: until `act` ends its undo waits, and refused it goes. Returns and throws what `act` does. */
  settle<T>(act: Promise<T>): Promise<T>;
  amend(label: string, facts: Facts): void;
}

/** Notes in the history what was just done, or is about to be; returns its undo. */
export type Note<Facts> = (label: string, facts: Facts) => Noted<Facts>;

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
    return Object.assign(() => history.takeBack(id), {
      isDone: () => history.isDone(id),
      settle: <T>(act: Promise<T>) => history.settle(id, act),
      amend: (label: string, facts: Facts) => history.amend(id, { label, memory: { verb, facts } }),
    });
  };
}

/** What became of something that was done to several things. */
export interface DoneToEach<One, Facts> {
  readonly undo: Noted<Facts>;
  /** Those to which it was done. */
  readonly done: readonly One[];
  /** Why it was not done to some; undefined where it was to all. */
  readonly refusal: unknown;
}

/**
 * Does something to each of several things and notes it ahead, so that Ctrl+Z at once means it. What is refused is
 * taken out of the note. Throws the refusal where all are refused; then nothing is noted.
 */
export async function doToEach<One, Facts>(
  many: readonly One[],
  act: (one: One) => Promise<unknown>,
  note: Note<Facts>,
  noted: (done: readonly One[]) => { readonly label: string; readonly facts: Facts },
): Promise<DoneToEach<One, Facts>> {
  const all = noted(many);
  const undo = note(all.label, all.facts);
  return await undo.settle(
    attempt(many, act).then(({ done, refusal }) => {
      if (refusal === undefined) return { undo, done, refusal };
      if (done.length === 0) throw refusal;
      const some = noted(done);
      undo.amend(some.label, some.facts);
      return { undo, done, refusal };
    }),
  );
}

async function attempt<One>(many: readonly One[], act: (one: One) => Promise<unknown>) {
  const results = await Promise.allSettled(many.map(act));
  const refused = results.find((result) => result.status === "rejected");
  return {
    done: many.filter((_, at) => results[at]?.status === "fulfilled"),
    refusal: refused?.reason as unknown,
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
