import { createHash } from "node:crypto";
import { join } from "@std/path/mod.js";
import * as z from "zod/mini";
import { AppError } from "#server/core/errors.ts";
import { FileRef } from "#server/core/file_ref.ts";
import {
  readUntilAborted,
  removeIfThere,
  syncFolder,
  translateDiskError,
  writeDurably,
} from "#server/files/durable.ts";

/** What is known of an upload, kept beside its bytes so that a restart goes on where the disk says. */
const UploadRecord = z.object({
  id: z.string(),
  ownerId: z.string(),
  name: z.string(),
  sizeBytes: z.int(),
  metadata: z.record(z.string(), z.string()),
  expiresAt: z.string(),
  /** Bytes that are flushed to disk: where the sender goes on. */
  offset: z.int(),
  /** Set once the content is in the store. */
  file: z.optional(FileRef),
  /** Whether the file was handed over; the record stays so that a sender who missed the answer can ask. */
  isDone: z.boolean(),
});
export type UploadRecord = z.infer<typeof UploadRecord>;

export interface Checksum {
  readonly algorithm: "sha1" | "sha256";
  readonly digest: Uint8Array;
}

/** A part's bytes were not those of its checksum; they are dropped. */
export class ChecksumMismatch extends Error {
  override readonly name = "ChecksumMismatch";
}

/** Flushing this often bounds what a power cut makes the sender repeat. */
const FLUSH_EVERY_BYTES = 16 * 1024 * 1024;

interface Holder {
  readonly abort: AbortController;
  readonly released: Promise<void>;
}

/** Unfinished uploads in a folder: `<id>.bytes` and `<id>.json`. One server process owns the folder. */
export class UploadFolder {
  readonly #folder: string;
  readonly #records = new Map<string, UploadRecord>();
  readonly #holders = new Map<string, Holder>();

  /** Use openUploadFolder(), which reads what is there. */
  constructor(folder: string, records: readonly UploadRecord[]) {
    this.#folder = folder;
    for (const record of records) this.#records.set(record.id, record);
  }

  find(id: string): UploadRecord | undefined {
    return this.#records.get(id);
  }

  countOpen(ownerId: string): number {
    return [...this.#records.values()].filter((record) => record.ownerId === ownerId && !record.isDone)
      .length;
  }

  bytesPath(id: string): string {
    return join(this.#folder, `${id}.bytes`);
  }

  async create(record: UploadRecord): Promise<void> {
    await Deno.writeFile(this.bytesPath(record.id), new Uint8Array());
    await this.save(record);
  }

  /** Writes the record durably, then makes it the known one. */
  async save(record: UploadRecord): Promise<void> {
    const text = new TextEncoder().encode(JSON.stringify(record));
    await writeDurably(text, { place: this.#recordPath(record.id), mode: 0o600 });
    this.#records.set(record.id, record);
  }

  async remove(id: string): Promise<void> {
    this.#records.delete(id);
    await removeIfThere(this.#recordPath(id));
    await removeIfThere(this.bytesPath(id));
    await syncFolder(this.#folder);
  }

  /** Removes uploads that expired before `now`, and returns how many. */
  async sweep(now: Date): Promise<number> {
    const expired = [...this.#records.values()].filter((record) => new Date(record.expiresAt) < now);
    for (const { id } of expired) await this.exclusively(id, () => this.remove(id));
    return expired.length;
  }

  /**
   * Runs `work` as the only one at upload `id`. Whoever is at it is asked to stop first: a sender that asks
   * again has given up its former connection, which may hang half open for minutes.
   */
  async exclusively<T>(id: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let holder = this.#holders.get(id); holder; holder = this.#holders.get(id)) {
      holder.abort.abort(
        new AppError("conflict", "Cannot go on with this upload: a newer request took it over"),
      );
      await holder.released;
    }
    const abort = new AbortController();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    this.#holders.set(id, { abort, released });
    try {
      return await work(abort.signal);
    } finally {
      this.#holders.delete(id);
      release();
    }
  }

  /**
   * Adds `body` at the record's offset and returns the record after it. What arrived before a break is kept and
   * flushed, then the break is thrown; with a checksum it is all or nothing.
   */
  async append(
    record: UploadRecord,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
    checksum?: Checksum,
  ): Promise<UploadRecord> {
    using file = await Deno.open(this.bytesPath(record.id), { write: true, create: true });
    await file.seek(record.offset, Deno.SeekMode.Start);
    const hash = checksum ? createHash(checksum.algorithm) : undefined;
    let kept = record;
    let offset = record.offset;
    const keep = async () => {
      if (offset === kept.offset) return;
      await file.sync();
      kept = { ...kept, offset };
      await this.save(kept);
    };
    try {
      for await (const chunk of readUntilAborted(body, signal)) {
        if (offset + chunk.length > record.sizeBytes) {
          throw new AppError(
            "too_large",
            "Cannot take these bytes: they are more than the upload's announced length",
          );
        }
        hash?.update(chunk);
        for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
        offset += chunk.length;
        if (!checksum && offset - kept.offset >= FLUSH_EVERY_BYTES) await keep();
      }
    } catch (error) {
      if (!checksum) await keep();
      throw translateDiskError(error);
    }
    if (checksum && !hash?.digest().equals(checksum.digest)) throw new ChecksumMismatch();
    await keep();
    return kept;
  }

  #recordPath(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

/** Opens the uploads in `folder` as the last process left them, and removes what has expired or is unreadable. */
export async function openUploadFolder(folder: string, now: Date = new Date()): Promise<UploadFolder> {
  await Deno.mkdir(folder, { recursive: true });
  const records: UploadRecord[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const record = await readRecord(join(folder, name));
    if (record) records.push({ ...record, offset: await trueOffset(folder, record) });
  }
  await removeStrays(folder, new Set(records.map((record) => record.id)));
  const uploads = new UploadFolder(folder, records);
  await uploads.sweep(now);
  return uploads;
}

async function readRecord(path: string): Promise<UploadRecord | undefined> {
  try {
    return UploadRecord.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.core.$ZodError) return undefined;
    throw error;
  }
}

/** Less than the record's where the bytes are gone: the process died between moving them and saying so. */
async function trueOffset(folder: string, record: UploadRecord): Promise<number> {
  if (record.file) return record.offset;
  try {
    return Math.min(record.offset, (await Deno.stat(join(folder, `${record.id}.bytes`))).size);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function removeStrays(folder: string, known: ReadonlySet<string>): Promise<void> {
  const kept = new Set([...known].flatMap((id) => [`${id}.json`, `${id}.bytes`]));
  for (const { name } of await Array.fromAsync(Deno.readDir(folder))) {
    if (!kept.has(name)) await removeIfThere(join(folder, name));
  }
}
