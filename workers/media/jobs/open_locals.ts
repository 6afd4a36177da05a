import type { FileRef } from "#server/core/file_ref.ts";
import type { JobContext } from "#workers/kit/handle.ts";

/** Local paths of stored files, in their order; what has to be fetched comes one after the other. */
export async function openLocals(job: JobContext, files: readonly FileRef[]): Promise<string[]> {
  const paths: string[] = [];
  for (const file of files) paths.push(await job.store.openLocal(file.hash, job.workDir, job.signal));
  return paths;
}
