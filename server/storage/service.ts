import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import type { KeptStore } from "#server/files/store.ts";

/** An orphan younger than this may belong to a transaction that is still to commit. */
const ORPHAN_AGE_MS = 24 * 3_600_000;
const BATCH = 500;

export interface SweepReport {
  readonly files: number;
  readonly orphans: number;
  readonly orphanBytes: number;
}

/**
 * Removes stored files that no row knows (SPEC rule 2: a crash leaves at most such). Files are asked about in
 * batches, so that a large store costs no memory.
 */
export async function sweepOrphans(
  db: Db,
  store: KeptStore,
  log: Log,
  now: Date = new Date(),
): Promise<SweepReport> {
  let files = 0;
  let orphans = 0;
  let orphanBytes = 0;
  let batch: { hash: string; sizeBytes: number }[] = [];
  const flush = async () => {
    const known = new Set(
      (await db<{ hash: string }[]>`select hash from files where hash = any(${
        batch.map((file) => file.hash)
      }::text[])`)
        .map((row) => row.hash),
    );
    for (const file of batch) {
      if (known.has(file.hash)) continue;
      // The same bytes may have been put again since they were listed.
      if (!await store.remove(file.hash, new Date(now.getTime() - ORPHAN_AGE_MS))) continue;
      orphans++;
      orphanBytes += file.sizeBytes;
    }
    batch = [];
  };
  for await (const file of store.list()) {
    files++;
    if (now.getTime() - file.storedAt.getTime() < ORPHAN_AGE_MS) continue;
    batch.push(file);
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  if (orphans > 0) log.info("orphan files removed", { orphans, orphanBytes });
  return { files, orphans, orphanBytes };
}

/** Rows whose file is not in the store: what rule 2 says can't be. Counted, never mended by deleting. */
export async function findMissingFiles(db: Db, store: KeptStore): Promise<string[]> {
  const missing: string[] = [];
  for (let after = "";;) {
    const rows = await db<{ hash: string; sizeBytes: number }[]>`
      select hash, size_bytes from files where hash > ${after} order by hash limit ${BATCH}`;
    for (const row of rows) if (await store.size(row.hash) !== row.sizeBytes) missing.push(row.hash);
    const last = rows.at(-1);
    if (!last) return missing;
    after = last.hash;
  }
}
