/** So long after a panel shows its content may still come. */
const PATIENCE_MS = 15_000;
const TRY_MS = 60;
/** Whoever takes over says what shows from now on. */
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
 * when all are placed, after a while, or as soon as one does something in the panel; then `ended` hears what is left.
 */
export function putBack<T>(
  panel: HTMLElement,
  kept: Readonly<Record<string, T>>,
  place: (key: string, value: T) => boolean,
  ended: (left: readonly string[]) => void = () => {},
): PuttingBack {
  const waiting = new Map(Object.entries(kept));
  const until = Date.now() + PATIENCE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    for (const name of HANDS) panel.removeEventListener(name, finish, { capture: true });
  };
  const finish = () => {
    stop();
    if (waiting.size > 0) ended([...waiting.keys()]);
    waiting.clear();
  };
  const attempt = () => {
    for (const [key, value] of waiting) if (place(key, value)) waiting.delete(key);
    if (waiting.size === 0 || Date.now() > until) finish();
    else timer = setTimeout(attempt, TRY_MS);
  };
  if (waiting.size > 0) {
    for (const name of HANDS) panel.addEventListener(name, finish, { capture: true });
    timer = setTimeout(attempt);
  }
  return { waits: (key) => waiting.has(key), stop };
}
