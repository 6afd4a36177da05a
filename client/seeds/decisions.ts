import { signal } from "@lit-labs/signals";

/** A decision of culling that can be taken back. */
export interface Decision {
  /** What was decided, as the one who takes it back reads it. */
  readonly label: string;
  readonly undo: () => Promise<void>;
}

/** As many as one may remember having made. */
const KEPT = 200;
const made = signal<readonly Decision[]>([]);

/** Remembers a decision: a hundred of them in a minute are no news, but each can be taken back. */
export function noteDecision(decision: Decision): void {
  made.set([...made.get(), decision].slice(-KEPT));
}

/** What would be taken back now. */
export function lastDecision(): Decision | undefined {
  return made.get().at(-1);
}

/** Takes the last decision back. It stays when the studio refuses. */
export async function takeBackLast(): Promise<void> {
  const last = lastDecision();
  if (!last) return;
  await last.undo();
  made.set(made.get().filter((one) => one !== last));
}
