import { newId } from "#server/core/id.ts";
import { connect, type Db, transact } from "#server/db/db.ts";
import { type ClaimedJob, claimJobs, finishAndClaim } from "#server/jobs/claim.ts";
import { enterNode, handBack } from "#server/jobs/lease.ts";
import { submitJobs } from "#server/jobs/service.ts";
import type { Bench } from "./bench.ts";
import { openCluster } from "./database.ts";
import { type Figures, type Goal, measure } from "./method.ts";
import { benchJob } from "./queue_job.ts";
import { explainStatements } from "./explain.ts";

const FINISHED = 1_000_000;
const READY = 200;
const BATCH = 10;

/** Whether a claim minds a million jobs that are done: two databases that differ in nothing else. */
export const millionBench: Bench = {
  name: "million",
  goals: ["Q6"],
  what: "claims beside one million finished jobs with their attempts, against the same without",
  async *run({ rounds, doublings }, say) {
    await using cluster = await openCluster();
    const few = await openSide((await cluster.createStudio("few")).url);
    const million = await openSide((await cluster.createStudio("million")).url);
    try {
      await fill(million.db, FINISHED);
      const [row] = await million.db<{ n: number; mb: number }[]>`
        select (select count(*) from jobs where status_id = 5)::integer as n,
               (pg_total_relation_size('jobs') / 1048576)::integer as mb`;
      say(`${row?.n} finished jobs, ${row?.mb} MiB with their indexes`);
      for (const side of [few, million]) await side.db`vacuum analyze`;
      const sides = { few: () => claimAll(few), million: () => claimAll(million) };
      for (const run of Object.values(sides)) await run();
      yield* await measure(sides, GOALS, { rounds, doublings });
      for (const [name, side] of Object.entries({ few, million })) {
        say(`\nthe claim's plan, ${name}:`);
        for (const line of await explainStatements(side.url, (db) => claimOnce(db, side.nodeId))) say(line);
      }
    } finally {
      await few.db.end({ timeout: 1 });
      await million.db.end({ timeout: 1 });
    }
  },
};

const shared = { as: "ratio", must: "at most", bar: 1.1 } as const;
const GOALS: readonly Goal[] = [
  {
    ...shared,
    id: "Q6a",
    what: "ms for the claim of one job, with a million finished ones, against none",
    ours: { side: "million", figure: "claimMs" },
    peer: { side: "few", figure: "claimMs" },
  },
  {
    ...shared,
    id: "Q6b",
    what:
      `ms to finish ${BATCH} jobs and claim the next ${BATCH}, with a million finished ones, against none`,
    ours: { side: "million", figure: "stepMs" },
    peer: { side: "few", figure: "stepMs" },
  },
  {
    ...shared,
    // A tree of a million keys is a level higher than one of a thousand: of blocks limits.md (A.10) allows 1.6.
    bar: 1.6,
    id: "Q6c",
    what: "blocks of jobs, attempts and events that one of these touched",
    ours: { side: "million", figure: "blocks" },
    peer: { side: "few", figure: "blocks" },
  },
];

interface Side {
  readonly url: string;
  readonly db: Db;
  readonly nodeId: string;
}

async function openSide(url: string): Promise<Side> {
  const db = connect({ url, max: 1, isPlannedOnce: true, statementTimeoutMs: 600_000 });
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "bench", pid: 1, version: "bench" });
  return { url, db, nodeId };
}

/** Finished jobs of a few users with their attempts, as a studio has them after some years. */
async function fill(db: Db, count: number): Promise<void> {
  const chunk = 50_000;
  for (let from = 1; from <= count; from += chunk) {
    await transact(db, async (tx) => {
      // What the constraints and triggers would say of each is not the point here.
      await tx`set local session_replication_role = replica`;
      await tx`
        with made as (
          insert into jobs (id, kind_id, lane_id, status_id, order_key, fair_end, cost_ms, input, output, attempt,
                 created_at, started_at, finished_at)
          select gen_random_uuid(), 2, 2, 5, n * 1000, n * 1000, 1, '{}', '{}', 1,
                 now() - interval '1 year', now() - interval '1 year', now() - interval '1 year'
            from generate_series(${from}::integer, ${from + chunk - 1}::integer) n
          returning id)
        insert into job_attempts (id, job_id, number, started_at, finished_at, outcome_id)
        select gen_random_uuid(), id, 1, now() - interval '1 year', now() - interval '1 year', 1 from made`;
    });
  }
}

const REQUEST = { lane: "cpu", kinds: ["media.inspect"] } as const;

/** Claims ready jobs one by one, gives them back, then takes them all through to their end in tens. */
async function claimAll({ db, nodeId }: Side): Promise<Figures> {
  const job = { kind: benchJob, input: { act: "double", count: 1 }, projectId: null, userId: null };
  await transact(db, (tx) => submitJobs(tx, Array.from({ length: READY }, () => job)));
  const blocksBefore = await readBlocks(db);
  let claimed: ClaimedJob[] = [];
  const claimMs = await timed(async () => {
    for (let n = 0; n < READY; n++) {
      claimed.push(...await claimJobs(db, { ...REQUEST, nodeId, limit: 1, floor: claimed.at(-1)?.orderKey }));
    }
  });
  await handBack(db, claimed);
  claimed = [];
  let steps = 0;
  const stepMs = await timed(async () => {
    do {
      const completions = claimed.map((one) => ({ job: one, output: {} }));
      const request = { ...REQUEST, nodeId, limit: BATCH, floor: claimed.at(-1)?.orderKey };
      claimed = (await finishAndClaim(db, completions, request)).claimed;
      steps++;
    } while (claimed.length > 0);
  });
  const blocks = (await readBlocks(db) - blocksBefore) / (READY + steps);
  return { claimMs: claimMs / READY, stepMs: stepMs / steps, blocks };
}

async function claimOnce(db: Db, nodeId: string): Promise<void> {
  const job = { kind: benchJob, input: { act: "double", count: 1 }, projectId: null, userId: null };
  await transact(db, (tx) => submitJobs(tx, Array.from({ length: READY }, () => job)));
  // Its plan is that of the ones before, made once for any parameters.
  for (let n = 0; n < 3; n++) await handBack(db, await claimJobs(db, { ...REQUEST, nodeId, limit: 1 }));
}

/** Blocks of the queue's tables that were touched so far, by PostgreSQL's own count. */
async function readBlocks(db: Db): Promise<number> {
  await db`select pg_stat_force_next_flush()`;
  const [row] = await db<{ blocks: number }[]>`
    select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::float8 as blocks
      from pg_statio_user_tables where relname in ('jobs', 'job_attempts', 'events')`;
  return row?.blocks ?? 0;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
