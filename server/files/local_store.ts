import { join } from "@std/path/mod.js";
import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import {
  type FailPoint,
  removeIfThere,
  syncFolder,
  TEMP_SUFFIX,
  writeDurably,
} from "#server/files/durable.ts";
import {
  type FileSource,
  isHash,
  type KeptStore,
  placeOfHash,
  type PutOptions,
  type StoredFile,
} from "#server/files/store.ts";

export interface LocalStoreOptions {
  /**
   * Unfinished files older than this are removed on opening. Threads and children open the same folder while
   * others write, hence a day by default; the server, which starts before all of them, passes 0.
   */
  readonly sweepOlderThanMs?: number;
  /** Called at each step of a write; tests end the process there. */
  readonly failPoint?: (point: FailPoint) => void;
}

const INCOMING = "incoming";
const DAY_MS = 86_400_000;
const READ_BYTES = 256 * 1024;

/** A store in a folder: `<root>/ab/cd/<hash>`, unfinished files in `<root>/incoming`. */
export class LocalStore implements KeptStore {
  readonly root: string;
  readonly #failPoint: ((point: FailPoint) => void) | undefined;

  /** Use openLocalStore(), which makes the folders. */
  constructor(root: string, failPoint?: (point: FailPoint) => void) {
    this.root = root;
    this.#failPoint = failPoint;
  }

  async put(source: FileSource, mediaType: string, options: PutOptions = {}): Promise<FileRef> {
    const { hash, sizeBytes } = await writeDurably(source, {
      ...options,
      place: (written) => this.path(written.hash),
      tempFolder: join(this.root, INCOMING),
      mode: 0o444,
      ...(this.#failPoint ? { failPoint: this.#failPoint } : {}),
    });
    return { hash, sizeBytes, mediaType };
  }

  path(hash: string): string {
    return join(this.root, placeOfHash(hash));
  }

  openLocal(hash: string): Promise<string> {
    return Promise.resolve(this.path(hash));
  }

  async size(hash: string): Promise<number | undefined> {
    try {
      return (await Deno.stat(this.path(hash))).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  async read(
    hash: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(this.path(hash), { read: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new AppError("not_found", "Cannot read the file: it is not in the store", { details: { hash } });
    }
    if (!range) return file.readable;
    return streamRange(file, range.start, range.end);
  }

  async remove(hash: string, unlessSince?: Date): Promise<boolean> {
    const path = this.path(hash);
    if (unlessSince && ((await statIfThere(path))?.mtime ?? new Date(0)) >= unlessSince) return false;
    const wasThere = await removeIfThere(path);
    if (wasThere) await syncFolder(join(this.root, hash.slice(0, 2), hash.slice(2, 4)));
    return wasThere;
  }

  async *list(): AsyncIterableIterator<StoredFile> {
    for await (const path of walkFanOut(this.root, 2)) {
      const hash = path.slice(-64);
      if (!isHash(hash)) continue;
      const info = await statIfThere(path);
      if (info?.isFile) yield { hash, sizeBytes: info.size, storedAt: info.mtime ?? new Date(0) };
    }
  }

  /** Removes unfinished files last written to more than `olderThanMs` ago, and returns how many. */
  async sweepIncoming(olderThanMs: number, now: Date = new Date()): Promise<number> {
    let removed = 0;
    for await (const entry of Deno.readDir(join(this.root, INCOMING))) {
      const path = join(this.root, INCOMING, entry.name);
      const info = await statIfThere(path);
      if (!entry.name.endsWith(TEMP_SUFFIX) || !info) continue;
      if (now.getTime() - (info.mtime?.getTime() ?? 0) < olderThanMs) continue;
      if (await removeIfThere(path)) removed++;
    }
    return removed;
  }
}

/** Opens the store in folder `root`, making it when missing, and removes what a dead process left unfinished. */
export async function openLocalStore(root: string, options: LocalStoreOptions = {}): Promise<LocalStore> {
  await Deno.mkdir(join(root, INCOMING), { recursive: true });
  const store = new LocalStore(root, options.failPoint);
  await store.sweepIncoming(options.sweepOlderThanMs ?? DAY_MS);
  return store;
}

function streamRange(file: Deno.FsFile, start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = end - start;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async start() {
      await file.seek(start, Deno.SeekMode.Start);
    },
    async pull(controller) {
      const chunk = new Uint8Array(Math.min(left, READ_BYTES));
      const read = left > 0 ? await file.read(chunk) : null;
      if (read !== null) {
        left -= read;
        controller.enqueue(chunk.subarray(0, read));
        if (left > 0) return;
      }
      file.close();
      controller.close();
    },
    cancel() {
      file.close();
    },
  }, { highWaterMark: 0 });
}

async function* walkFanOut(folder: string, depth: number): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (depth === 0) yield path;
    else if (entry.isDirectory && /^[0-9a-f]{2}$/.test(entry.name)) yield* walkFanOut(path, depth - 1);
  }
}

async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
