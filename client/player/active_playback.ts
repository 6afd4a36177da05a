import { signal } from "@lit-labs/signals";
import type { Playback } from "./playback.ts";

const active = signal<Playback | undefined>(undefined);

/** What keys play: the playback that was shown or touched last. */
export function activePlayback(): Playback | undefined {
  return active.get();
}

export function activate(playback: Playback): void {
  active.set(playback);
}
