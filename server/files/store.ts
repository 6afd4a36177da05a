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
 * Files by the SHA-256 of their content. Putting is durable when it returns (temp file on the same file
 * system, hash while writing, fsync, rename, fsync of the folder) and idempotent: the same bytes are one file.
 */
export interface FileStore {
  /** Stores `source`; `mediaType` is carried into the reference, not checked here. Throws AppError("storage_full"). */
  put(source: FileSource, mediaType: string, options?: PutOptions): Promise<FileRef>;
  /** Local path of a stored file, for tools that want one. It must never be written to. */
  path(hash: string): string;
  /** Size in bytes, or undefined when it is not there. */
  size(hash: string): Promise<number | undefined>;
  /** Bytes [start, end) as a stream; the whole file by default. Throws AppError("not_found"). */
  read(
    hash: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
}
