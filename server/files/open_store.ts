import { join } from "@std/path/mod.js";
import { LocalStore, openLocalStore } from "./local_store.ts";
import { S3Store } from "./s3_store.ts";
import type { KeptStore } from "./store.ts";
import type { StorePlace } from "./store_place.ts";

const DAY_MS = 86_400_000;

/** The store at `place`, as a thread uses it: whoever started the studio has opened it. */
export function storeAt(place: StorePlace): KeptStore {
  return typeof place === "string" ? new LocalStore(place) : new S3Store(place);
}

/**
 * Opens the studio's store, checks that it can be used, and removes what dead processes left unfinished: all of it in
 * what is this process's own, and by its age where others may be at work. Throws AppError with the mend.
 */
export async function openStudioStore(place: StorePlace, data: string): Promise<KeptStore> {
  if (typeof place === "string") {
    // In its own folder nobody else writes yet; what a shared one holds may be another process's work.
    return await openLocalStore(place, place === join(data, "store") ? { sweepOlderThanMs: 0 } : {});
  }
  await openLocalStore(place.cacheFolder, { sweepOlderThanMs: 0 });
  const store = new S3Store(place);
  await store.check(AbortSignal.timeout(30_000));
  await store.sweepUploads(DAY_MS);
  return store;
}
