import type { FileRef } from "#server/core/file_ref.ts";

export type FileSource = ReadableStream<Uint8Array> | Uint8Array | { readonly path: string };

/**
 * Files by the SHA-256 of their content. Putting is durable when it returns (temp file in the same folder,
 * hash while writing, fsync, rename, fsync of the folder) and idempotent: the same bytes are one file.
 */
export interface FileStore {
  /** Stores `source`; `mediaType` is carried into the reference, not checked here. Throws AppError("storage_full"). */
  put(source: FileSource, mediaType: string): Promise<FileRef>;
  /** Local path of a stored file, for tools that want one. It must never be written to. */
  path(hash: string): string;
  /** Size in bytes, or undefined when it is not there. */
  size(hash: string): Promise<number | undefined>;
  /** Bytes [start, end) as a stream; the whole file by default. Throws AppError("not_found"). */
  read(hash: string, range?: { readonly start: number; readonly end: number }): Promise<ReadableStream<Uint8Array>>;
}
