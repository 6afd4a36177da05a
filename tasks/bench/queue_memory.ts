import { connect, type Db } from "#server/db/db.ts";
import type { Bench } from "./bench.ts";
import { type Child, openDenoChild } from "./children.ts";
import { openCluster } from "./database.ts";
import { type Figures, type Goal, measure } from "./method.ts";
import { BOSS, GRAPHILE, openBoss, openGraphile } from "./queue_peers.ts";

const SLOTS = 10;

/** What three queues hold in memory while they do the same work: their process, and the backends that serve it. */
export const memoryBench: Bench = {
  name: "memory",
  goals: ["Q9"],
  what: `memory of the queue's process and its backends, beside graphile-worker 0.18.0 and pg-boss 12.38.0`,
  async *run({ rounds, doublings, scale }, say) {
    await using cluster = await openCluster();
    const bossUrl = await cluster.create("boss");
    await using boss = await openBoss(bossUrl);
    if (!boss) return say("skipped: the peers run on Node and come by npm, which are not on PATH");
    const studio = await cluster.createStudio("studio");
    const graphileUrl = await cluster.create("graphile");
    await using ours = await openDenoChild(new URL("./queue_child.ts", import.meta.url), [studio.url]);
    await using graphile = await openGraphile(graphileUrl, say);
    const count = Math.round(3_000 * scale);
    await ours.ask({ t: "open", slots: SLOTS });
    const side = (child: Child, url: string, drain: object) => async () => {
      await child.ask({ t: "empty" });
      await child.ask({ t: "enqueue", count });
      const ms = await child.ask<number>({ t: "drain", count, ...drain });
      return { ...await weigh(child.pid, url), perSecond: 1_000 * count / ms };
    };
    const sides = {
      [GRAPHILE]: side(graphile, graphileUrl, { preset: { concurrentJobs: SLOTS } }),
      [BOSS]: side(boss.worker, bossUrl, { batchSize: SLOTS }),
      ours: side(ours, studio.url, {}),
    };
    yield* await measure(sides, goals(count), { rounds, doublings });
  },
};

function goals(count: number): Goal[] {
  const memory = { what: `MiB after ${count} jobs`, as: "ratio", must: "at most", bar: 1.5 } as const;
  const speed = { as: "ratio", must: "at least", bar: 1 } as const;
  const pair = (peer: string, figure: string) => ({
    ours: { side: "ours", figure },
    peer: { side: peer, figure },
  });
  return [
    { ...memory, id: "Q9a", ...pair(GRAPHILE, "totalMb") },
    { ...memory, id: "Q9b", ...pair(BOSS, "totalMb") },
    {
      ...memory,
      id: "Q9c",
      what: "MiB of the backends alone, beside graphile-worker",
      ...pair(GRAPHILE, "backendsMb"),
    },
    {
      ...speed,
      id: "Q9d",
      what: `jobs/s of ${count}, in tens, beside pg-boss`,
      ...pair(BOSS, "perSecond"),
    },
  ];
}

/** Pages that the process has in memory, and what its backends have for themselves and their part of what is shared. */
async function weigh(pid: number, url: string): Promise<Figures> {
  const db = connect({ url, max: 1 });
  try {
    const backends = await listBackends(db);
    const processMb = await readPss(pid);
    let backendsMb = 0;
    for (const backend of backends) backendsMb += await readPss(backend);
    return { processMb, backendsMb, totalMb: processMb + backendsMb };
  } finally {
    await db.end({ timeout: 1 });
  }
}

async function listBackends(db: Db): Promise<number[]> {
  const rows = await db<{ pid: number }[]>`
    select pid from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
       and application_name not in ('bench', 'bench raw')`;
  return rows.map(({ pid }) => pid);
}

async function readPss(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`).catch(() => "");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
}
