import type { PromptEvent } from "./events.ts";

/** How long healthy runs were silent at most: between two steps of one node, and else (loading, coding, saving). */
export interface LongestSilence {
  readonly stepMs: number | null;
  readonly restMs: number | null;
}

/** How long a running prompt has shown no progress. Repeated states are none: only what moved counts. */
export class Silence {
  #since: number;
  #isStepping = false;
  #stepMs: number | null = null;
  #restMs: number | null = null;
  readonly #values = new Map<string, number>();

  /** @param now Milliseconds of a clock that never goes back. */
  constructor(now: number) {
    this.#since = now;
  }

  /** The longest so far, this run's. */
  get longest(): LongestSilence {
    return { stepMs: this.#stepMs, restMs: this.#restMs };
  }

  /** Whether it is between two steps of a node, whose length is known; else anything may take its time. */
  get isStepping(): boolean {
    return this.#isStepping;
  }

  ms(now: number): number {
    return now - this.#since;
  }

  /** It waits its turn on the worker: its silence has not begun. */
  waits(now: number): void {
    this.#since = now;
  }

  take(event: PromptEvent, now: number): void {
    // How long a run is silent before it fails says nothing of healthy ones.
    if (event.type === "ended" || event.type === "ending") return;
    // Until here it waited its turn.
    if (event.type === "started") return this.waits(now);
    if (event.type !== "progress") return this.#moved(now, false);
    let hasMoved = false;
    let isStepping = false;
    for (const { node, value, max, finished } of event.nodes) {
      const reached = finished ? Infinity : value;
      hasMoved ||= reached !== this.#values.get(node);
      this.#values.set(node, reached);
      isStepping ||= !finished && max > 1 && value > 0 && value < max;
    }
    if (hasMoved) this.#moved(now, isStepping);
  }

  #moved(now: number, isStepping: boolean): void {
    const gap = now - this.#since;
    if (this.#isStepping) this.#stepMs = Math.max(this.#stepMs ?? 0, gap);
    else this.#restMs = Math.max(this.#restMs ?? 0, gap);
    this.#since = now;
    this.#isStepping = isStepping;
  }
}

/** Between steps: this many times the longest learned one, but never less or more than these. */
const STEP = { times: 8, leastMs: 60_000, mostMs: 900_000 };
/** A model that is read from a cold disk is silent for minutes, and no run before has shown that. */
const REST = { times: 4, leastMs: 300_000, mostMs: 1_800_000 };

/**
 * How long a prompt may be silent before its worker is suspected. What nobody has learned yet has the most, as has a
 * prompt whose events do not come to us.
 */
export function patienceMs(silence: Silence, learned: LongestSilence | undefined, isHeard: boolean): number {
  if (!isHeard) return REST.mostMs;
  const { times, leastMs, mostMs } = silence.isStepping ? STEP : REST;
  const known = silence.isStepping ? [learned?.stepMs, silence.longest.stepMs] : [learned?.restMs];
  const longest = Math.max(...known.map((ms) => ms ?? 0));
  return longest === 0 ? mostMs : Math.min(mostMs, Math.max(leastMs, times * longest));
}
