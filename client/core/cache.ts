import { createStore, del, get, keys, set, type UseStore } from "idb-keyval";
import type { KeptFacts } from "./store.ts";

/** Older than this the facts of a former visit mislead more than they help. */
const KEPT_MS = 14 * 86_400_000;
const SAVE_MS = 1_000;

interface Row {
  readonly items: readonly unknown[];
  readonly savedAt: number;
}

let opened: UseStore | undefined;
const store = () => opened ??= createStore("seedloop-facts", "rows");

/**
 * The last facts of a store, in this browser, as a store's `kept`: shown at the next start until the studio answers.
 * A cache and no more: what can't be kept is read anew. `version` changes when items get another shape.
 */
export function keepFacts<Item>(
  { userId, name, version = 1 }: {
    readonly userId: string;
    readonly name: string;
    readonly version?: number;
  },
): KeptFacts<Item> {
  const key = `${userId}/${name}/${version}`;
  let latest: readonly Item[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    load: async () => {
      const row = await get<Row>(key, store()).catch(() => undefined);
      if (!row || Date.now() - row.savedAt > KEPT_MS) return undefined;
      // Under this name and version nothing but such items was ever kept.
      return row.items as readonly Item[];
    },
    save: (items) => {
      latest = items;
      timer ??= setTimeout(() => {
        timer = undefined;
        void set(key, { items: latest, savedAt: Date.now() } satisfies Row, store()).catch(() => {});
      }, SAVE_MS);
    },
  };
}

/** Forgets all facts of a user: at sign-out, so that the next one at this browser finds nothing of theirs. */
export async function forgetFacts(userId: string): Promise<void> {
  const all = await keys<string>(store()).catch(() => []);
  await Promise.all(all.filter((key) => key.startsWith(`${userId}/`)).map((key) => del(key, store())));
}
