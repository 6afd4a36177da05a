import { Signal } from "@lit-labs/signals";

/** Runs `act` now, and again soon after any signal that it read has changed, until the returned function is called. */
export function follow(act: () => void): () => void {
  let isDue = false;
  let isOver = false;
  const run = new Signal.Computed(() => act(), { equals: () => false });
  const watcher = new Signal.subtle.Watcher(() => {
    if (isDue || isOver) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      if (isOver) return;
      watcher.watch();
      run.get();
    });
  });
  watcher.watch(run);
  run.get();
  return () => {
    isOver = true;
    watcher.unwatch(run);
  };
}
