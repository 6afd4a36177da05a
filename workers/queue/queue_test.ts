import { assertEquals } from "@std/assert/mod.js";
import type { Actor } from "#server/core/actor.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { Permission } from "#server/core/permissions.ts";
import { deadline } from "#server/core/time.ts";
import { type Db, transact, type Tx } from "#server/db/db.ts";
import { listen } from "#server/db/listen.ts";
import * as jobs from "#server/jobs/service.ts";
import type { JobSubmission } from "#server/jobs/service.ts";
import type { SettledJob, Settlement } from "#server/jobs/settle.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { startThread, type Thread } from "#workers/kit/host.ts";
import { trial } from "#workers/kit/trial_job.ts";
import { Dispatch } from "./dispatch.ts";
import { jobKinds } from "./kinds.ts";
import { JobQueue } from "./queue.ts";

const TRIAL_THREAD = new URL(import.meta.resolve("#workers/kit/trial_thread.ts"));
const log = silentLog;
const UNTIL_MS = 60_000;

interface Trial extends AsyncDisposable {
  readonly db: Db;
  readonly url: string;
  readonly thread: Thread;
  readonly queue: JobQueue;
  readonly admin: Actor;
  readonly posted: { t: string }[];
  submit(act: string, more?: Partial<JobSubmission>): Promise<string>;
  /** The job once its status is one of `statuses`; told by the events, never by the clock. */
  until(jobId: string, ...statuses: string[]): Promise<JobRow>;
}

interface JobRow {
  readonly status: string;
  readonly attempt: number;
  readonly failures: number;
  readonly failureClass: string | null;
  readonly error: string | null;
  readonly output: { doubled: number } | null;
}

async function findJob(db: Db, jobId: string): Promise<JobRow> {
  const [row] = await db<JobRow[]>`
    select s.code as status, j.attempt, j.failures, f.code as failure_class, j.error, j.output
      from jobs j join job_status s on s.id = j.status_id left join failure_class f on f.id = j.failure_class_id
     where j.id = ${jobId}`;
  if (!row) throw new Error("The job is not there");
  return row;
}

async function givenAdmin(db: Db): Promise<Actor> {
  const userId = newId<"user">();
  await db`insert into users (id, login, display_name, role_id, status_id) values (${userId}, ${userId}, 'Ada', 1, 2)`;
  return { userId, roleCode: "admin", permissions: new Set(Permission.options) };
}

async function openTrial(
  options: { settlements?: Settlement[]; cpuSlots?: number; kinds?: typeof jobKinds } = {},
): Promise<Trial> {
  const database = await openTestDatabase();
  const { db } = database;
  const folder = await Deno.makeTempDir({ prefix: "seedloop_queue_" });
  const dispatch = new Dispatch(log);
  const posted: { t: string }[] = [];
  const queue = new JobQueue({
    db,
    node: { id: newId<"node">(), host: crypto.randomUUID(), pid: Deno.pid, version: "test" },
    log,
    kinds: options.kinds ?? jobKinds,
    settlements: options.settlements ?? [],
    slots: { cpu: options.cpuSlots ?? 2, io: 2, script: 1 },
    dispatch,
    isAlive: () => Promise.resolve(true),
    post: (message) => {
      posted.push(message);
      if (message.t === "restart_thread") thread.restart("told to");
    },
  });
  const thread = startThread("media", TRIAL_THREAD, {
    log,
    settings: { workRoot: folder },
    beatMs: 50,
    silenceMs: 2_000,
    backoffMs: 1,
  });
  await queue.start();
  thread.watch({
    up: () => {
      const { port1, port2 } = new MessageChannel();
      dispatch.attach("media", port1);
      thread.post({ t: "attach", name: "queue" }, [port2]);
    },
    down: (reason) => dispatch.detach("media", reason),
  });
  const changes = new Set<() => void>();
  const listener = await listen(db, "seedloop_events", log, () => changes.forEach((check) => check()));
  const admin = await givenAdmin(db);
  return {
    db,
    url: database.url,
    thread,
    queue,
    admin,
    posted,
    submit: (act, more = {}) =>
      transact(db, (tx) =>
        jobs.submitJob(tx, {
          kind: trial,
          input: { act, count: 21 },
          projectId: null,
          userId: null,
          ...more,
        } as JobSubmission)),
    until: async (jobId, ...statuses) => {
      let last: JobRow | undefined;
      const met = new Promise<JobRow>((resolve, reject) => {
        const check = () =>
          findJob(db, jobId).then((row) => {
            last = row;
            if (!statuses.includes(row.status)) return;
            changes.delete(check);
            resolve(row);
          }, reject);
        changes.add(check);
        check();
      });
      // A job that never gets there is a failure that says how it stands, not a wait without end.
      return await deadline(met, UNTIL_MS, () => {
        const told = JSON.stringify({ last, thread: thread.state, kinds: dispatch.kinds });
        return new Error(`The job was not ${statuses.join(" or ")} within ${UNTIL_MS} ms: ${told}`);
      });
    },
    [Symbol.asyncDispose]: async () => {
      await listener.close();
      await queue.stop();
      await thread.stop();
      dispatch.close();
      await database[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("JobQueue runs a job that was just submitted", async () => {
  await using trial = await openTrial();
  const id = await trial.submit("double");
  const { status, output, attempt } = await trial.until(id, "done", "failed");
  assertEquals({ status, output, attempt }, { status: "done", output: { doubled: 42 }, attempt: 1 });
});

Deno.test("JobQueue keeps a job's log and progress and passes progress and previews on", async () => {
  await using trial = await openTrial();
  const id = await trial.submit("report");
  await trial.until(id, "done");
  await trial.queue.stop();
  const detail = await jobs.getJob(trial.db, trial.admin, id);
  assertEquals(detail.log.map((line) => [line.level, line.message]), [["info", "half way there"]]);
  assertEquals(trial.posted.map((message) => message.t).toSorted(), ["preview", "progress"]);
  assertEquals(detail.attempts.map((one) => one.outcome), ["done"]);
});

for (
  const [act, expected] of [
    ["give_up", { status: "failed", attempt: 1, failures: 0, failureClass: "bad_input" }],
    ["try_later", { status: "done", attempt: 3, failures: 0, failureClass: null }],
    ["retry", { status: "done", attempt: 2, failures: 1, failureClass: null }],
    ["throw", { status: "failed", attempt: 2, failures: 1, failureClass: "internal" }],
    ["bad_output", { status: "failed", attempt: 1, failures: 0, failureClass: "internal" }],
  ] as const
) {
  Deno.test(`JobQueue ends a run that does "${act}" as ${expected.status} after ${expected.attempt}`, async () => {
    await using trial = await openTrial();
    const { db } = trial;
    await db`update failure_class set backoff_ms = 1, retries = least(retries, 1)`;
    const id = await trial.submit(act);
    const { status, attempt, failures, failureClass } = await trial.until(id, expected.status);
    assertEquals({ status, attempt, failures, failureClass }, expected);
  });
}

Deno.test("JobQueue runs a job again whose thread crashed under it", async () => {
  await using trial = await openTrial();
  await trial.db`update failure_class set backoff_ms = 1`;
  const bystander = await trial.submit("wait");
  await trial.until(bystander, "running");
  const id = await trial.submit("crash");
  const row = await trial.until(id, "done", "failed");
  assertEquals([row.status, row.attempt, row.failures], ["done", 2, 1]);
  const [attempt] = await trial.db<{ code: string }[]>`
    select f.code from job_attempts a join failure_class f on f.id = a.failure_class_id where a.job_id = ${id}`;
  assertEquals(attempt?.code, "thread_died");
});

Deno.test("JobQueue cancels jobs that are blocked, held, queued and running, with their settlement", async () => {
  const seen: string[] = [];
  const note = (what: string) => (_tx: unknown, job: { id: string }) =>
    Promise.resolve(void seen.push(`${what} ${job.id}`));
  const settlement = {
    kind: trial,
    done: note("done"),
    failed: note("failed"),
    cancelled: note("cancelled"),
  };
  await using studio = await openTrial({ settlements: [settlement as unknown as Settlement], cpuSlots: 1 });
  const running = await studio.submit("wait");
  await studio.until(running, "running");
  const queued = await studio.submit("double");
  const held = await studio.submit("double", { isHeld: true });
  const blocked = await studio.submit("double", { needs: [queued] });
  const ids = [blocked, held, queued, running];
  for (const id of ids) {
    await jobs.cancelJob(studio.db, studio.admin, id, { withDependents: false });
    await studio.until(id, "cancelled");
  }
  assertEquals(seen, ids.map((id) => `cancelled ${id}`));
  // Ended ones stay as they are.
  await jobs.cancelJob(studio.db, studio.admin, running, { withDependents: true });
  assertEquals((await findJob(studio.db, running)).status, "cancelled");
});

Deno.test("JobQueue cancels all that needs a job when asked to", async () => {
  await using trial = await openTrial();
  const first = await trial.submit("wait");
  const second = await trial.submit("double", { needs: [first] });
  const third = await trial.submit("double", { needs: [second] });
  await trial.until(first, "running");
  await jobs.cancelJob(trial.db, trial.admin, first, { withDependents: true });
  for (const id of [first, second, third]) await trial.until(id, "cancelled");
});

Deno.test("JobQueue runs what is needed first, and goes on when a person retries it", async () => {
  await using trial = await openTrial();
  const first = await trial.submit("give_up");
  const second = await trial.submit("double", { needs: [first] });
  await trial.until(first, "failed");
  const { waitsFor } = await jobs.getJob(trial.db, trial.admin, second);
  assertEquals(waitsFor, 'It needs "Inspect media", which failed: retry that, or cancel this');
  await trial.db`update jobs set input = '{"act":"double","count":1}' where id = ${first}`;
  await jobs.retryJob(trial.db, trial.admin, first);
  await trial.until(second, "done");
});

Deno.test("JobQueue leaves held jobs and paused lanes alone until they are released", async () => {
  await using trial = await openTrial();
  const { db, admin } = trial;
  const held = await trial.submit("double", { isHeld: true });
  const other = await trial.submit("double");
  await trial.until(other, "done");
  assertEquals((await findJob(db, held)).status, "held");
  await jobs.pauseQueue(db, admin, { lane: "cpu" });
  await jobs.releaseJob(db, admin, held);
  assertEquals(
    (await jobs.getJob(db, admin, held)).waitsFor,
    "The cpu lane is paused by Ada: resume it to go on",
  );
  await jobs.resumeQueue(db, admin, { lane: "cpu" });
  await trial.until(held, "done");
});

Deno.test("JobQueue stops a run that takes longer than its kind may", async () => {
  const kinds = jobKinds.map((kind) => kind.code === trial.code ? { ...kind, timeoutMs: 30 } : kind);
  await using studio = await openTrial({ kinds });
  await studio.db`update failure_class set retries = 0`;
  const id = await studio.submit("wait");
  const { failureClass } = await studio.until(id, "failed");
  assertEquals(failureClass, "timeout");
});

Deno.test("JobQueue learns run times of the runs whose end is in the database", async () => {
  const nothing = () => Promise.resolve();
  const done = (_tx: Tx, { attempt }: SettledJob) =>
    attempt < 2 ? Promise.reject(new Error("It can't be taken in")) : Promise.resolve();
  const settlement: Settlement = { kind: trial, done, failed: nothing, cancelled: nothing };
  await using studio = await openTrial({ settlements: [settlement] });
  const id = await studio.submit("double");
  await studio.until(id, "failed");
  await jobs.retryJob(studio.db, studio.admin, id);
  await studio.until(id, "done");
  await studio.queue.stop();
  const learned = await studio.db`select runs, cardinality(recent_ms) as remembered from job_durations`;
  assertEquals([...learned], [{ runs: 1, remembered: 1 }]);
});

Deno.test("JobQueue hands back what runs when it stops, and another goes on at once", async () => {
  await using trial = await openTrial();
  const id = await trial.submit("wait");
  await trial.until(id, "running");
  const before = performance.now();
  await trial.queue.stop();
  assertEquals(performance.now() - before < 2_000, true);
  const { status, failures } = await findJob(trial.db, id);
  assertEquals({ status, failures }, { status: "queued", failures: 0 });
  const detail = await jobs.getJob(trial.db, trial.admin, id);
  assertEquals(detail.attempts[0]?.outcome, "handed_back");
});

Deno.test("JobQueue goes on after every connection of the database was cut", async () => {
  await using trial = await openTrial();
  const before = await trial.submit("wait");
  await trial.until(before, "running");
  await trial.db`select pg_terminate_backend(pid) from pg_stat_activity
                  where datname = current_database() and pid <> pg_backend_pid()`;
  const id = await trial.submit("double").catch(() => trial.submit("double"));
  await trial.until(id, "done");
  assertEquals((await findJob(trial.db, before)).attempt, 1);
});
