import { assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { deadline } from "#server/core/time.ts";
import { type Db, transact } from "#server/db/db.ts";
import { listen } from "#server/db/listen.ts";
import { submitJobs } from "#server/jobs/service.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { trial } from "#workers/kit/trial_job.ts";

const UNTIL_MS = 60_000;
const CHILD = new URL("./queue_kill_child.ts", import.meta.url);

/** Starts a process that runs jobs, and waits until it does. */
async function startChild(
  options: { url: string; host: string; folder: string },
): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", CHILD.href, JSON.stringify(options)],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "ready\n");
  await reader.cancel();
  return child;
}

async function end(child: Deno.ChildProcess, signal: Deno.Signal): Promise<void> {
  child.kill(signal);
  await child.status;
  await child.stdin.abort().catch(() => {});
}

async function submit(db: Db, act: "double" | "wait_once", count: number): Promise<string[]> {
  const one = { kind: trial, input: { act, count: 1 }, projectId: null, userId: null };
  return await transact(db, (tx) => submitJobs(tx, Array.from({ length: count }, () => one)));
}

/** Waits for events until `isSo`. */
async function until(db: Db, isSo: () => Promise<boolean>): Promise<void> {
  const met = Promise.withResolvers<void>();
  const check = () => isSo().then((so) => so && met.resolve(), met.reject);
  const listener = await listen(db, "seedloop_events", silentLog, check);
  await deadline(met.promise, UNTIL_MS, () => new Error(`It was not so within ${UNTIL_MS} ms`)).finally(() =>
    listener.close()
  );
}

async function count(db: Db, statusId: number, ids: readonly string[]): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*)::integer as n from jobs where status_id = ${statusId} and id = any(${ids as string[]}::uuid[])`;
  return row?.n ?? 0;
}

Deno.test("a job whose process is killed goes on at once after the restart, and is done once", async () => {
  await using database = await openTestDatabase();
  const { db, url } = database;
  const folder = await Deno.makeTempDir();
  const options = { url, host: "one", folder };
  const first = await startChild(options);
  const ids = await submit(db, "wait_once", 1);
  await until(db, async () => await count(db, 4, ids) === 1);
  await end(first, "SIGKILL");
  const before = performance.now();
  const second = await startChild(options);
  await until(db, async () => await count(db, 5, ids) === 1);
  // Far sooner than the lease of 15 s would have run out.
  assertEquals(performance.now() - before < 12_000, true);
  await end(second, "SIGKILL");
  const outcomes = await db<{ code: string }[]>`
    select o.code from job_attempts a join attempt_outcome o on o.id = a.outcome_id order by a.number`;
  assertEquals(outcomes.map((row) => row.code), ["lease_lost", "done"]);
  const [left] = await db<{ n: number }[]>`select count(*)::integer as n from job_dependencies`;
  assertEquals(left?.n, 1);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("40 jobs under three kills are all done, each settled once", async () => {
  await using database = await openTestDatabase();
  const { db, url } = database;
  const folder = await Deno.makeTempDir();
  const options = { url, host: "one", folder };
  const ids = await submit(db, "double", 40);
  for (const target of [5, 15, 25]) {
    const child = await startChild(options);
    await until(db, async () => await count(db, 5, ids) >= target);
    await end(child, "SIGKILL");
  }
  const last = await startChild(options);
  await until(db, async () => await count(db, 5, ids) === 40);
  await end(last, "SIGKILL");
  const settled = await db<{ n: number }[]>`
    select count(*)::integer as n from job_dependencies group by needs_job_id`;
  assertEquals(settled.map((row) => row.n), ids.map(() => 1));
  await Deno.remove(folder, { recursive: true });
});
