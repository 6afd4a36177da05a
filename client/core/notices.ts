import { signal } from "@lit-labs/signals";
import { ApiError } from "./call.ts";

/** What kind of news: shown by shape as well as colour; "failed" stays until it is put away. */
export type NoticeKind = "done" | "info" | "attention" | "failed";

/** Takes back what was done. One of the history knows when there is nothing to take back any more. */
export interface Undo {
  (): void | Promise<void>;
  isDone?(): boolean;
}

export interface Notice {
  readonly id: number;
  readonly kind: NoticeKind;
  /** One sentence, without full stop. */
  readonly text: string;
  /** Takes back what was done; the notice offers it as long as it shows. */
  readonly undo?: Undo | undefined;
  /** Why, the mend and, of the studio's refusals, the id for an admin. */
  readonly cause?: string | undefined;
  readonly requestId?: string | undefined;
}

export interface News {
  readonly kind: NoticeKind;
  readonly text: string;
  readonly undo?: Undo | undefined;
  /** Anything that was thrown: its own sentence is shown under the text. */
  readonly error?: unknown;
}

const MOST_KEPT = 5;
const shown = signal<readonly Notice[]>([]);
let last = 0;

/** What shows now, oldest first. */
export function notices(): readonly Notice[] {
  return shown.get();
}

/** Shows a toast and returns its id. The same text twice replaces the first one. */
export function tell({ kind, text, undo, error }: News): number {
  const { cause, requestId } = explain(error);
  const notice: Notice = {
    id: ++last,
    kind,
    text,
    undo,
    cause: cause === text ? undefined : cause,
    requestId,
  };
  shown.set([...shown.get().filter((one) => one.text !== text), notice].slice(-MOST_KEPT));
  return notice.id;
}

/** Shows that something failed; without `text` the error's own sentence is all there is to say. */
export function tellError(error: unknown, text?: string): number {
  return tell({ kind: "failed", text: text ?? explain(error).cause ?? String(error), error });
}

/** Puts a toast away. */
export function dismiss(id: number): void {
  shown.set(shown.get().filter((one) => one.id !== id));
}

function explain(error: unknown): { cause: string | undefined; requestId: string | undefined } {
  if (error === undefined) return { cause: undefined, requestId: undefined };
  if (error instanceof ApiError) return { cause: error.message, requestId: error.requestId || undefined };
  return { cause: error instanceof Error ? error.message : String(error), requestId: undefined };
}
