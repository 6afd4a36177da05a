import type { FileRef } from "#server/core/file_ref.ts";

/**
 * Bytes to store. `take: true` gives the file at `path` away: on the same file system it is moved in without
 * a copy, and it is gone from `path` afterwards. Without it the file is copied and stays.
 */
export type FileSource =
  | ReadableStream<Uint8Array>
  | Uint8Array
  | { readonly path: string; readonly take?: boolean };

export interface PutOptions {
  /** What the bytes must turn out to be; AppError("conflict") when they are not, and nothing is stored. */
  readonly expect?: { readonly hash?: string; readonly sizeBytes?: number };
  /** More bytes than this: AppError("too_large"), and nothing is stored. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Files by the SHA-256 of their content. Putting is durable when it returns (on the disk, or taken in by the object
 * store) and idempotent: the same bytes are one file. A put that did not return has stored nothing that is believed.
 */
export interface FileStore {
  /** Stores `source`; `mediaType` is carried into the reference, not checked here. Throws AppError("storage_full"). */
  put(source: FileSource, mediaType: string, options?: PutOptions): Promise<FileRef>;
  /**
   * Local path of a stored file, for tools that want one: in the store itself, or fetched and linked into `folder`,
   * where it stays until that is removed. It must never be written to. Throws AppError("not_found").
   */
  openLocal(hash: string, folder: string, signal?: AbortSignal): Promise<string>;
  /** Size in bytes, or undefined when it is not there. */
  size(hash: string): Promise<number | undefined>;
  /** Bytes [start, end) as a stream; the whole file by default. Throws AppError("not_found"). */
  read(
    hash: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
}

/** A file in the store, as the orphan sweep sees it. `storedAt` is renewed when the same bytes are put again. */
export interface StoredFile {
  readonly hash: string;
  readonly sizeBytes: number;
  readonly storedAt: Date;
}

/** A store as who keeps it in order sees it. */
export interface KeptStore extends FileStore {
  /** Every stored file, in no promised order. Files that come or go meanwhile may be missed. */
  list(): AsyncIterable<StoredFile>;
  /**
   * Removes a file and says whether it did; one that was stored (again) since `unlessSince` stays. The row that
   * names it must be gone before.
   */
  remove(hash: string, unlessSince?: Date): Promise<boolean>;
}

const HASH = /^[0-9a-f]{64}$/;

export function isHash(text: string): boolean {
  return HASH.test(text);
}

/** `ab/cd/<hash>`: where a file lies in a folder or a bucket. Throws TypeError for what is no hash. */
export function placeOfHash(hash: string): string {
  if (!isHash(hash)) {
    throw new TypeError("Cannot name a stored file: a hash is 64 lower-case hex digits");
  }
  return `${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash}`;
}
