import { signal } from "@lit-labs/signals";

/** What commands do with the queue panel that was used last. */
export interface QueueView {
  cycleGroup(): void;
  switchView(): void;
  focusFilter(): void;
  clearFilter(): void;
}

const shown = signal<readonly QueueView[]>([]);

/** The queue panel that keys and the palette mean; undefined while none is open. */
export function openQueueView(): QueueView | undefined {
  return shown.get().at(-1);
}

/** Makes a panel the one that is meant, until the returned function is called or another one is used. */
export function useQueueView(view: QueueView): () => void {
  shown.set([...shown.get().filter((one) => one !== view), view]);
  return () => shown.set(shown.get().filter((one) => one !== view));
}
