import { assertEquals } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { type Db, transact } from "#server/db/db.ts";
import { enterNode, handBack } from "#server/jobs/lease.ts";
import { type JobSubmission, submitJobs } from "#server/jobs/service.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { LaneSlots } from "./lane.ts";
import { newRun, type Run } from "./run.ts";

const FILE = { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" };

async function givenJobs(db: Db, count: number): Promise<string[]> {
  const one = { kind: inspectMedia, input: { file: FILE, fileName: "a.png" }, projectId: null, userId: null };
  return await transact(
    db,
    (tx) => submitJobs(tx, Array.from({ length: count }, () => one as JobSubmission)),
  );
}

/** A lane whose runs are begun and ended by the test. */
async function openLane(db: Db, slots: number, on: { begin: (run: Run) => void; done: () => void }) {
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "test", pid: 1, version: "0" });
  const ended: string[] = [];
  const alone: string[] = [];
  const lane: LaneSlots = new LaneSlots({
    db,
    log: silentLog,
    nodeId,
    lane: "cpu",
    slots,
    kinds: () => ["media.inspect"],
    ending: () => [],
    claimed: newRun,
    begin: on.begin,
    ended: (run, outcome) => {
      ended.push(`${outcome} ${run.job.id}`);
      on.done();
    },
    endAlone: (run) => {
      alone.push(run.job.id);
      on.done();
    },
    persist: (work) => work(),
  });
  return { lane, ended, alone };
}

Deno.test("LaneSlots ends each result by itself when one of them keeps all from being written together", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const ids = await givenJobs(db, 3);
  const begun: Run[] = [];
  const all = Promise.withResolvers<void>();
  let left = 3;
  const { lane, ended, alone } = await openLane(db, 3, {
    begin: (run) => {
      begun.push(run);
      if (begun.length < 3) return;
      // PostgreSQL keeps no text with a zero in it.
      begun.forEach((one, index) => lane.finish(one, index === 1 ? { text: "\0" } : {}));
    },
    done: () => --left === 0 && all.resolve(),
  });
  lane.wake();
  await all.promise;
  lane.close();
  assertEquals([ended, alone.toSorted()], [[], ids.toSorted()]);
});

Deno.test("LaneSlots runs all jobs once and in order, many more than it has slots, in few statements", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const ids = await givenJobs(db, 300);
  const order: string[] = [];
  const all = Promise.withResolvers<void>();
  let most = 0;
  let running = 0;
  const { lane, ended } = await openLane(db, 4, {
    begin: (run) => {
      order.push(run.job.id);
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        lane.finish(run, {});
      });
    },
    done: () => ended.length === ids.length && all.resolve(),
  });
  const commits = async () => {
    await db`select pg_stat_force_next_flush()`;
    const [row] = await db<{ n: number }[]>`
      select xact_commit::integer as n from pg_stat_database where datname = current_database()`;
    return row?.n ?? 0;
  };
  const before = await commits();
  lane.wake();
  await all.promise;
  lane.close();
  const statements = await commits() - before;
  assertEquals([order, most], [ids, 4]);
  assertEquals(ended.toSorted(), ids.map((id) => `done ${id}`).toSorted());
  // Four at a time it would be 75 at least.
  assertEquals(statements < 60, true, `${statements} statements`);
});

Deno.test("LaneSlots gives up what it took ahead and could not begin", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  await givenJobs(db, 40);
  const met = Promise.withResolvers<void>();
  const held: Run[] = [];
  let done = 0;
  const { lane } = await openLane(db, 2, {
    // The first ten are short, so that more is taken ahead; then both slots are kept.
    begin: (run) => {
      if (held.length + done < 10) {
        done++;
        setTimeout(() => lane.finish(run, {}));
      } else if (held.push(run) === 2) met.resolve();
    },
    done: () => {},
  });
  lane.wake();
  await met.promise;
  while (lane.isBusy) await db`select 1`;
  const stale = lane.takeStale(performance.now());
  const count = await handBack(db, stale.map(({ job }) => ({ id: job.id, epoch: job.epoch })));
  const [row] = await db<{ running: number }[]>`
    select count(*)::integer as running from jobs where status_id = 4`;
  assertEquals([count, row?.running], [stale.length, 2]);
  assertEquals(lane.takeStale(performance.now()), []);
  lane.close();
});
