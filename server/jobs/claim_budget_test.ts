import { assert, assertEquals } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { connect, type Db, transact } from "#server/db/db.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { migrate } from "#server/db/migrate.ts";
import { givenUser } from "#server/testing/test_studio.ts";
import { type ClaimedJob, claimJobs, type ClaimRequest, finishAndClaim } from "./claim.ts";
import { enterNode } from "./lease.ts";
import { submitJobs } from "./service.ts";

const INPUT = { file: { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" } };

/**
 * A database on a PostgreSQL of its own, which cleans only when it is told. PostgreSQL counts its own cleaning with
 * everybody's reading, and a transaction that is open in any other database of the cluster keeps old rows in the pages.
 */
async function openQuietDatabase(): Promise<AsyncDisposable & { readonly url: string }> {
  const root = await Deno.makeTempDir({ prefix: "seedloop_pg_" });
  // Under root the database runs as another user, who must be able to enter.
  await Deno.chmod(root, 0o755);
  const server = await startEmbeddedPostgres({ dir: `${root}/pg`, log: silentLog, isThrowaway: true });
  const db = connect({ url: server.url, max: 2 });
  await migrate(db, silentLog);
  await db`alter table jobs set (autovacuum_enabled = false)`;
  await db.end();
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** Blocks of table and indexes that `work` touched, by PostgreSQL's own count of what anybody touches. */
async function countBlocks(db: Db, work: () => Promise<unknown>): Promise<number> {
  const read = async () => {
    await db`select pg_stat_force_next_flush()`;
    const [row] = await db<{ blocks: number }[]>`
      select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::integer as blocks
        from pg_statio_user_tables where relname = 'jobs'`;
    return row?.blocks ?? 0;
  };
  const before = await read();
  await work();
  return await read() - before;
}

async function givenEndedJobs(db: Db, count: number): Promise<void> {
  const chunk = 20_000;
  for (let from = 1; from <= count; from += chunk) {
    await transact(db, async (tx) => {
      // What the constraints would say of each is not the point here.
      await tx`set local session_replication_role = replica`;
      await tx`
        insert into jobs (id, kind_id, lane_id, status_id, order_key, fair_end, cost_ms, input, output, finished_at)
        select gen_random_uuid(), 2, 2, 5, n * 1000, n * 1000, 1, '{}', '{}', now()
          from generate_series(${from}::integer, ${from + chunk - 1}::integer) n`;
    });
  }
}

Deno.test("a claim touches few blocks of jobs, and hardly more when 200,000 have ended", async () => {
  await using database = await openQuietDatabase();
  const db = connect({ url: database.url, max: 1, isPlannedOnce: true, statementTimeoutMs: 60_000 });
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "test", pid: 1, version: "0" });
  const request = { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 10 } as const;
  const perJob = async () => {
    const job = { kind: inspectMedia, input: INPUT, projectId: null, userId: null };
    await transact(db, (tx) => submitJobs(tx, Array.from({ length: 20 }, () => job)));
    await db`vacuum analyze jobs`;
    let first = await claimJobs(db, { ...request, limit: 1 });
    const claim = await countBlocks(
      db,
      async () => first = [...first, ...await claimJobs(db, { ...request, limit: 9 })],
    );
    const step = await countBlocks(db, async () => {
      const completions = first.map((one) => ({ job: one, output: {} }));
      const { ended, claimed } = await finishAndClaim(db, completions, request);
      assertEquals([ended.length, claimed.length], [10, 10]);
      await finishAndClaim(db, claimed.map((one) => ({ job: one, output: {} })), { ...request, limit: 0 });
    });
    return { claim: claim / 9, step: step / 20 };
  };
  const empty = await perJob();
  await givenEndedJobs(db, 200_000);
  const full = await perJob();
  await db.end();
  const told = JSON.stringify({ empty, full });
  // With all that is written: the key and the one index of open jobs. A walk over ended jobs would be thousands.
  assert(empty.claim <= 20 && empty.step <= 26, told);
  assert(full.claim <= 24 && full.step <= 30, told);
});

Deno.test("a claim steps over what a long-open snapshot keeps, at hardly more blocks after 2,000 jobs", async () => {
  await using database = await openQuietDatabase();
  const db = connect({ url: database.url, max: 1, isPlannedOnce: true });
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "test", pid: 1, version: "0" });
  const job = { kind: inspectMedia, input: INPUT, projectId: null, userId: null };
  await transact(db, (tx) => submitJobs(tx, Array.from({ length: 2_100 }, () => job)));
  await db`vacuum analyze jobs`;
  const request = { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 20 } as const;
  const perJob = async (running: ClaimedJob[]) => {
    const blocks = await countBlocks(db, async () => running = await step(db, running, request));
    return { blocks: blocks / running.length, running };
  };
  const fresh = await perJob(await step(db, [], request));
  const held = connect({ url: database.url, max: 1 });
  await held.begin("isolation level repeatable read", async (tx) => {
    await tx`select count(*) from jobs`;
    let { running } = fresh;
    while (running.at(-1)!.orderKey < 2_000 * 10_000_000) running = await step(db, running, request);
    const late = await perJob(running);
    assert(late.blocks <= 3 * fresh.blocks, JSON.stringify({ fresh: fresh.blocks, late: late.blocks }));
  });
  await held.end();
  await db.end();
});

Deno.test("what waits behind a pause costs a claim one look each at most", async () => {
  await using database = await openQuietDatabase();
  const db = connect({ url: database.url, max: 1, isPlannedOnce: true });
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "test", pid: 1, version: "0" });
  const { id: userId } = await givenUser(db);
  const request = { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 1 } as const;
  const job = { kind: inspectMedia, input: INPUT, projectId: null };
  // The plan is made while PostgreSQL knows of no job at all, and kept.
  await db`vacuum analyze jobs`;
  await claimJobs(db, request);
  await transact(db, (tx) => submitJobs(tx, Array.from({ length: 2_000 }, () => ({ ...job, userId }))));
  const claimed: number[] = [];
  const claim = () => countBlocks(db, async () => claimed.push((await claimJobs(db, request)).length));
  await db`insert into queue_pauses (id, lane_id) select ${newId()}, id from lane where code = 'cpu'`;
  const behindLane = await claim();
  await db`delete from queue_pauses`;
  await db`insert into queue_pauses (id, user_id) values (${newId()}, ${userId})`;
  const behindUser = await claim();
  await transact(db, (tx) => submitJobs(tx, [{ ...job, userId: null }]));
  await claim();
  await db.end();
  const told = JSON.stringify({ behindLane, behindUser, claimed });
  assertEquals(claimed, [0, 0, 1], told);
  assert(behindLane <= 2_000 && behindUser <= 2_000, told);
});

/** Ends what runs and claims the next, above what was claimed last, as the queue does. */
async function step(db: Db, running: readonly ClaimedJob[], request: ClaimRequest): Promise<ClaimedJob[]> {
  const completions = running.map((one) => ({ job: one, output: {} }));
  const { claimed } = await finishAndClaim(db, completions, { ...request, floor: running.at(-1)?.orderKey });
  return claimed;
}
