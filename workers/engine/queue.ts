import type { Graph } from "./graph.ts";

/** A prompt that was accepted. */
export interface QueueItem {
  /** Lower runs first. */
  readonly number: number;
  readonly promptId: string;
  /** The request's `prompt`, as coerced by validation. */
  readonly prompt: unknown;
  readonly graph: Graph;
  readonly extraData: Readonly<Record<string, unknown>>;
  readonly outputs: readonly string[];
  /** Epoch milliseconds. */
  readonly createTime: number;
}

/** `["name", data]` pairs, as the history shows them. */
export type StatusMessage = readonly [name: string, data: Readonly<Record<string, unknown>>];

/** What became of a prompt. */
export interface Outcome {
  readonly status: {
    readonly status_str: "success" | "error";
    readonly completed: boolean;
    readonly messages: readonly StatusMessage[];
  };
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>>;
}

/** A finished prompt and its outcome. */
export interface HistoryEntry extends Outcome {
  readonly item: QueueItem;
}

/** The history holds at most this many prompts; the oldest go first. */
export const HISTORY_LIMIT = 10_000;

/**
 * Prompts waiting, the one running, and those done. One runs at a time, in order of (number, prompt id).
 * `changed` is called after every change of what waits or runs.
 */
export class PromptQueue {
  #pending: QueueItem[] = [];
  #running: QueueItem | undefined;
  readonly #history = new Map<string, HistoryEntry>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Waiting prompts, the next to run first. */
  get pending(): readonly QueueItem[] {
    return this.#pending;
  }

  get running(): QueueItem | undefined {
    return this.#running;
  }

  /** How many wait or run. */
  get remaining(): number {
    return this.#pending.length + (this.#running ? 1 : 0);
  }

  put(item: QueueItem): void {
    const place = this.#pending.findIndex((other) => comesBefore(item, other));
    this.#pending.splice(place < 0 ? this.#pending.length : place, 0, item);
    this.#changed();
  }

  /** Makes the next waiting prompt the running one. */
  take(): QueueItem | undefined {
    if (this.#running) throw new Error("Cannot start a prompt while another runs");
    this.#running = this.#pending.shift();
    if (this.#running) this.#changed();
    return this.#running;
  }

  /** Moves the running prompt into the history; the change is announced after it is there. */
  finish(outcome: Outcome): void {
    const item = this.#running;
    if (!item) throw new Error("Cannot finish a prompt: none runs");
    this.#running = undefined;
    this.#history.delete(item.promptId);
    const oldest = this.#history.keys().next();
    if (this.#history.size >= HISTORY_LIMIT && !oldest.done) this.#history.delete(oldest.value);
    this.#history.set(item.promptId, { item, ...outcome });
    this.#changed();
  }

  /** Drops waiting prompts with these ids; says how many. They leave no trace in the history. */
  remove(ids: readonly string[]): number {
    const before = this.#pending.length;
    this.#pending = this.#pending.filter((item) => !ids.includes(item.promptId));
    if (this.#pending.length !== before) this.#changed();
    return before - this.#pending.length;
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#pending = [];
    this.#changed();
  }

  find(promptId: string): HistoryEntry | undefined {
    return this.#history.get(promptId);
  }

  /**
   * Finished prompts, oldest first. Without an offset the last `maxItems`; with one, `maxItems` from there.
   */
  history(maxItems?: number, offset = -1): HistoryEntry[] {
    const all = [...this.#history.values()];
    const start = offset >= 0 ? offset : maxItems === undefined ? 0 : Math.max(0, all.length - maxItems);
    return all.slice(start, maxItems === undefined ? undefined : start + maxItems);
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#history.delete(id);
  }

  forgetAll(): void {
    this.#history.clear();
  }
}

function comesBefore(a: QueueItem, b: QueueItem): boolean {
  return a.number < b.number || (a.number === b.number && a.promptId < b.promptId);
}
