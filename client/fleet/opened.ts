import { keptSignal } from "#client/core/kept_signal.ts";

const MOST = 50;
const opened = keptSignal<readonly string[]>("workers_opened", []);

/** Whether what this key stands for is folded out. */
export function isOpened(key: string): boolean {
  return opened.get().includes(key);
}

/** The listener of a `<details>` that remembers whether it is folded out. */
export function keepOpened(key: string): (event: Event) => void {
  return ({ currentTarget }) => {
    if (!(currentTarget instanceof HTMLDetailsElement) || currentTarget.open === isOpened(key)) return;
    const others = opened.get().filter((one) => one !== key);
    opened.set(currentTarget.open ? [...others, key].slice(-MOST) : others);
  };
}
