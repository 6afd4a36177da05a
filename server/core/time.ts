import * as z from "zod/mini";

/** An instant: ISO-8601 in UTC, as rows and the wire carry it. */
export const Instant = z.string().check(
  z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/, "must be an ISO-8601 UTC instant"),
);
export type Instant = z.infer<typeof Instant>;

export function toInstant(date: Date): Instant {
  return date.toISOString();
}

/** Waits, but not past an abort: then it rejects with the signal's reason. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Rejects with `onLate()` when `work` has not settled in `ms`. The work itself goes on. */
export async function deadline<T>(work: Promise<T>, ms: number, onLate: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(onLate()), ms);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
