import { parseArgs } from "node:util";
import { delay } from "#server/core/time.ts";
import { ApiClient } from "#tasks/demo/api_client.ts";
import { type DemoResult, travel } from "#tasks/demo/journey.ts";
import type { DemoOptions } from "#tasks/demo/options.ts";
import { readOptions } from "#tasks/demo/options.ts";
import { ProgressBars } from "#tasks/demo/progress_bars.ts";
import { openToken } from "#tasks/demo/studio.ts";
import { checkTruth, type Truth } from "#tasks/e2e/check_truth.ts";
import { listNaming, listSurvivors, type ProcessMark } from "#tasks/e2e/processes.ts";
import { databaseUrlOf, freePort, StudioProcess } from "#tasks/e2e/studio_process.ts";

export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** Options of the demo, as on its command line. */
  readonly demo: readonly string[];
  /** A studio lives at most so long between two kills; most live much shorter. */
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
  const random = mulberry32(plan.seed);
  const options = readOptions([...plan.demo]);
  if (options === "help") throw new RangeError("The plan asks for help: give options of a demo");
  const port = freePort();
  let studio = new StudioProcess({ data, port, mediaBackend: options.mediaBackend });
  if (!await studio.isUp()) throw new Error(`The studio did not start:\n${studio.said}`);
  const token = await openToken({ url: studio.url, firstAdminUrl: studio.firstAdminUrl, data });
  const api = new ApiClient(studio.url, token, 180_000);

  const kills: KillRecord[] = [];
  const orphans: ProcessMark[] = [];
  const watches: Promise<void>[] = [];
  let bornAt = Date.now();
  const isOver = new AbortController();
  const killing = (async () => {
    while (kills.length < plan.kills && !isOver.signal.aborted) {
      const up = studio.isUp().then((isUp) => isUp ? Date.now() - bornAt : undefined);
      let upAfterMs: number | undefined;
      up.then((ms) => upAfterMs = ms);
      await delay(lifeMs(random, plan.longestLifeMs), isOver.signal).catch(() => {});
      if (isOver.signal.aborted) break;
      const livedMs = Date.now() - bornAt;
      const children = await studio.kill();
      watches.push(watchChildren(children, orphans));
      const kill = { number: kills.length + 1, livedMs, upAfterMs, children: children.length };
      kills.push(kill);
      plan.onKill?.(kill);
      studio = new StudioProcess({ data, port, mediaBackend: options.mediaBackend });
      bornAt = Date.now();
    }
  })();

  const journeys: DemoResult[] = [];
  try {
    do journeys.push(await oneJourney(api, options, data, journeys.length)); while (
      kills.length < plan.kills
    );
  } finally {
    isOver.abort();
    await killing;
  }
  if (!await studio.isUp()) throw new Error(`The studio did not start again:\n${studio.said}`);
  // The last kill may have come after the journey's end: what it interrupted is taken up and ended first.
  await waitForRest(api);
  const truth = await checkTruth(await databaseUrlOf(data), data);
  await studio.stop();
  await Promise.all(watches);
  orphans.push(...await listNaming(data));
  return { kills, journeys, truth, orphans, seconds: Math.round((Date.now() - startedAt) / 1000) };
}

function oneJourney(api: ApiClient, options: DemoOptions, data: string, number: number): Promise<DemoResult> {
  const given = { ...options, out: `${data}/out_${number}`, randomSeed: options.randomSeed + number };
  return travel(api, given, new ProgressBars(false), 0);
}

/** Evenly spread over a logarithm: as many deaths while starting as in the middle of the work. */
function lifeMs(random: () => number, longestMs: number): number {
  const shortest = 150;
  return shortest * (longestMs / shortest) ** random();
}

async function waitForRest(api: ApiClient): Promise<void> {
  const { listJobs } = await import("#server/jobs/contract.ts");
  for (const status of ["queued", "running", "blocked"] as const) {
    while ((await api.call(listJobs, { query: { status, limit: 1 } })).items.length > 0) await delay(200);
  }
}

async function watchChildren(children: readonly ProcessMark[], orphans: ProcessMark[]): Promise<void> {
  const deadline = Date.now() + ORPHAN_GRACE_MS;
  let left = await listSurvivors(children);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(200);
    left = await listSurvivors(left);
  }
  orphans.push(...left);
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
      life: { type: "string", default: "25" },
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
    onKill: ({ number, livedMs, upAfterMs, children }) =>
      console.log(
        `kill ${number} after ${(livedMs / 1000).toFixed(1)} s, ${
          upAfterMs === undefined ? "while starting" : `up after ${(upAfterMs / 1000).toFixed(1)} s`
        }, ${children} children`,
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
