import { delay } from "#server/core/time.ts";
import type { ComfyClient } from "./client.ts";
import { isPassing } from "./failure.ts";
import type { Timings } from "./timings.ts";

/**
 * Whether a worker's GPU is at fault: from the prompt that showed it until its process was started anew. A process
 * that still has that prompt in its history is the same one.
 */
export class Poison {
  readonly #client: ComfyClient;
  readonly #timings: Timings;
  readonly #signal: AbortSignal;
  readonly #onChange: (reason: string | undefined) => void;
  #found: { readonly promptId: string; readonly reason: string } | undefined;

  /** @param onChange Told once of each fault, and of its end. */
  constructor(
    client: ComfyClient,
    timings: Timings,
    signal: AbortSignal,
    onChange: (reason: string | undefined) => void,
  ) {
    this.#client = client;
    this.#timings = timings;
    this.#signal = signal;
    this.#onChange = onChange;
  }

  /** Why nothing can run there until ComfyUI is restarted; undefined when nothing is known against it. */
  get reason(): string | undefined {
    return this.#found?.reason;
  }

  /** A prompt failed in a way that every later one will. */
  found(promptId: string, reason: string): void {
    if (this.#found !== undefined) return;
    this.#found = { promptId, reason };
    this.#onChange(reason);
  }

  /** After a gap: another process may answer now. Asks until it is known. */
  async lookAgain(): Promise<void> {
    const suspect = this.#found;
    while (suspect !== undefined && this.#found === suspect && !this.#signal.aborted) {
      try {
        const entry = await this.#client.history(suspect.promptId, { signal: this.#signal });
        if (entry !== undefined || this.#found !== suspect) return;
        this.#found = undefined;
        return this.#onChange(undefined);
      } catch (problem) {
        if (!isPassing(problem)) return;
        await delay(this.#timings.watchMs, this.#signal).catch(() => {});
      }
    }
  }
}
