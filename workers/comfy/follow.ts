import { delay } from "#server/core/time.ts";
import { errorMessage } from "#server/core/errors.ts";
import { Retry } from "#workers/kit/handle.ts";
import type { PromptEvent } from "./events.ts";
import { isPassing } from "./failure.ts";
import type { HistoryEntry } from "./history.ts";
import type { Truth } from "./truth.ts";
import type { WorkerLink } from "./worker_link.ts";

/** Absent from queue and history so many times in a row: the worker has forgotten it. */
const LOST_AFTER = 2;
/** Readings that follow a hint before the slow pace returns. */
const HINTED_READINGS = 6;

export interface FollowOptions {
  readonly promptId: string;
  /** The client id it was submitted under; undefined for a prompt of an earlier process. */
  readonly clientId: string | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PromptEvent) => void;
  readonly onPreview: (image: Uint8Array, mediaType: string) => void;
}

/**
 * Hears of a prompt from its making on (before the submit, so that nothing is missed) until `stop`. Events
 * only hasten the reading of the truth.
 */
export class PromptFollower {
  readonly stop: () => void;
  readonly #link: WorkerLink;
  readonly #options: FollowOptions;
  readonly #pace: Pace;

  constructor(link: WorkerLink, options: FollowOptions) {
    this.#link = link;
    this.#options = options;
    this.#pace = new Pace(link);
    this.stop = link.listen(options.promptId, {
      onPreview: options.onPreview,
      onGap: () => this.#pace.hurry(1),
      onEvent: (event) => {
        this.#pace.hear(event);
        options.onEvent(event);
      },
    });
  }

  /**
   * The worker's record of the ended prompt. Throws Retry("prompt_forgotten") when the worker forgot the prompt,
   * Retry("worker_gone") when it answers no more.
   */
  async untilEnded(): Promise<HistoryEntry> {
    const { promptId, signal } = this.#options;
    const link = this.#link;
    let misses = 0;
    let answeredAt = performance.now();
    for (;;) {
      await this.#pace.wait(signal);
      let truth: Truth;
      try {
        truth = await link.truth(promptId, signal, this.#pace.sawEnd);
      } catch (problem) {
        if (signal.aborted || !isPassing(problem)) throw problem;
        if (performance.now() - answeredAt > link.timings.goneAfterMs) throw gone(link, problem);
        continue;
      }
      answeredAt = performance.now();
      if (truth.state === "ended") {
        this.#checkHeard();
        return truth.entry;
      }
      misses = truth.state === "unknown" ? misses + 1 : 0;
      if (misses >= LOST_AFTER) throw forgotten(link, promptId);
      if (misses > 0) this.#pace.hurry(1);
      if (truth.state === "running" && this.#isOurs) this.#pace.checkSilence();
    }
  }

  /** The prompt's events are sent to this socket. */
  get #isOurs(): boolean {
    return this.#options.clientId === this.#link.socket.clientId;
  }

  /** The word of the end is on its way to the socket, if the socket lives. */
  #checkHeard(): void {
    if (!this.#pace.sawEnd && this.#isOurs) this.#link.socket.expectFrame(this.#link.timings.statusMs);
  }
}

/** When the truth is read next: slowly by itself, at once after a hint. */
class Pace {
  sawEnd = false;
  readonly #link: WorkerLink;
  #hurried = 0;
  #now = false;
  #wake: () => void = () => {};
  #patienceMs: number;

  constructor(link: WorkerLink) {
    this.#link = link;
    this.#patienceMs = link.timings.silentMs;
  }

  hear(event: PromptEvent): void {
    if (event.type === "ended") {
      this.sawEnd = true;
      this.#now = true;
    }
    // History is written between these two.
    if (event.type === "ended" || event.type === "ending") this.hurry(HINTED_READINGS);
  }

  hurry(readings: number): void {
    this.#hurried = Math.max(this.#hurried, readings);
    this.#wake();
  }

  async wait(signal: AbortSignal): Promise<void> {
    const { pollMs, hintMs } = this.#link.timings;
    // A wake during the wait starts it again, at the new pace.
    for (;;) {
      if (this.#now) break;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const ms = this.#hurried > 0 ? Math.min(hintMs, pollMs) : pollMs;
      try {
        await delay(ms, AbortSignal.any([signal, woken.signal]));
        break;
      } catch (problem) {
        if (signal.aborted) throw problem;
      } finally {
        this.#wake = () => {};
      }
    }
    signal.throwIfAborted();
    this.#now = false;
    if (this.#hurried > 0) this.#hurried--;
  }

  /** A socket without a frame while our prompt runs may be half-open. Loading a model is silent too: ever rarer. */
  checkSilence(): void {
    if (this.#link.socket.silentForMs < this.#patienceMs) return;
    this.#patienceMs *= 2;
    this.#link.socket.suspect("silent while a prompt runs");
  }
}

function gone(link: WorkerLink, problem: Error): Retry {
  const message = `Cannot follow the prompt: ${link.client.url} stopped answering while it ran: ${
    errorMessage(problem)
  }`;
  return new Retry(message, "worker_gone", { cause: problem });
}

function forgotten(link: WorkerLink, promptId: string): Retry {
  const message = `Cannot follow prompt ${promptId}: ${link.client.url} knows nothing of it any more; ` +
    "it was restarted, or somebody removed the prompt from its queue; it is submitted anew";
  return new Retry(message, "prompt_forgotten");
}
