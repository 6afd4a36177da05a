import { delay } from "#server/core/time.ts";

export interface Patience {
  /** Between two questions. */
  readonly everyMs?: number;
  readonly patienceMs?: number;
}

/**
 * Asks again until there is an answer other than false and undefined, and returns it. For what no event tells; it ends
 * as soon as it is so. Throws, naming `what` was waited for, when it does not come about.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { everyMs = 20, patienceMs = 120_000 }: Patience = {},
): Promise<Exclude<T, false | undefined>> {
  for (const end = performance.now() + patienceMs;; await delay(everyMs)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, false | undefined>;
    if (performance.now() > end) throw new Error(`Within ${patienceMs / 1000} s it did not come: ${what}`);
  }
}
