import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { delay } from "#server/core/time.ts";
import { LocalStore } from "#server/files/local_store.ts";
import { saveOne } from "#workers/comfy/testing/bridge.ts";
import type { FakePrompt } from "#workers/comfy/testing/fault_prompt.ts";
import { FaultServer } from "#workers/comfy/testing/fault_server.ts";
import { mulberry32 } from "./kill_studio.ts";
import { type JobTruth, TwoStudios } from "./two_studios.ts";

/** What befalls the process that drives the worker. */
export const FAULTS = ["SIGKILL", "SIGSTOP", "SIGTERM"] as const;
/**
 * When: it has claimed the job and sent nothing yet; its prompt is on the way and the answer never comes; the prompt
 * runs; the prompt has ended and its file is being fetched.
 */
export const MOMENTS = ["preparing", "submitting", "running", "fetching"] as const;

export interface Round {
  readonly fault: typeof FAULTS[number];
  readonly moment: typeof MOMENTS[number];
  /** The database is restarted right after. */
  readonly isDatabaseHit: boolean;
  /** The prompt ends only when the other process drives the worker. */
  readonly endsLate: boolean;
}

export interface RoundReport extends Round {
  /** From the fault until the job was done. */
  readonly doneAfterMs: number;
  readonly attempts: number;
  readonly breaches: readonly string[];
}

/** Takes each combination of fault and moment in turn, in an order of the seed's. */
export function drawRounds(count: number, seed: number, hitsDatabase = true): Round[] {
  const random = mulberry32(seed);
  const all = FAULTS.flatMap((fault) => MOMENTS.map((moment) => ({ fault, moment })));
  const rounds: Round[] = [];
  for (let pool = [...all]; rounds.length < count; pool = pool.length > 0 ? pool : [...all]) {
    const [drawn] = pool.splice(Math.floor(random() * pool.length), 1);
    if (!drawn) continue;
    rounds.push({ ...drawn, isDatabaseHit: hitsDatabase && random() < 0.4, endsLate: random() < 0.5 });
  }
  return rounds;
}

/**
 * Has one job run on a ComfyUI stand-in, strikes the process that drives it, and reads what came of it: the job is
 * done once, the worker was sent one prompt, and its file is stored. A process that has ended is started again.
 */
export async function strikeOwner(
  two: TwoStudios,
  comfy: FaultServer,
  round: Round,
  isRevived = true,
): Promise<RoundReport> {
  const owner = await two.findOwner();
  if (owner < 0) throw new Error("Nobody drives the worker");
  comfy.file = crypto.getRandomValues(new Uint8Array(20_000));
  const struck = Promise.withResolvers<number>();
  const strike = () => {
    two.signal(owner, round.fault);
    comfy.misbehave = () => undefined;
    struck.resolve(Date.now());
  };
  const sent: FakePrompt[] = [];
  comfy.onPrompt = async (prompt) => {
    sent.push(prompt);
    await comfy.begin(prompt);
    if (round.moment === "fetching") await comfy.end(prompt);
    if (round.moment === "running") strike();
  };
  comfy.misbehave = ({ method, path }) => {
    const isTime = round.moment === "preparing"
      ? path.startsWith("/history/")
      : round.moment === "submitting"
      ? method === "POST" && path === "/prompt"
      : round.moment === "fetching" && path === "/view";
    if (!isTime) return undefined;
    strike();
    return round.moment === "submitting" ? { loseAnswer: true } : { cut: true };
  };
  const jobId = await two.submit(saveOne(), ["2"]);
  const struckAt = await struck.promise;
  // Later prompts are another's.
  comfy.onPrompt = async (prompt) => {
    sent.push(prompt);
    await comfy.finish(prompt);
  };
  if (round.isDatabaseHit) await two.crashDatabase();
  await finishPrompt(two, comfy, round, owner, sent);
  await two.until(
    "the job is over",
    async () => /^(done|failed|cancelled)$/.test((await two.readJob(jobId)).status),
  );
  const doneAfterMs = Date.now() - struckAt;
  if (isRevived) await bringBack(two, round, owner);
  const job = await two.readJob(jobId);
  return {
    ...round,
    doneAfterMs,
    attempts: job.attempts.length,
    breaches: await findBreaches(two, comfy, job, sent),
  };
}

/** The prompt ends while nobody looks, or only once the other process does. */
async function finishPrompt(
  two: TwoStudios,
  comfy: FaultServer,
  round: Round,
  owner: number,
  sent: readonly FakePrompt[],
): Promise<void> {
  if (round.endsLate) {
    await two.until("the other drives the worker", async () => {
      const now = await two.findOwner();
      return now >= 0 && now !== owner;
    });
    // It may come back while its successor is still at it.
    if (round.fault === "SIGSTOP") await bringBack(two, round, owner);
  }
  await two.until("a prompt was sent", () => Promise.resolve(sent.length > 0));
  for (const prompt of sent) if (prompt.state !== "done") await comfy.end(prompt);
}

/** One that was frozen goes on where it was, and gets the time to do harm; another is started again. */
async function bringBack(two: TwoStudios, round: Round, owner: number): Promise<void> {
  if (round.fault !== "SIGSTOP") return await two.revive(owner);
  const since = await two.now();
  two.signal(owner, "SIGCONT");
  await two.until("it beats again", () => two.hasBeaten(owner, since));
  await delay(2_000);
}

async function findBreaches(
  two: TwoStudios,
  comfy: FaultServer,
  job: JobTruth,
  sent: readonly FakePrompt[],
): Promise<string[]> {
  const breaches: string[] = [];
  const expect = (isSo: boolean, what: string) => void (isSo || breaches.push(what));
  expect(job.status === "done", `the job is ${job.status}: ${job.error}`);
  const done = job.attempts.filter(({ outcome }) => outcome === "done").length;
  expect(done === 1, `attempts that are done: ${done}`);
  expect(job.attempts.every(({ outcome }) => outcome !== null), "an attempt is still open");
  expect(sent.length === 1, `prompts sent: ${sent.length}`);
  const known = job.attempts.filter(({ id }) => comfy.prompts.has(id)).length;
  expect(known === 1, `prompts of the job in the worker's history: ${known}`);
  expect(comfy.interrupted.length === 0, `prompts interrupted: ${comfy.interrupted.length}`);
  const hash = createHash("sha256").update(comfy.file).digest("hex");
  expect(job.outputs.join() === hash, "the job's output is not the worker's file");
  const store = new LocalStore(two.store);
  expect(await store.size(hash) === comfy.file.length, "the file is not in the store");
  let copies = 0;
  for await (const file of store.list()) if (file.hash === hash) copies++;
  expect(copies === 1, `copies in the store: ${copies}`);
  return breaches;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: { rounds: { type: "string", default: "12" }, seed: { type: "string" } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  await using two = await TwoStudios.open();
  await using comfy = new FaultServer();
  await two.addWorker(comfy.url);
  const reports: RoundReport[] = [];
  for (const round of drawRounds(Number(values.rounds), seed)) {
    const report = await strikeOwner(two, comfy, round);
    reports.push(report);
    const { fault, moment, isDatabaseHit, endsLate, doneAfterMs, attempts, breaches } = report;
    console.log(
      `round ${reports.length}: ${fault} while ${moment}${isDatabaseHit ? ", database too" : ""}${
        endsLate ? ", prompt ends late" : ""
      }: done after ${(doneAfterMs / 1000).toFixed(1)} s, ${attempts} attempts${
        breaches.map((breach) => `; BREACH ${breach}`).join("")
      }`,
    );
  }
  const breaches = reports.flatMap((report) => report.breaches);
  const jobs = reports.length;
  console.log(JSON.stringify({ seed, jobs, prompts: comfy.prompts.size, breaches }, null, 2));
  return breaches.length === 0 && comfy.prompts.size === jobs ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
