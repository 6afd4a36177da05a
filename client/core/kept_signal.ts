import { signal } from "@lit-labs/signals";
import { workspace } from "./workspace.ts";

/** A signal whose value comes back after a crash and on other devices. */
export interface KeptSignal<T> {
  get(): T;
  set(value: T): void;
}

/**
 * A signal of JSON values that the workspace keeps under `name`, each view its own unless it is shared; `initial`
 * where nothing was kept. `toKeep` leaves out what is no JSON. Make it once, beside the module's other signals.
 */
export function keptSignal<T>(
  name: string,
  initial: T,
  { isShared = false, toKeep = (value) => value }: {
    readonly isShared?: boolean;
    readonly toKeep?: (value: T) => unknown;
  } = {},
): KeptSignal<T> {
  const value = signal(initial);
  workspace.bind({
    name,
    isShared,
    read: () => {
      const now = value.get();
      return now === initial ? undefined : toKeep(now);
    },
    // Whoever keeps a value under a name is who wrote it.
    write: (kept) => value.set(kept === undefined ? initial : kept as T),
  });
  return value;
}

/** The record with `value` under `key` as its newest entry, and without the oldest ones over `most`. */
export function withNewest<T>(
  kept: Readonly<Record<string, T>>,
  key: string,
  value: T,
  most: number,
): Readonly<Record<string, T>> {
  const { [key]: _before, ...others } = kept;
  return { ...Object.fromEntries(Object.entries(others).slice(1 - most)), [key]: value };
}
