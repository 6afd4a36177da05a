import { delay } from "#server/core/time.ts";
import { submitJob } from "#server/jobs/service.ts";
import { connect, type Db } from "#server/db/db.ts";
import type { Effort } from "./bench.ts";
import type { Child } from "./children.ts";
import { type Goal, measureFound, quantile } from "./method.ts";
import { openFloor } from "./queue_floor.ts";
import { benchJob, preciseNow } from "./queue_job.ts";
import { BOSS, type Boss, GRAPHILE } from "./queue_peers.ts";

interface PickupParts {
  /** The queue's process, its queue open. */
  readonly ours: Child;
  readonly studioDb: Db;
  readonly graphile: Child;
  readonly graphileUrl: string;
  readonly preset: unknown;
  readonly boss: Boss | undefined;
  readonly floorUrl: string;
}

/** Open loop: jobs come at fixed instants, and each is late by what has passed since its own. */
export async function measurePickup(parts: PickupParts, { rounds, doublings, scale }: Effort) {
  // Each side runs twice in a round: 600 jobs.
  const count = Math.round(300 * scale);
  await using floor = await openFloor(parts.floorUrl);
  const graphileDb = connect({ url: parts.graphileUrl, max: 2 });
  const { boss } = parts;
  const sides = {
    ours: () => pickUpOurs(parts, count),
    [GRAPHILE]: () => pickUpGraphile(parts, graphileDb, count),
    floor: async () => {
      await openLoop(count, (dueMs) => floor.add(dueMs));
      await delay(200);
      return summarise(floor.take());
    },
    ...(boss ? { [BOSS]: () => pickUpBoss(boss, count) } : {}),
  };
  const judged = await measureFound(sides, goals(count), { rounds, doublings });
  await graphileDb.end({ timeout: 1 });
  return judged;
}

function goals(count: number): Goal[] {
  const shared = { as: "ratio", must: "at most" } as const;
  const own = (figure: string) => ({ side: "ours", figure });
  const what = `ms from due to started, 50 jobs/s, ${count} jobs a run`;
  const pair = (side: string, figure: string) => ({ ours: own(figure), peer: { side, figure } });
  return [
    { ...shared, id: "Q1a", what: `p50 ${what}`, ...pair(GRAPHILE, "p50"), bar: 0.45 },
    { ...shared, id: "Q1b", what: `p99 ${what}`, ...pair(GRAPHILE, "p99"), bar: 0.35 },
    {
      ...shared,
      id: "Q1c",
      what: `p50 ${what}, against the raw-SQL floor`,
      ...pair("floor", "p50"),
      bar: 1.25,
    },
    { ...shared, id: "Q1d", what: `p50 ${what}`, ...pair(BOSS, "p50"), bar: 1 },
    { ...shared, id: "Q1e", what: `p99 ${what}`, ...pair(BOSS, "p99"), bar: 1 },
  ];
}

async function pickUpOurs({ ours, studioDb }: PickupParts, count: number) {
  await ours.ask({ t: "empty" });
  await studioDb`delete from queue_pauses`;
  await openLoop(count, async (dueMs, n) => {
    const input = { act: "double", count: n, dueMs };
    await submitJob(studioDb, { kind: benchJob, input, projectId: null, userId: null });
  });
  return summarise(await untilDone(studioDb, count));
}

async function pickUpGraphile({ graphile, preset }: PickupParts, db: Db, count: number) {
  await graphile.ask({ t: "empty" });
  await graphile.ask({ t: "listen", preset });
  await openLoop(count, async (due, n) => {
    await db`select graphile_worker.add_job('pick_up', ${
      db.json({ act: "double", count: n, due })
    }::jsonb::json)`;
  });
  await delay(200);
  await graphile.ask({ t: "forget" });
  return summarise(await graphile.ask<number[]>({ t: "latencies" }));
}

async function pickUpBoss({ worker, sender }: Boss, count: number) {
  await worker.ask({ t: "empty" });
  await worker.ask({ t: "listen", batchSize: 10 });
  await sender.ask({ t: "send", count, everyMs: EVERY_MS });
  return summarise(await worker.ask<number[]>({ t: "latencies", count }));
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
