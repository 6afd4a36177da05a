import { delay } from "#server/core/time.ts";
import { submitJob } from "#server/jobs/service.ts";
import { connect, type Db } from "#server/db/db.ts";
import { type Child, findProgram, openChild, openDenoChild } from "./children.ts";
import { openCluster } from "./database.ts";
import type { Bench, Effort } from "./bench.ts";
import { type Goal, measure, quantile } from "./method.ts";
import { openFloor } from "./queue_floor.ts";
import { benchJob, preciseNow } from "./queue_job.ts";

const SLOTS = 10;
/** The names of graphile-worker's own performance page. */
const UNBATCHED = { concurrentJobs: SLOTS };
const BATCHED = {
  concurrentJobs: SLOTS,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
const BATCH_SLOTS = 500;
const RAW = "the same writes in raw SQL";

/** Jobs: pickup, throughput and bulk submission, against graphile-worker on the same PostgreSQL. */
export const queueBench: Bench = {
  name: "queue",
  goals: ["Q1", "Q2", "Q3", "Q4"],
  what: "job queue against graphile-worker 0.18.0 on the same PostgreSQL",
  async *run(effort, say) {
    await using cluster = await openCluster();
    const studio = await cluster.createStudio("studio");
    const peerUrl = await cluster.create("peer");
    await using ours = await openDenoChild(new URL("./queue_child.ts", import.meta.url), [studio.url]);
    await using peer = await openPeer(peerUrl, say);
    yield* await measureThroughput(ours, peer, effort);
    yield* await measureBatches(ours, peer, effort);
    yield* await measureBulk(ours, peer, effort, say);
    const peerDb = connect({ url: peerUrl, max: 2 });
    const floorUrl = await cluster.create("floor");
    yield* await measurePickup({ ours, peer, studioDb: studio.db, peerDb, floorUrl }, effort);
    await peerDb.end();
  },
};

async function openPeer(url: string, say: (line: string) => void): Promise<Child> {
  const file = new URL("./queue_peer.js", import.meta.url).pathname;
  const node = await findProgram("node");
  if (node) return await openChild(node, [file, url]);
  say("no node on PATH: graphile-worker runs on this runtime, which its authors don't do");
  return await openChild(Deno.execPath(), ["run", "-A", "--no-prompt", file, url]);
}

const perSecond = (side: string) => ({ side, figure: "perSecond" });

async function measureThroughput(ours: Child, peer: Child, { rounds, doublings, scale }: Effort) {
  const count = Math.round(1_500 * scale);
  const what = `jobs/s, unbatched: ${SLOTS} slots, ${count} jobs that do nothing`;
  const shared = { ours: perSecond("ours"), as: "ratio", must: "at least" } as const;
  const goals: Goal[] = [
    { ...shared, id: "Q2", what, peer: perSecond("graphile-worker"), bar: 3 },
    { ...shared, id: "Q2b", what: `${what}, against ${RAW}`, peer: perSecond(RAW), bar: 1.2 },
  ];
  await ours.ask({ t: "open", slots: SLOTS });
  const raw = { clients: SLOTS, batch: 1 };
  const sides = drains(ours, peer, { count, preset: UNBATCHED, raw });
  return await measure(sides, goals, { rounds, doublings });
}

async function measureBatches(ours: Child, peer: Child, { rounds, doublings, scale }: Effort) {
  const count = Math.round(6_000 * scale);
  const what = `jobs/s, batched: ${BATCH_SLOTS} slots against localQueue 500, ${count} jobs`;
  const shared = { ours: perSecond("ours"), as: "ratio", must: "at least" } as const;
  const goals: Goal[] = [
    { ...shared, id: "Q3", what, peer: perSecond("graphile-worker"), bar: 3 },
    { ...shared, id: "Q3b", what: `${what}, against ${RAW}`, peer: perSecond(RAW), bar: 0.9 },
  ];
  await ours.ask({ t: "open", slots: BATCH_SLOTS });
  const raw = { clients: 1, batch: BATCH_SLOTS };
  const sides = drains(ours, peer, { count, preset: BATCHED, raw });
  return await measure(sides, goals, { rounds, doublings });
}

interface Drain {
  readonly count: number;
  readonly preset: unknown;
  readonly raw: { readonly clients: number; readonly batch: number };
}

function drains(ours: Child, peer: Child, { count, preset, raw }: Drain) {
  return {
    [RAW]: async () => {
      await ours.ask({ t: "empty" });
      await ours.ask({ t: "enqueue", count });
      return { perSecond: 1_000 * count / await ours.ask<number>({ t: "raw", ...raw }) };
    },
    ours: async () => {
      await ours.ask({ t: "empty" });
      await ours.ask({ t: "enqueue", count });
      return { perSecond: 1_000 * count / await ours.ask<number>({ t: "drain" }) };
    },
    "graphile-worker": async () => {
      await peer.ask({ t: "empty" });
      await peer.ask({ t: "enqueue", count });
      return { perSecond: 1_000 * count / await peer.ask<number>({ t: "drain", preset }) };
    },
  };
}

async function measureBulk(
  ours: Child,
  peer: Child,
  { rounds, doublings, scale }: Effort,
  say: (line: string) => void,
) {
  const psql = await findProgram("psql");
  if (!psql) say("no psql on PATH: its COPY is left out");
  const count = Math.round(10_000 * scale);
  const shared = { ours: perSecond("ours"), as: "ratio", must: "at least" } as const;
  const goals: Goal[] = [
    {
      ...shared,
      id: "Q4a",
      what: `jobs/s, submitted at once: ${count} by submitJobs() against COPY of the same rows`,
      peer: perSecond("COPY"),
      bar: 0.85,
    },
    {
      ...shared,
      id: "Q4b",
      what: `jobs/s, submitted at once: ${count} by submitJobs() against addJobs()`,
      peer: perSecond("graphile-worker"),
      bar: 3.5,
    },
  ];
  const sides = {
    ours: async () => {
      await ours.ask({ t: "empty" });
      return { perSecond: 1_000 * count / await ours.ask<number>({ t: "enqueue", count }) };
    },
    ...(psql
      ? {
        COPY: async () => {
          await ours.ask({ t: "empty" });
          await ours.ask({ t: "enqueue", count });
          return { perSecond: 1_000 * count / await ours.ask<number>({ t: "copy" }) };
        },
      }
      : {}),
    "graphile-worker": async () => {
      await peer.ask({ t: "empty" });
      return { perSecond: 1_000 * count / await peer.ask<number>({ t: "enqueue", count }) };
    },
  };
  return await measure(sides, goals.filter(({ peer }) => peer.side in sides), { rounds, doublings });
}

interface PickupParts {
  readonly ours: Child;
  readonly peer: Child;
  readonly studioDb: Db;
  readonly peerDb: Db;
  readonly floorUrl: string;
}

/** Open loop: jobs come at fixed instants, and each is late by what has passed since its own. */
async function measurePickup({ ours, peer, studioDb, peerDb, floorUrl }: PickupParts, effort: Effort) {
  const { rounds, doublings, scale } = effort;
  const count = Math.round(300 * scale);
  await using floor = await openFloor(floorUrl);
  const shared = { as: "ratio", must: "at most" } as const;
  const own = (figure: string) => ({ side: "ours", figure });
  const theirs = (figure: string) => ({ side: "graphile-worker", figure });
  const what = `ms from due to started, 50 jobs/s, ${count} jobs a run`;
  const goals: Goal[] = [
    { ...shared, id: "Q1a", what: `p50 ${what}`, ours: own("p50"), peer: theirs("p50"), bar: 0.45 },
    { ...shared, id: "Q1b", what: `p99 ${what}`, ours: own("p99"), peer: theirs("p99"), bar: 0.35 },
    {
      ...shared,
      id: "Q1c",
      what: `p50 ${what}, against the raw-SQL floor`,
      ours: own("p50"),
      peer: { side: "floor", figure: "p50" },
      bar: 1.25,
    },
  ];
  await ours.ask({ t: "open", slots: SLOTS });
  const sides = {
    ours: async () => {
      await ours.ask({ t: "empty" });
      await studioDb`delete from queue_pauses`;
      await openLoop(count, async (dueMs, n) => {
        const input = { act: "double", count: n, dueMs };
        await submitJob(studioDb, { kind: benchJob, input, projectId: null, userId: null });
      });
      return summarise(await untilDone(studioDb, count));
    },
    "graphile-worker": async () => {
      await peer.ask({ t: "empty" });
      await peer.ask({ t: "listen", preset: UNBATCHED });
      await openLoop(count, async (due, n) => {
        await peerDb`select graphile_worker.add_job('pick_up', ${
          peerDb.json({ act: "double", count: n, due })
        }::jsonb::json)`;
      });
      await delay(200);
      await peer.ask({ t: "forget" });
      return summarise(await peer.ask<number[]>({ t: "latencies" }));
    },
    floor: async () => {
      await openLoop(count, (dueMs) => floor.add(dueMs));
      await delay(200);
      return summarise(floor.take());
    },
  };
  return await measure(sides, goals, { rounds, doublings });
}

const EVERY_MS = 20;

async function openLoop(count: number, add: (dueMs: number, n: number) => Promise<void>): Promise<void> {
  const begun = preciseNow() + EVERY_MS;
  const added: Promise<void>[] = [];
  for (let n = 0; n < count; n++) {
    const due = begun + n * EVERY_MS;
    const waitMs = due - preciseNow();
    if (waitMs > 0) await delay(waitMs);
    added.push(add(due, n));
  }
  await Promise.all(added);
}

async function untilDone(db: Db, count: number): Promise<number[]> {
  for (;;) {
    const rows = await db<{ latencyMs: number }[]>`
      select (output->>'latencyMs')::float8 as latency_ms from jobs where status_id = 5`;
    if (rows.length >= count) return rows.map((row) => row.latencyMs);
    await delay(20);
  }
}

function summarise(latencies: readonly number[]): { p50: number; p99: number } {
  const sorted = latencies.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}
