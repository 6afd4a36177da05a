import { join } from "node:path";
import { parseArgs } from "node:util";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { connect, type Db } from "#server/db/db.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { addWorker, disableWorker, listWorkers } from "#server/fleet/contract.ts";
import type { ApiClient } from "#tasks/demo/api_client.ts";
import { checkJobs, type JobTruth } from "./check_jobs.ts";
import { StudioUnderFire } from "./fire.ts";
import { planJobs, type PlannedJob, submitSurely } from "./job_load.ts";
import { mulberry32 } from "./kill_studio.ts";
import { Steering } from "./steer_jobs.ts";
import { StormStandIn } from "./storm_stand_in.ts";
import { openAdmin } from "./thousand_jobs.ts";

export interface StormPlan {
  readonly seed: number;
  readonly generations: number;
  readonly longestMs: number;
  readonly say?: (line: string) => void;
}

export interface StormReport extends JobTruth {
  /** What befell prompts and answers, and how often. */
  readonly fates: Readonly<Record<string, number>>;
  /** Sentences of failed jobs, one of each class. */
  readonly sentences: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/**
 * Takes generations through a studio whose only workers lie, forget, run out of memory, refuse, stall and babble at
 * seeded random moments. In the end each job is done, or failed with its class and a sentence, and was run again only
 * for a reason that its attempts tell.
 */
export async function setStorm(data: string, plan: StormPlan): Promise<StormReport> {
  const begun = Date.now();
  const studio = new StudioUnderFire(data);
  await using one = new StormStandIn(mulberry32(plan.seed + 1));
  await using other = new StormStandIn(mulberry32(plan.seed + 2));
  try {
    const { firstAdminUrl } = await studio.untilUp();
    const api = await openAdmin(studio.url, firstAdminUrl ?? "");
    await disableEngine(api);
    for (const [name, { url }] of Object.entries({ one, other })) {
      await api.call(addWorker, { body: { name, url, maxParallel: 2 } });
    }
    const random = mulberry32(plan.seed);
    const { generations } = plan;
    const jobs = await planJobs({ db: await studio.db(), data }, {
      jobs: generations * 3,
      generations,
      random,
    });
    await submitSurely(() => studio.db(), jobs, AbortSignal.timeout(60_000));
    await new Steering(api, random).revive(new Set(jobs.map(({ id }) => id)));
    const isOver = await waitUntilOver(studio, begun + plan.longestMs, plan.say);
    plan.say?.(isOver ? "all are over" : "the time is up");
    await delay(1_500);
    await studio.stop();
    const { truth, sentences } = await readAlone(data, jobs);
    const again = [...one.sentAgain, ...other.sentAgain].map((id) => `prompt was sent twice: ${id}`);
    const twice = [one, other].flatMap(({ finished }) => [...finished]).filter(([, times]) => times > 1);
    const breaches = [...truth.breaches, ...again, ...twice.map(([id]) => `prompt was run twice: ${id}`)];
    const seconds = Math.round((Date.now() - begun) / 1000);
    return { counts: truth.counts, breaches, fates: addUp(one.fates, other.fates), sentences, seconds };
  } finally {
    await studio.stop();
  }
}

async function disableEngine(api: ApiClient): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { items } = await api.call(listWorkers);
    const engine = items.find(({ kind }) => kind === "cpu_engine");
    if (engine) return void await api.call(disableWorker, { params: { workerId: engine.id } });
    await delay(200);
  }
  throw new Error("Cannot begin: the studio's own engine did not come up");
}

/** False when jobs are left at that moment. */
async function waitUntilOver(
  studio: StudioUnderFire,
  until: number,
  say: StormPlan["say"],
): Promise<boolean> {
  for (let toldAt = 0; Date.now() < until; await delay(500)) {
    const db = await studio.db();
    const rows = await db<{ code: string; n: number }[]>`
      select s.code, count(*)::integer as n from jobs j join job_status s on s.id = j.status_id group by 1 order by 1`;
    if (Date.now() > toldAt + 10_000) {
      say?.(rows.map(({ code, n }) => `${code} ${n}`).join(", "));
      toldAt = Date.now();
    }
    if (rows.every(({ code }) => ["done", "failed", "cancelled"].includes(code))) return true;
  }
  return false;
}

async function readAlone(
  data: string,
  jobs: readonly PlannedJob[],
): Promise<{ truth: JobTruth; sentences: Record<string, string> }> {
  const server = await startEmbeddedPostgres({ dir: join(data, "pg"), log: silentLog });
  const db = connect({ url: server.url, max: 1 });
  try {
    const truth = await checkJobs(server.url, data, jobs);
    const breaches = [...truth.breaches, ...await findUnexplained(db)];
    const rows = await db<{ code: string; error: string }[]>`
      select distinct on (f.code) f.code, a.error from job_attempts a join failure_class f on f.id = a.failure_class_id
       order by f.code, a.number`;
    const sentences = Object.fromEntries(rows.map(({ code, error }) => [code, error]));
    return { truth: { counts: truth.counts, breaches }, sentences };
  } finally {
    await db.end({ timeout: 1 });
    await server.stop();
  }
}

/** Failures without class or sentence, and attempts that were followed by another though they say no reason for it. */
async function findUnexplained(db: Db): Promise<string[]> {
  const rows = await db<{ what: string }[]>`
    select 'failed job says not why: ' || j.id || ' ' || coalesce(j.error, 'nothing') as what from jobs j
     where j.status_id = 6 and (j.failure_class_id is null or length(coalesce(j.error, '')) < 20)
    union all
    select 'job ran again for no reason: ' || a.job_id || ' after attempt ' || a.number || ' ' || o.code
      from job_attempts a join attempt_outcome o on o.id = a.outcome_id join jobs j on j.id = a.job_id
     where a.number < j.attempt
       and not (o.code in ('lease_lost', 'handed_back')
                or (o.code = 'failed' and a.failure_class_id is not null and length(coalesce(a.error, '')) >= 20))`;
  return rows.map(({ what }) => what);
}

function addUp(...all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of all) for (const [key, n] of Object.entries(one)) sum[key] = (sum[key] ?? 0) + n;
  return sum;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      generations: { type: "string", default: "150" },
      minutes: { type: "string", default: "15" },
      seed: { type: "string" },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const data = await Deno.makeTempDir({ prefix: "seedloop_storm_" });
  await Deno.chmod(data, 0o755);
  const { breaches, ...counted } = await setStorm(data, {
    seed,
    generations: Number(values.generations),
    longestMs: Number(values.minutes) * 60_000,
    say: (line) => console.log(line),
  });
  console.log(JSON.stringify({ seed, ...counted }, null, 2));
  for (const breach of breaches.slice(0, 50)) console.log(`BREACH ${breach}`);
  console.log(`seed ${seed}: ${breaches.length} breaches`);
  if (breaches.length === 0) await Deno.remove(data, { recursive: true });
  else console.log(`The folder is kept: ${data}`);
  return breaches.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
