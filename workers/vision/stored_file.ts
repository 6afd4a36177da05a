import type { FileRef } from "#server/core/file_ref.ts";
import type { FileStore } from "#server/files/store.ts";
import type { HashedFile } from "./requests.ts";

/** A stored file as the child process reads it. */
export function storedFile(store: FileStore, file: FileRef): HashedFile {
  return { path: store.path(file.hash), hash: file.hash };
}
