/** So long after a panel shows its content may still come. */
const PATIENCE_MS = 60_000;
const TRY_MS = 60;
/** Whoever takes over says what shows from now on, as far as there is anything. */
const HANDS = ["wheel", "pointerdown", "keydown", "beforeinput"] as const;

/** Values on their way back to where they were. */
export interface PuttingBack {
  /** Whether the value under this key has not found its place yet. */
  waits(key: string): boolean;
  /** The panel goes: what is left waits for the next one. */
  stop(): void;
}

/**
 * Tries to put each kept value back until `place` says that it is there: what it belongs to may come later. It ends
 * when all are placed or after a while. As soon as one does something in the panel, what `hasPlace` is left as it is,
 * and `overtaken` hears of it.
 */
export function putBack<T>(
  panel: HTMLElement,
  kept: Readonly<Record<string, T>>,
  place: (key: string, value: T) => boolean,
  hasPlace: (key: string) => boolean,
  overtaken: (keys: readonly string[]) => void = () => {},
): PuttingBack {
  const waiting = new Map(Object.entries(kept));
  const until = Date.now() + PATIENCE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    for (const name of HANDS) panel.removeEventListener(name, giveWay, { capture: true });
  };
  const giveWay = () => {
    const taken = [...waiting.keys()].filter(hasPlace);
    for (const key of taken) waiting.delete(key);
    if (taken.length > 0) overtaken(taken);
  };
  const attempt = () => {
    for (const [key, value] of waiting) if (place(key, value)) waiting.delete(key);
    if (waiting.size === 0 || Date.now() > until) {
      stop();
      waiting.clear();
    } else timer = setTimeout(attempt, TRY_MS);
  };
  if (waiting.size > 0) {
    for (const name of HANDS) panel.addEventListener(name, giveWay, { capture: true });
    timer = setTimeout(attempt);
  }
  return { waits: (key) => waiting.has(key), stop };
}
