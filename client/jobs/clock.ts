import { signal } from "@lit-labs/signals";

const TICK_MS = 1_000;
const now = signal(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The time for which durations are told, in milliseconds; moves while somebody watches. Read inside render(). */
export function timeNow(): number {
  return now.get();
}

/** Lets the time move until the returned function is called. */
export function watchTime(): () => void {
  if (watchers++ === 0) {
    now.set(Date.now());
    timer = setInterval(() => now.set(Date.now()), TICK_MS);
  }
  return () => {
    if (--watchers === 0) clearInterval(timer);
  };
}
