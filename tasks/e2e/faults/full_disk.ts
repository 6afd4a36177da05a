import { join } from "node:path";
import { parseArgs } from "node:util";
import { listJobs, pauseQueue, resumeQueue } from "#server/jobs/contract.ts";
import { delay } from "#server/core/time.ts";
import { type ApiClient, ApiError } from "#tasks/demo/api_client.ts";
import type { JobTruth } from "./check_jobs.ts";
import { StudioUnderFire } from "./fire.ts";
import { planJobs, submitSurely } from "./job_load.ts";
import { mulberry32 } from "./kill_studio.ts";
import { Steering } from "./steer_jobs.ts";
import { checkAlone, comeToRest, openAdmin } from "./thousand_jobs.ts";

export interface DiskPlan {
  readonly seed: number;
  readonly jobs: number;
  /** How often the disk is filled to the last byte. */
  readonly rounds: number;
  readonly say?: (line: string) => void;
}

export interface DiskReport extends JobTruth {
  /** What reading and writing calls were answered while the disk was full. */
  readonly answers: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/**
 * Takes jobs through a studio whose only disk, for the database and the media, is filled to the last byte again and
 * again while they run, and has space again some seconds later; lets it come to rest and reads what is there.
 */
export async function fillDisk(data: string, plan: DiskPlan): Promise<DiskReport> {
  const begun = Date.now();
  const random = mulberry32(plan.seed);
  const studio = new StudioUnderFire(data);
  const stop = new AbortController();
  try {
    const { firstAdminUrl } = await studio.untilUp();
    const api = await openAdmin(studio.url, firstAdminUrl ?? "");
    const jobs = await planJobs({ db: await studio.db(), data }, {
      jobs: plan.jobs,
      generations: Math.floor(plan.jobs / 12),
      random,
    });
    const answers: Record<string, number> = {};
    const perRound = Math.ceil(jobs.length / plan.rounds);
    for (let round = 0; round < plan.rounds; round++) {
      const some = jobs.slice(round * perRound, (round + 1) * perRound);
      const submitting = submitSurely(() => studio.db(), some, stop.signal);
      await delay(random() * 2_000);
      const ballast = await fill(data);
      plan.say?.(`round ${round + 1}: full, with ${Math.round(ballast / 1024)} KiB of ballast`);
      for (const until = Date.now() + 3_000 + random() * 8_000; Date.now() < until; await delay(200)) {
        await ask(api, answers);
      }
      await Deno.remove(join(data, "ballast"));
      plan.say?.("there is space again");
      await submitting;
    }
    const steering = new Steering(api, random);
    await comeToRest(studio, steering, jobs, begun, plan.say);
    await studio.stop();
    const truth = await checkAlone(data, jobs);
    const breaches = [...truth.breaches, ...steering.breaches];
    for (const answer of Object.keys(answers)) {
      if (answer.includes("500")) breaches.push(`on a full disk ${answer}`);
    }
    return { counts: truth.counts, breaches, answers, seconds: Math.round((Date.now() - begun) / 1000) };
  } finally {
    stop.abort();
    await studio.stop();
  }
}

/** Writes until nothing more fits, and says how many bytes that took. */
async function fill(data: string): Promise<number> {
  const file = await Deno.open(join(data, "ballast"), { create: true, write: true });
  let written = 0;
  // Smaller and smaller, to the last byte.
  for (let size = 1 << 20; size >= 1; size = size >> 2) {
    const chunk = new Uint8Array(size);
    try {
      for (;;) written += await file.write(chunk);
    } catch {
      // Full for a chunk of this size.
    }
  }
  file.close();
  return written;
}

/** Reads, and writes, as a person would meanwhile; what was answered is counted. */
async function ask(api: ApiClient, answers: Record<string, number>): Promise<void> {
  const count = async (what: string, call: () => Promise<unknown>) => {
    const answer = await call().then(() => 200, (error) => error instanceof ApiError ? error.status : "?");
    const key = `${what} was answered ${answer}`;
    answers[key] = (answers[key] ?? 0) + 1;
  };
  await count("a reading", () => api.call(listJobs, { query: { limit: 5 } }));
  await count("a pause", () => api.call(pauseQueue, { body: { lane: "script" } }));
  await count("a resumption", () => api.call(resumeQueue, { body: { lane: "script" } }));
}

/** A folder that is a small disk of its own; undefined where one may not mount. */
export async function mountSmallDisk(
  sizeMb: number,
): Promise<{ path: string; unmount(): Promise<void> } | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
  const path = await Deno.makeTempDir({ prefix: "seedloop_disk_" });
  const run = async (program: string, ...args: string[]) =>
    (await new Deno.Command(program, { args }).output()).success;
  if (!await run("mount", "-t", "tmpfs", "-o", `size=${sizeMb}m,mode=755`, "tmpfs", path)) {
    await Deno.remove(path);
    return undefined;
  }
  return {
    path,
    unmount: async () => {
      await run("umount", path);
      await Deno.remove(path).catch(() => {});
    },
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      jobs: { type: "string", default: "120" },
      rounds: { type: "string", default: "4" },
      megabytes: { type: "string", default: "200" },
      seed: { type: "string" },
    },
  });
  const disk = await mountSmallDisk(Number(values.megabytes));
  if (!disk) {
    console.log("No small disk can be mounted here: this needs Linux and root");
    return 2;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  try {
    const { breaches, ...counted } = await fillDisk(disk.path, {
      seed,
      jobs: Number(values.jobs),
      rounds: Number(values.rounds),
      say: (line) => console.log(line),
    });
    console.log(JSON.stringify({ seed, ...counted }, null, 2));
    for (const breach of breaches.slice(0, 50)) console.log(`BREACH ${breach}`);
    console.log(`seed ${seed}: ${breaches.length} breaches`);
    return breaches.length === 0 ? 0 : 1;
  } finally {
    await disk.unmount();
  }
}

if (import.meta.main) Deno.exit(await main());
