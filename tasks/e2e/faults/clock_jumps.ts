import { join } from "node:path";
import { parseArgs } from "node:util";
import { acceptLink, createToken, getMe } from "#server/auth/contract.ts";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { ApiClient, ApiError } from "#tasks/demo/api_client.ts";
import { checkJobs, type JobTruth } from "./check_jobs.ts";
import { StudioUnderFire } from "./fire.ts";
import { pick, planJobs, submitSurely } from "./job_load.ts";
import { mulberry32 } from "./kill_studio.ts";
import { Steering } from "./steer_jobs.ts";
import { comeToRest } from "./thousand_jobs.ts";

/** By how much the studio's clock is put forward or back; the database's goes on as it is. */
export const JUMPS = ["+1h", "-1h", "+1d", "-1d", "+400d", "-20y", "+5s", "-5s", "+0"] as const;

export interface ClockReport extends JobTruth {
  readonly jumps: Readonly<Record<string, number>>;
  /** What calls were answered after each jump: by an API token, and by a session of fifteen minutes. */
  readonly answers: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Takes jobs through a studio whose process sees its clock jump, with the database on a clock that does not. */
export async function jumpClock(
  data: string,
  plan: { seed: number; jobs: number; jumps: number; library: string; say?: (line: string) => void },
): Promise<ClockReport> {
  const begun = Date.now();
  const random = mulberry32(plan.seed);
  const postgres = await startEmbeddedPostgres({ dir: join(data, "database"), log: silentLog });
  const clock = join(data, "clock");
  const setClock = (jump: string) => Deno.writeTextFile(clock, `${jump}\n`);
  await setClock("+0");
  const studio = new StudioUnderFire(data, {
    DATABASE_URL: postgres.url,
    LD_PRELOAD: plan.library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  });
  const stop = new AbortController();
  try {
    const { firstAdminUrl } = await studio.untilUp();
    const { token, session } = await openBoth(studio.url, firstAdminUrl ?? "");
    const db = await studio.db();
    const jobs = await planJobs({ db, data }, {
      jobs: plan.jobs,
      generations: Math.floor(plan.jobs / 8),
      random,
    });
    const steering = new Steering(token, random);
    const answers: Record<string, number> = {};
    const jumps: Record<string, number> = {};
    const submitting = submitSurely(() => studio.db(), jobs, stop.signal);
    for (let n = 0; n < plan.jumps; n++) {
      const jump = pick(JUMPS, random);
      await setClock(jump);
      jumps[jump] = (jumps[jump] ?? 0) + 1;
      plan.say?.(`the studio's clock is ${jump}`);
      await delay(300 + random() * 2_500);
      await steering.disturb(jobs.map(({ id }) => id));
      for (const [what, client] of Object.entries({ token, session })) {
        const answer = await client.call(getMe).then(
          () => 200,
          (error) => error instanceof ApiError ? error.status : "?",
        );
        const key = `${jump}: ${what} ${answer}`;
        answers[key] = (answers[key] ?? 0) + 1;
      }
    }
    await submitting;
    await setClock("+0");
    await comeToRest(studio, steering, jobs, begun, plan.say);
    await studio.stop();
    const truth = await checkJobs(postgres.url, data, jobs);
    const breaches = [...truth.breaches, ...steering.breaches];
    // A lease that ran out by a wrong clock would be one that nobody let go.
    const lost = truth.counts["attempts lease_lost"] ?? 0;
    if (lost > 0) breaches.push(`${lost} leases were lost, though no process died`);
    const seconds = Math.round((Date.now() - begun) / 1000);
    return { counts: truth.counts, breaches, jumps, answers, seconds };
  } finally {
    stop.abort();
    await studio.stop();
    await postgres.stop();
  }
}

/** The first admin twice: by a token that stays, and by the session they began with. */
async function openBoth(
  url: string,
  firstAdminUrl: string,
): Promise<{ token: ApiClient; session: ApiClient }> {
  const body = {
    token: new URL(firstAdminUrl).hash.slice(1),
    login: "clock",
    displayName: "Clock",
    password: crypto.randomUUID(),
  };
  const { accessToken } = await new ApiClient(url, "").call(acceptLink, { body });
  const session = new ApiClient(url, accessToken);
  const { secret } = await session.call(createToken, { body: { name: "clock", scopes: ["admin"] } });
  return { session, token: new ApiClient(url, secret) };
}

/** Where Debian's package libfaketime lies; undefined when it is not installed. */
export async function findFaketime(): Promise<string | undefined> {
  for (const folder of ["x86_64-linux-gnu", "aarch64-linux-gnu"]) {
    const path = `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return undefined;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      jobs: { type: "string", default: "120" },
      jumps: { type: "string", default: "30" },
      seed: { type: "string" },
    },
  });
  const library = await findFaketime();
  if (!library) {
    console.log("The clock can't be moved here: install libfaketime");
    return 2;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const data = await Deno.makeTempDir({ prefix: "seedloop_clock_" });
  await Deno.chmod(data, 0o755);
  const { breaches, ...counted } = await jumpClock(data, {
    seed,
    jobs: Number(values.jobs),
    jumps: Number(values.jumps),
    library,
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
