import type { FileRef } from "#server/core/file_ref.ts";
import type { JobContext } from "#workers/kit/handle.ts";
import type { HashedFile } from "./requests.ts";

/** A stored file as the child process reads it. */
export async function storedFile({ store, workDir, signal }: JobContext, file: FileRef): Promise<HashedFile> {
  return { path: await store.openLocal(file.hash, workDir, signal), hash: file.hash };
}
