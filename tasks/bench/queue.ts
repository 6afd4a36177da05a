import { type Child, findProgram, openDenoChild } from "./children.ts";
import { openCluster } from "./database.ts";
import type { Bench, Effort } from "./bench.ts";
import { type Goal, measureFound } from "./method.ts";
import { type BareQueue, openBareQueue } from "./queue_floor.ts";
import { GRAPHILE, openBoss, openGraphile } from "./queue_peers.ts";
import { measurePickup } from "./queue_pickup.ts";

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
/** One at a time on ten connections it ends some 500 a second: its rate is that of so many. */
const RAW_COUNT = 1_500;
const BARE = "pgbench, claim and delete";

/** Jobs: pickup, throughput and bulk submission, against other queues on the same PostgreSQL. */
export const queueBench: Bench = {
  name: "queue",
  goals: ["Q1", "Q2", "Q3", "Q4"],
  what: "job queue against graphile-worker 0.18.0, and pickup against pg-boss, on the same PostgreSQL",
  async *run(effort, say) {
    await using cluster = await openCluster();
    const studio = await cluster.createStudio("studio");
    const graphileUrl = await cluster.create("graphile");
    await using ours = await openDenoChild(new URL("./queue_child.ts", import.meta.url), [studio.url]);
    await using graphile = await openGraphile(graphileUrl, say);
    await using bare = await openBareQueue(await cluster.create("bare"), SLOTS);
    if (!bare) say("no pgbench on PATH: its claim and delete is left out");
    yield* await measureThroughput({ ours, graphile, bare }, effort);
    yield* await measureBatches(ours, graphile, effort);
    yield* await measureBulk(ours, graphile, effort, say);
    await using boss = await openBoss(await cluster.create("boss"));
    if (!boss) say("no node or no npm on PATH: pg-boss is left out");
    await ours.ask({ t: "open", slots: SLOTS });
    const floorUrl = await cluster.create("floor");
    const pickup = { ours, studioDb: studio.db, graphile, graphileUrl, preset: UNBATCHED, boss, floorUrl };
    yield* await measurePickup(pickup, effort);
  },
};

const perSecond = (side: string) => ({ side, figure: "perSecond" });

interface ThroughputParts {
  readonly ours: Child;
  readonly graphile: Child;
  readonly bare: BareQueue | undefined;
}

async function measureThroughput({ ours, graphile, bare }: ThroughputParts, effort: Effort) {
  const { rounds, doublings, scale } = effort;
  const count = Math.round(20_000 * scale);
  const what = `jobs/s, unbatched: ${SLOTS} slots, ${count} jobs that do nothing`;
  const shared = { ours: perSecond("ours"), as: "ratio", must: "at least" } as const;
  const goals: Goal[] = [
    { ...shared, id: "Q2", what, peer: perSecond(GRAPHILE), bar: 3 },
    { ...shared, id: "Q2b", what: `${what}, against ${BARE}`, peer: perSecond(BARE), bar: 1.2 },
  ];
  const rawGoal: Goal = {
    ...shared,
    id: "Q2c",
    what: `${what}, against ${RAW}`,
    peer: perSecond(RAW),
    bar: 1.2,
  };
  await ours.ask({ t: "open", slots: SLOTS });
  const raw = { clients: SLOTS, batch: 1, count: Math.round(RAW_COUNT * scale) };
  const { [RAW]: rawSide, ...sides } = drains(ours, graphile, { count, preset: UNBATCHED, raw });
  const bareSide = bare && { [BARE]: async () => ({ perSecond: await bare.drain(count) }) };
  const judged = await measureFound({ ...sides, ...bareSide }, goals, { rounds, doublings });
  // By itself: it is the noisiest of them, and would make all be measured twice.
  return [
    ...judged,
    ...await measureFound({ ours: sides.ours, [RAW]: rawSide }, [rawGoal], { rounds, doublings }),
  ];
}

async function measureBatches(ours: Child, graphile: Child, { rounds, doublings, scale }: Effort) {
  const count = Math.round(20_000 * scale);
  const what = `jobs/s, batched: ${BATCH_SLOTS} slots against localQueue 500, ${count} jobs`;
  const shared = { ours: perSecond("ours"), as: "ratio", must: "at least" } as const;
  const goals: Goal[] = [
    { ...shared, id: "Q3", what, peer: perSecond(GRAPHILE), bar: 3 },
    { ...shared, id: "Q3b", what: `${what}, against ${RAW}`, peer: perSecond(RAW), bar: 0.9 },
  ];
  await ours.ask({ t: "open", slots: BATCH_SLOTS });
  const raw = { clients: 1, batch: BATCH_SLOTS, count };
  const sides = drains(ours, graphile, { count, preset: BATCHED, raw });
  return await measureFound(sides, goals, { rounds, doublings });
}

interface Drain {
  readonly count: number;
  readonly preset: unknown;
  readonly raw: { readonly clients: number; readonly batch: number; readonly count: number };
}

function drains(ours: Child, graphile: Child, { count, preset, raw }: Drain) {
  return {
    [RAW]: async () => {
      await ours.ask({ t: "empty" });
      await ours.ask({ t: "enqueue", count: raw.count });
      return { perSecond: 1_000 * raw.count / await ours.ask<number>({ t: "raw", ...raw }) };
    },
    ours: async () => {
      await ours.ask({ t: "empty" });
      await ours.ask({ t: "enqueue", count });
      return { perSecond: 1_000 * count / await ours.ask<number>({ t: "drain" }) };
    },
    [GRAPHILE]: async () => {
      await graphile.ask({ t: "empty" });
      await graphile.ask({ t: "enqueue", count });
      return { perSecond: 1_000 * count / await graphile.ask<number>({ t: "drain", preset }) };
    },
  };
}

async function measureBulk(
  ours: Child,
  graphile: Child,
  { rounds, doublings, scale }: Effort,
  say: (line: string) => void,
) {
  const psql = await findProgram("psql");
  if (!psql) say("no psql on PATH: its COPY is left out");
  const count = Math.round(50_000 * scale);
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
      peer: perSecond(GRAPHILE),
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
    [GRAPHILE]: async () => {
      await graphile.ask({ t: "empty" });
      return { perSecond: 1_000 * count / await graphile.ask<number>({ t: "enqueue", count }) };
    },
  };
  return await measureFound(sides, goals, { rounds, doublings });
}
