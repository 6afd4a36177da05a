import { join } from "node:path";
import { parseArgs } from "node:util";
import { acceptLink, createToken } from "#server/auth/contract.ts";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { addWorker } from "#server/fleet/contract.ts";
import { ApiClient } from "#tasks/demo/api_client.ts";
import { listNaming } from "#tasks/e2e/processes.ts";
import { checkJobs, type JobTruth } from "./check_jobs.ts";
import { StudioUnderFire, type Victim } from "./fire.ts";
import { pick, planJobs, type PlannedJob, submitSurely } from "./job_load.ts";
import { mulberry32 } from "./kill_studio.ts";
import { SlowStandIn } from "./stand_in.ts";
import { Steering } from "./steer_jobs.ts";

export interface FirePlan {
  readonly seed: number;
  readonly jobs: number;
  readonly generations: number;
  readonly kills: number;
  /** Who is ended, each as often as it is named. */
  readonly victims: readonly Victim[];
  /** Between two kills at most. */
  readonly longestLullMs: number;
  readonly say?: (line: string) => void;
}

export interface FireReport extends JobTruth {
  readonly kills: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  /** Prompts that the stand-in ran to their end, and those that it ran twice. */
  readonly prompts: { readonly ran: number; readonly twice: number };
  /** How often the studio ended by itself while it started; it was started again. */
  readonly endedAtStart: number;
  readonly seconds: number;
}

const DEADLINE_MS = 30 * 60_000;

/**
 * Takes jobs of several kinds and users, with needs and priorities, through a studio whose server, threads and
 * database are killed at seeded random moments while people cancel, hold, release and retry; lets it come to rest;
 * then reads its rows, events and files alone.
 */
export async function setFire(data: string, plan: FirePlan): Promise<FireReport> {
  const begun = Date.now();
  const random = mulberry32(plan.seed);
  const stop = new AbortController();
  const studio = new StudioUnderFire(data);
  await using standIn = new SlowStandIn(mulberry32(plan.seed + 1), 300);
  try {
    const { firstAdminUrl } = await studio.untilUp();
    const api = await openAdmin(studio.url, firstAdminUrl ?? "");
    await api.call(addWorker, { body: { name: "Stand-in", url: standIn.url, maxParallel: 2 } });
    const jobs = await planJobs({ db: await studio.db(), data }, { ...plan, random });
    const steering = new Steering(api, mulberry32(plan.seed + 2));
    const kills: Record<string, number> = {};
    const killing = killAtRandom(studio, plan, mulberry32(plan.seed + 3), kills, stop.signal);
    await submitAll(studio, jobs, steering, random, stop.signal);
    plan.say?.(`all ${jobs.length} are submitted after ${since(begun)} s`);
    const stirring = stir(steering, jobs, stop.signal);
    await killing;
    stop.abort();
    await stirring;
    await comeToRest(studio, steering, jobs, begun, plan.say);
    await studio.stop();
    const orphans = [...await studio.listOrphans(), ...await listNaming(data)];
    const truth = await checkAlone(data, jobs);
    const breaches = [...truth.breaches, ...steering.breaches];
    for (const { pid, command } of orphans) breaches.push(`process is left: ${pid} ${command.slice(0, 120)}`);
    const { starting: endedAtStart, running: endedInWork } = studio.ownEnds;
    if (endedInWork > 0) {
      breaches.push(`the studio ended by itself in the middle of its work: ${endedInWork} times`);
    }
    const counted = [...standIn.finished.values()];
    const prompts = { ran: counted.length, twice: counted.filter((times) => times > 1).length };
    const { counts } = truth;
    return {
      counts,
      breaches,
      kills,
      answers: steering.answers,
      prompts,
      endedAtStart,
      seconds: since(begun),
    };
  } catch (error) {
    plan.say?.(studio.said.slice(-6_000));
    throw error;
  } finally {
    stop.abort();
    await studio.stop();
  }
}

/** The first admin's client, with a token that may do all. */
export async function openAdmin(url: string, firstAdminUrl: string): Promise<ApiClient> {
  const open = new ApiClient(url, "", 60_000);
  const body = {
    token: new URL(firstAdminUrl).hash.slice(1),
    login: "fire",
    displayName: "Fire",
    password: crypto.randomUUID(),
  };
  const { accessToken } = await open.call(acceptLink, { body });
  const signedIn = new ApiClient(url, accessToken, 60_000);
  const token = await signedIn.call(createToken, { body: { name: "fire", scopes: ["admin"] } });
  return new ApiClient(url, token.secret, 180_000);
}

/** In handfuls, while the kills have begun: each is in the database when the call has returned. */
async function submitAll(
  studio: StudioUnderFire,
  jobs: readonly PlannedJob[],
  steering: Steering,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < jobs.length;) {
    const some = jobs.slice(at, at + 1 + Math.floor(random() * 40));
    await submitSurely(() => studio.db(), some, signal);
    at += some.length;
    if (random() < 0.5) await steering.disturb(jobs.slice(0, at).map(({ id }) => id));
  }
}

async function stir(steering: Steering, jobs: readonly PlannedJob[], signal: AbortSignal): Promise<void> {
  const ids = jobs.map(({ id }) => id);
  while (!signal.aborted) {
    await steering.disturb(ids);
    await delay(200, signal).catch(() => {});
  }
}

async function killAtRandom(
  studio: StudioUnderFire,
  plan: FirePlan,
  random: () => number,
  kills: Record<string, number>,
  signal: AbortSignal,
): Promise<void> {
  for (let left = plan.kills; left > 0 && !signal.aborted;) {
    await delay(random() * plan.longestLullMs, signal).catch(() => {});
    const victim = pick(plan.victims, random);
    if (!await studio.kill(victim, random)) continue;
    kills[victim] = (kills[victim] ?? 0) + 1;
    left--;
    plan.say?.(`kill ${plan.kills - left}: ${victim}`);
  }
}

/** Until every job is over: done, or failed when it can't be done. What was cancelled or failed is queued again. */
export async function comeToRest(
  studio: StudioUnderFire,
  steering: Steering,
  jobs: readonly PlannedJob[],
  begun: number,
  say: FirePlan["say"],
): Promise<void> {
  const doomed = new Set(jobs.filter((job) => job.isDoomed).map(({ id }) => id));
  for (let toldAt = 0;; await delay(500)) {
    const revived = await steering.revive(doomed);
    const rows = await studio.db().then((db) =>
      db<{ code: string; n: number }[]>`
      select s.code, count(*)::integer as n from jobs j join job_status s on s.id = j.status_id group by 1 order by 1`
    ).catch(() => []);
    const left = rows.filter(({ code }) => ["blocked", "queued", "held", "running"].includes(code));
    const news = rows.map(({ code, n }) => `${code} ${n}`).join(", ");
    if (Date.now() > toldAt + 10_000) {
      say?.(`${since(begun)} s: ${news}`);
      toldAt = Date.now();
    }
    if (revived === 0 && rows.length > 0 && left.length === 0) break;
    if (Date.now() - begun > DEADLINE_MS) break;
  }
  // What is written at most once a second follows.
  await delay(1_500);
}

/** With the database alone, as a person would look into it afterwards. */
export async function checkAlone(data: string, jobs: readonly PlannedJob[]): Promise<JobTruth> {
  const server = await startEmbeddedPostgres({ dir: join(data, "pg"), log: silentLog });
  try {
    return await checkJobs(server.url, data, jobs);
  } finally {
    await server.stop();
  }
}

function since(begun: number): number {
  return Math.round((Date.now() - begun) / 1000);
}

/** As often as each is drawn: threads most, since there are five. */
export const ALL_VICTIMS: readonly Victim[] = [
  ...["server", "server", "server", "postgres", "postgres", "backend", "backend"] as const,
  ...["queue", "queue", "comfy", "media", "media", "vision", "engine"] as const,
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      jobs: { type: "string", default: "1000" },
      generations: { type: "string", default: "120" },
      kills: { type: "string", default: "40" },
      seed: { type: "string" },
      lull: { type: "string", default: "12" },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const data = await Deno.makeTempDir({ prefix: "seedloop_fire_" });
  await Deno.chmod(data, 0o755);
  const { breaches, ...counted } = await setFire(data, {
    seed,
    jobs: Number(values.jobs),
    generations: Number(values.generations),
    kills: Number(values.kills),
    victims: ALL_VICTIMS,
    longestLullMs: Number(values.lull) * 1000,
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
