import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { isPassing } from "./sql_error.ts";

/** Longer than a lease is good, so a job runs elsewhere by then; and than a crashed database takes to recover. */
const LONGEST_MS = 120_000;
const LONGEST_WHEN_STOPPING_MS = 1_000;

/**
 * Does what must not be lost until it is done or has been tried for two minutes: the database may be restarting.
 * Errors that trying again can't mend pass through at once.
 */
export async function persist<T>(work: () => Promise<T>, log: Log, stopping?: AbortSignal): Promise<T> {
  for (let waitMs = 50, waited = 0;; waitMs = Math.min(1_000, waitMs * 2)) {
    try {
      return await work();
    } catch (error) {
      const longest = stopping?.aborted ? LONGEST_WHEN_STOPPING_MS : LONGEST_MS;
      if (!isPassing(error) || waited > longest) throw error;
      log.warn("database was not there, trying again", { reason: errorMessage(error), waitMs });
      await delay(waitMs);
      waited += waitMs;
    }
  }
}
