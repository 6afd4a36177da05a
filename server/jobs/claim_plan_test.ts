import { assert } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { newId } from "#server/core/id.ts";
import { connect, type Db, transact } from "#server/db/db.ts";
import { openTestDatabase, type TestDatabase } from "#server/testing/test_database.ts";
import { claimJobs } from "./claim.ts";
import { enterNode } from "./lease.ts";
import { submitJobs } from "./service.ts";

const file = { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" };
const job = { kind: inspectMedia, input: { file }, projectId: null, userId: null };
const submitMany = (db: Db) => submitJobs(db, Array.from({ length: 3_000 }, () => job));

Deno.test("a claim whose plan was made for an idle queue walks no long queue", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  await using queue = await openQueue(database);
  // An evening's work that is done: PostgreSQL looks at the table while nothing waits, and then the next evening comes.
  await submitMany(db);
  await endAll(db);
  await db`vacuum analyze jobs`;
  await submitMany(db);
  const perClaim = await blocksEach(queue.db, queue.claim);
  assert(perClaim <= 40, `${perClaim} blocks a claim`);
});

Deno.test("a claim whose plan was made in a new studio does not read all that was done since", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  await db`alter table jobs set (autovacuum_enabled = off)`;
  await using queue = await openQueue(database);
  await queue.claim();
  await submitMany(db);
  await endAll(db);
  const perClaim = await blocksEach(queue.db, queue.claim);
  assert(perClaim <= 40, `${perClaim} blocks a claim`);
});

async function openQueue({ db, url }: TestDatabase) {
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "test", pid: 1, version: "0" });
  const queue = connect({ url, max: 1, isPlannedOnce: true });
  return {
    db: queue,
    claim: () => claimJobs(queue, { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 1 }),
    [Symbol.asyncDispose]: () => queue.end(),
  };
}

async function endAll(db: Db): Promise<void> {
  await transact(db, async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`
      update jobs set status_id = 4, lease_until = now(), attempt_id = new_attempt_id(), attempt_started_at = now()`;
    await tx`update jobs set status_id = 5, lease_until = null, output = '{}', finished_at = now()`;
  });
}

/** Blocks of `jobs` that each of ten calls touches. */
async function blocksEach(db: Db, act: () => Promise<unknown>): Promise<number> {
  const readTouched = async () => {
    await db`select pg_stat_force_next_flush()`;
    const [row] = await db<{ blocks: number }[]>`
      select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::integer as blocks
        from pg_statio_user_tables where relname = 'jobs'`;
    return row?.blocks ?? 0;
  };
  const before = await readTouched();
  for (let n = 0; n < 10; n++) await act();
  return (await readTouched() - before) / 10;
}
