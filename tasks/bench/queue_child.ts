// The studio's queue, wired as its thread wires it, with a thread that does nothing; told what to do over stdin.
import * as z from "zod/mini";
import { newId } from "#server/core/id.ts";
import { type Log, silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { connect, type Db, transact } from "#server/db/db.ts";
import { submitJobs } from "#server/jobs/service.ts";
import { startThread } from "#workers/kit/host.ts";
import { Dispatch } from "#workers/queue/dispatch.ts";
import { JobQueue } from "#workers/queue/queue.ts";
import { answerRequests, findProgram } from "./children.ts";
import { drainRaw } from "./queue_floor.ts";
import { benchJob } from "./queue_job.ts";

const Request = z.discriminatedUnion("t", [
  z.object({ t: z.literal("open"), slots: z.int() }),
  z.object({ t: z.literal("empty") }),
  z.object({ t: z.literal("enqueue"), count: z.int() }),
  z.object({ t: z.literal("copy") }),
  z.object({ t: z.literal("drain") }),
  z.object({ t: z.literal("raw"), clients: z.int(), batch: z.int() }),
]);

async function main(url: string): Promise<void> {
  const workRoot = await Deno.makeTempDir({ prefix: "seedloop_bench_work_" });
  const db = connect({ url, max: 6, applicationName: "bench", statementTimeoutMs: 60_000 });
  const raw = connect({ url, max: 10, applicationName: "bench raw", isPlannedOnce: true });
  let queue: RunningQueue | undefined;
  await answerRequests(async (given) => {
    const request = Request.parse(given);
    switch (request.t) {
      case "open":
        await queue?.stop();
        queue = await openQueue(url, workRoot, request.slots);
        return;
      case "empty":
        return await empty(db);
      case "enqueue":
        return await timed(() => enqueue(db, request.count));
      case "copy":
        return await copyBack(db, url);
      case "drain":
        if (!queue) throw new Error("Cannot drain: open a queue first");
        return await drain(db, queue);
      case "raw":
        // The lane is paused still: the queue leaves the jobs alone.
        return await timed(() => drainRaw(raw, request));
    }
  });
  await queue?.stop();
  await Promise.all([db.end({ timeout: 1 }), raw.end({ timeout: 1 })]);
  await Deno.remove(workRoot, { recursive: true });
}

interface RunningQueue {
  readonly queue: JobQueue;
  /** When the first run began since it was last asked to forget. */
  firstStart: number | undefined;
  stop(): Promise<void>;
}

async function openQueue(url: string, workRoot: string, slots: number): Promise<RunningQueue> {
  const db = connect({ url, max: 6, applicationName: "seedloop queue", isPlannedOnce: true });
  const noticeStart: Log = {
    ...silentLog,
    debug: (message) => {
      if (message === "job started") running.firstStart ??= performance.now();
    },
  };
  const dispatch = new Dispatch(silentLog);
  const queue = new JobQueue({
    db,
    node: { id: newId<"node">(), host: crypto.randomUUID(), pid: Deno.pid, version: "bench" },
    log: noticeStart,
    kinds: [benchJob],
    settlements: [],
    slots: { cpu: slots, io: 1, script: 1 },
    dispatch,
    isAlive: () => Promise.resolve(true),
    post: () => {},
  });
  const thread = startThread("media", new URL("./queue_thread.ts", import.meta.url), {
    log: silentLog,
    settings: { workRoot },
  });
  await queue.start();
  const attached = Promise.withResolvers<void>();
  thread.watch({
    up: () => {
      const { port1, port2 } = new MessageChannel();
      dispatch.attach("media", port1);
      thread.post({ t: "attach", name: "queue" }, [port2]);
      attached.resolve();
    },
    down: (reason) => dispatch.detach("media", reason),
  });
  await attached.promise;
  const running: RunningQueue = {
    queue,
    firstStart: undefined,
    stop: async () => {
      await queue.stop();
      await thread.stop();
      dispatch.close();
      await db.end({ timeout: 1 });
    },
  };
  return running;
}

/** Queues them behind a pause of the lane, so that none starts before all are there. */
async function enqueue(db: Db, count: number): Promise<void> {
  await transact(db, async (tx) => {
    await submitJobs(
      tx,
      Array.from({ length: count }, (_, n) => ({
        kind: benchJob,
        input: { act: "double", count: n },
        projectId: null,
        userId: null,
      })),
    );
  });
}

async function empty(db: Db): Promise<void> {
  await db`truncate jobs, events, fair_accounts cascade`;
  await db`vacuum analyze jobs, job_attempts, events`;
  await db`
    insert into queue_pauses (id, lane_id) select ${newId()}, id from lane where code = 'cpu' on conflict do nothing`;
}

/** Milliseconds that psql's COPY takes for the very rows that were queued, with their indexes and constraints. */
async function copyBack(db: Db, url: string): Promise<number> {
  const psql = await findProgram("psql");
  if (!psql) throw new Error("Cannot compare with COPY: there is no psql on PATH");
  const file = await Deno.makeTempFile({ prefix: "seedloop_bench_" });
  const run = async (command: string) => {
    const args = ["--no-psqlrc", "--command", "\\timing on", "--command", command, url];
    const { success, stdout } = await new Deno.Command(psql, { args, stderr: "inherit" }).output();
    const [, ms] = /Time: ([\d.]+) ms/.exec(new TextDecoder().decode(stdout)) ?? [];
    if (!success || ms === undefined) throw new Error(`psql failed: ${command}`);
    return Number(ms);
  };
  await run(`\\copy jobs to '${file}'`);
  await db`truncate jobs, events, fair_accounts cascade`;
  const ms = await run(`\\copy jobs from '${file}'`);
  await Deno.remove(file);
  return ms;
}

/** Milliseconds from the first job's start until all have ended. */
async function drain(db: Db, running: RunningQueue): Promise<number> {
  running.firstStart = undefined;
  await db`delete from queue_pauses`;
  running.queue.wake();
  for (;;) {
    const [row] = await db`
      select exists (select 1 from jobs where status_id = 2) or exists (select 1 from jobs where status_id = 4) as is_left`;
    if (!row?.["isLeft"]) break;
    await delay(5);
  }
  return performance.now() - (running.firstStart ?? NaN);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

if (import.meta.main) await main(Deno.args[0] ?? "");
