import { join } from "@std/path/mod.js";
import { LocalStore } from "./local_store.ts";
import type { StoredFile } from "./store.ts";

/** Younger files are in use: being sent, or about to be linked to. */
const YOUNG_MS = 600_000;

/**
 * Files of an object store that this machine has, by hash, with what was used longest ago given up first. Threads and
 * processes may share the folder. Who uses a file gets a link of his own, so that nothing is taken from under him.
 */
export class FileCache {
  readonly files: LocalStore;
  readonly #maxBytes: number;
  #addedBytes = 0;

  constructor(folder: string, maxBytes: number) {
    this.files = new LocalStore(folder);
    this.#maxBytes = maxBytes;
  }

  /** A link in `folder` to a cached file; undefined when it is not here. */
  async link(hash: string, folder: string): Promise<string | undefined> {
    const from = this.files.path(hash);
    const to = join(folder, hash);
    try {
      await Deno.utime(from, new Date(), new Date());
      await Deno.link(from, to);
      return to;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return to;
      if (error instanceof Deno.errors.NotFound) return undefined;
    }
    // Folders on two file systems can't share a file.
    await Deno.copyFile(from, to);
    return to;
  }

  /** So many bytes have come: from time to time the oldest files go. */
  async added(bytes: number, now = Date.now()): Promise<void> {
    this.#addedBytes += bytes;
    if (this.#addedBytes < this.#maxBytes / 20) return;
    this.#addedBytes = 0;
    await this.trim(now);
  }

  async trim(now = Date.now()): Promise<void> {
    const files: StoredFile[] = await Array.fromAsync(this.files.list());
    let total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    files.sort((a, b) => a.storedAt.getTime() - b.storedAt.getTime());
    for (const file of files) {
      if (total <= this.#maxBytes || now - file.storedAt.getTime() < YOUNG_MS) return;
      if (await this.files.remove(file.hash, new Date(now - YOUNG_MS))) total -= file.sizeBytes;
    }
  }
}
