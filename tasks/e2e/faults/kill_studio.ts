import { join } from "node:path";
import { parseArgs } from "node:util";
import { listJobs } from "#server/jobs/contract.ts";
import { delay } from "#server/core/time.ts";
import { ApiClient } from "#tasks/demo/api_client.ts";
import { type DemoResult, travel } from "#tasks/demo/journey.ts";
import { readOptions } from "#tasks/demo/options.ts";
import type { Progress } from "#tasks/demo/progress_bars.ts";
import { openToken } from "#tasks/demo/studio.ts";
import { checkTruth, type Truth } from "#tasks/e2e/check_truth.ts";
import { listNaming, listSurvivors, type ProcessMark } from "#tasks/e2e/processes.ts";
import {
  databaseUrlOf,
  freePort,
  StudioProcess,
  type StudioProcessOptions,
} from "#tasks/e2e/studio_process.ts";

export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** Options of the demo, as on its command line. */
  readonly demo: readonly string[];
  /** A studio that answers lives at most so long until it is killed. */
  readonly longestLifeMs: number;
  readonly onKill?: (kill: KillRecord) => void;
}

export interface KillRecord {
  readonly number: number;
  /** From the start of the process to its kill. */
  readonly livedMs: number;
  /** From the start of the process to its first answer; undefined when it was killed before. */
  readonly upAfterMs: number | undefined;
  /** Processes that hung on it when it was killed. */
  readonly children: number;
  /** What the journey waited for: "segments 1 of 3". */
  readonly during: string;
}

export interface KillReport {
  readonly kills: readonly KillRecord[];
  readonly journeys: readonly DemoResult[];
  readonly truth: Truth;
  /** Processes that outlived a killed studio by more than ten seconds, or the last one's stop at all. */
  readonly orphans: readonly ProcessMark[];
  readonly seconds: number;
}

const ORPHAN_GRACE_MS = 10_000;

/**
 * Ends a studio with SIGKILL at seeded random moments while a script takes clips through it from portrait to master,
 * starts it again on the same folder and port each time, and reads the truth when all is done.
 */
export async function killStudio(data: string, plan: KillPlan): Promise<KillReport> {
  const startedAt = Date.now();
  const options = readOptions([...plan.demo]);
  if (options === "help") throw new RangeError("The plan asks for help: give options of a demo");
  const { mediaBackend } = options;
  const killer = new Killer(plan, { data, port: freePort(), mediaBackend });
  try {
    if (!await killer.studio.isUp()) throw new Error(`The studio did not start:\n${killer.studio.said}`);
    const { url, firstAdminUrl } = killer.studio;
    const api = new ApiClient(url, await openToken({ url, firstAdminUrl, data }), 180_000);
    const journeys: DemoResult[] = [];
    const killing = killer.run();
    do {
      const number = journeys.length;
      const given = { ...options, out: join(data, `out_${number}`), randomSeed: options.randomSeed + number };
      journeys.push(await travel(api, given, killer.progress, 0));
    } while (killer.kills.length < plan.kills);
    await killing;
    if (!await killer.studio.isUp()) {
      throw new Error(`The studio did not start again:\n${killer.studio.said}`);
    }
    // The last kill may have come after the journey's end: what it interrupted is taken up and ended first.
    await waitForRest(api);
    const truth = await checkTruth(await databaseUrlOf(data), data);
    await killer.studio.stop();
    const orphans = [...await killer.listOrphans(), ...await listNaming(data)];
    orphans.push(...await killer.killAtDatabaseStart());
    const breaches = [...killer.breaches, ...truth.breaches];
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    return { kills: killer.kills, journeys, truth: { ...truth, breaches }, orphans, seconds };
  } finally {
    await killer.stop();
  }
}

/** Kills and starts one studio again and again, and remembers what hung on it each time. */
class Killer {
  readonly kills: KillRecord[] = [];
  readonly breaches: string[] = [];
  readonly progress: Progress;
  readonly #plan: KillPlan;
  readonly #random: () => number;
  readonly #options: StudioProcessOptions;
  readonly #watches: Promise<ProcessMark[]>[] = [];
  #studio: StudioProcess;
  #bornAt = Date.now();
  #isOver = new AbortController();
  #during = "";

  constructor(plan: KillPlan, options: StudioProcessOptions) {
    this.#plan = plan;
    this.#random = mulberry32(plan.seed);
    this.#options = options;
    this.#studio = new StudioProcess(options);
    const tell = (step: string, note = "") => void (this.#during = `${step} ${note}`);
    this.progress = { set: (step, _ratio, note) => tell(step, note), done: tell };
  }

  /** The one that runs now. */
  get studio(): StudioProcess {
    return this.#studio;
  }

  async run(): Promise<void> {
    while (this.kills.length < this.#plan.kills && !this.#isOver.signal.aborted) {
      let upAfterMs: number | undefined;
      const up = this.#studio.isUp().then((isUp) => {
        if (isUp) upAfterMs = Date.now() - this.#bornAt;
      });
      const life = drawLife(this.#random, this.#plan.longestLifeMs);
      if (life.isFromUp) await up;
      await delay(life.ms, this.#isOver.signal).catch(() => {});
      if (!this.#isOver.signal.aborted) await this.#kill(upAfterMs);
    }
  }

  async #kill(upAfterMs: number | undefined): Promise<void> {
    const livedMs = Date.now() - this.#bornAt;
    if (this.#studio.isEnded) {
      this.breaches.push(`the studio ended by itself: ${this.#studio.said.slice(-500)}`);
    }
    const children = await this.#studio.kill();
    this.#watches.push(watchChildren(children));
    this.#studio = new StudioProcess(this.#options);
    this.#bornAt = Date.now();
    const number = this.kills.length + 1;
    const kill = { number, livedMs, upAfterMs, children: children.length, during: this.#during };
    this.kills.push(kill);
    this.#plan.onKill?.(kill);
  }

  /** The database has just been started and is not ready: who is killed now and never comes back leaves it to its guard. */
  async killAtDatabaseStart(): Promise<ProcessMark[]> {
    this.#studio = new StudioProcess(this.#options);
    const isThere = async () => (await listNaming(join(this.#options.data, "pg"))).length > 0;
    while (!this.#studio.isEnded && !await isThere()) await delay(5);
    return await watchChildren(await this.#studio.kill());
  }

  async listOrphans(): Promise<ProcessMark[]> {
    return (await Promise.all(this.#watches)).flat();
  }

  async stop(): Promise<void> {
    this.#isOver.abort();
    await this.#studio.kill();
  }
}

/** One death in four comes while the studio starts, the others at any moment of its work. */
function drawLife(random: () => number, longestMs: number): { isFromUp: boolean; ms: number } {
  const isFromUp = random() < 0.75;
  return { isFromUp, ms: random() * (isFromUp ? longestMs : 3_000) };
}

async function waitForRest(api: ApiClient): Promise<void> {
  for (const status of ["queued", "running", "blocked"] as const) {
    while ((await api.call(listJobs, { query: { status, limit: 1 } })).items.length > 0) await delay(200);
  }
}

async function watchChildren(children: readonly ProcessMark[]): Promise<ProcessMark[]> {
  const deadline = Date.now() + ORPHAN_GRACE_MS;
  let left = await listSurvivors(children);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(200);
    left = await listSurvivors(left);
  }
  return left;
}

/** A small seeded generator: uniform in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      kills: { type: "string", default: "20" },
      seed: { type: "string" },
      seconds: { type: "string", default: "6" },
      size: { type: "string", default: "768x512" },
      life: { type: "string", default: "20" },
      "media-backend": { type: "string", default: "auto" },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const data = await Deno.makeTempDir({ prefix: "seedloop_kill_" });
  await Deno.chmod(data, 0o755);
  const report = await killStudio(data, {
    kills: Number(values.kills),
    seed,
    demo: ["--seconds", values.seconds, "--size", values.size, "--media-backend", values["media-backend"]],
    longestLifeMs: Number(values.life) * 1000,
    onKill: ({ number, livedMs, upAfterMs, children, during }) =>
      console.log(
        `kill ${number} after ${(livedMs / 1000).toFixed(1)} s, ${
          upAfterMs === undefined ? "while starting" : `up after ${(upAfterMs / 1000).toFixed(1)} s`
        }, ${children} children, during ${during}`,
      ),
  });
  const { truth, orphans, journeys, kills } = report;
  console.log(
    JSON.stringify(
      { seed, kills: kills.length, journeys: journeys.length, seconds: report.seconds, ...truth },
      null,
      2,
    ),
  );
  for (const { pid, command } of orphans) console.log(`orphan ${pid}: ${command.slice(0, 160)}`);
  const isGood = truth.breaches.length === 0 && orphans.length === 0;
  if (isGood) await Deno.remove(data, { recursive: true });
  else console.log(`The folder is kept: ${data}`);
  return isGood ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
