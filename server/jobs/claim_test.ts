import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { type ClaimedJob, claimJobs, type ClaimRequest, finishAndClaim } from "./claim.ts";
import { endRun, mapSettlements, type RunEnd } from "./finish.ts";
import { beat, enterNode, handBack, rescue } from "./lease.ts";
import { type JobSubmission, submitJob, submitJobs } from "./service.ts";
import type { Settlement } from "./settle.ts";

const FILE = { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" };
const INPUT = { file: FILE, fileName: "a.png" };
const NO_SETTLEMENTS = mapSettlements([]);

async function givenNode(db: Db): Promise<string> {
  const id = newId<"node">();
  await enterNode(db, { id, host: "test", pid: 1, version: "0" });
  return id;
}

async function givenUser(db: Db): Promise<string> {
  const id = newId<"user">();
  await db`insert into users (id, login, display_name, role_id, status_id)
           select ${id}, ${id}, 'Someone', r.id, 2 from role r where r.code = 'creator'`;
  return id;
}

async function givenJobs(db: Db, count: number, more: Partial<JobSubmission> = {}): Promise<string[]> {
  const one = { kind: inspectMedia, input: INPUT, projectId: null, userId: null, ...more } as JobSubmission;
  return await transact(db, (tx) => submitJobs(tx, Array.from({ length: count }, () => one)));
}

function cpu(nodeId: string, limit = 1): ClaimRequest {
  return { nodeId, lane: "cpu", kinds: ["media.inspect", "media.proxy"], limit };
}

async function claimOne(db: Db, nodeId: string): Promise<ClaimedJob> {
  const [job] = await claimJobs(db, cpu(nodeId));
  if (!job) throw new Error("There was nothing to claim");
  return job;
}

async function reserve(db: Db): Promise<AsyncDisposable & { readonly db: Queryable }> {
  const connection = await db.reserve();
  return {
    db: connection as unknown as Queryable,
    [Symbol.asyncDispose]: () => Promise.resolve(connection.release()),
  };
}

async function statusOf(db: Db, jobId: string): Promise<string | undefined> {
  const [row] = await db<{ code: string }[]>`
    select s.code from jobs j join job_status s on s.id = j.status_id where j.id = ${jobId}`;
  return row?.code;
}

Deno.test("claimJobs() gives 200 jobs to 8 claimers, none twice", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const ids = await givenJobs(db, 200);
  const claimed: string[] = [];
  const claimer = async () => {
    for (;;) {
      const jobs = await claimJobs(db, cpu(nodeId, 3));
      if (jobs.length === 0) return;
      claimed.push(...jobs.map((job) => job.id));
    }
  };
  await Promise.all(Array.from({ length: 8 }, claimer));
  // A claimer that found all rows locked has ended early; whoever held them may have left some.
  await claimer();
  assertEquals(claimed.toSorted(), ids.toSorted());
});

Deno.test("finishAndClaim() ends a run once, readies its successor and takes the next", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [first = "", second = ""] = await givenJobs(db, 2);
  const [after = ""] = await givenJobs(db, 1, { needs: [first, second] });
  assertEquals(await statusOf(db, after), "blocked");
  const job = await claimOne(db, nodeId);
  assertEquals([job.id, job.attempt, job.epoch], [first, 1, 1]);
  const result = await finishAndClaim(db, [{ job, output: { a: 1 } }], cpu(nodeId));
  assertEquals(result.ended, [first]);
  assertEquals(result.claimed.map((one) => one.id), [second]);
  assertEquals(await statusOf(db, after), "blocked");
  const last = await finishAndClaim(db, [{ job: result.claimed[0]!, output: {} }], {
    ...cpu(nodeId),
    kinds: ["media.proxy"],
  });
  assertEquals(last, { ended: [second], claimed: [] });
  assertEquals(await statusOf(db, after), "queued");
  const again = await finishAndClaim(db, [{ job, output: { a: 2 } }], {
    ...cpu(nodeId),
    kinds: ["media.proxy"],
  });
  assertEquals(again.ended, []);
  const [row] = await db<{ output: unknown }[]>`select output from jobs where id = ${first}`;
  assertEquals(row?.output, { a: 1 });
});

const ENDS: RunEnd[] = [
  { how: "done", output: {} },
  { how: "cancelled" },
  { how: "give_up", failureClass: "bad_input", message: "No" },
  { how: "retry", failureClass: "internal", message: "No" },
  { how: "try_later", failureClass: "worker_gone", message: "No", afterMs: 1 },
];

for (const end of ENDS) {
  Deno.test(`endRun() changes nothing for a run of an old epoch that ends "${end.how}"`, async () => {
    await using database = await openTestDatabase();
    const { db } = database;
    const nodeId = await givenNode(db);
    await givenJobs(db, 1);
    const zombie = await claimOne(db, nodeId);
    await db`update jobs set lease_until = now() - interval '1 second'`;
    assertEquals((await rescue(db, { deadNodeIds: [], keep: [] })).rescued, 1);
    assertEquals(await endRun(db, NO_SETTLEMENTS, zombie, end, silentLog), { status: "stale" });
    const job = await claimOne(db, nodeId);
    assertEquals(job.epoch, zombie.epoch + 1);
    assertEquals(await endRun(db, NO_SETTLEMENTS, zombie, end, silentLog), { status: "stale" });
    assertEquals(await statusOf(db, job.id), "running");
    assertEquals(await endRun(db, NO_SETTLEMENTS, job, { how: "done", output: {} }, silentLog), {
      status: "done",
    });
  });
}

Deno.test("a claim does not wait for the disk, and what its connection does next does", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  await givenJobs(db, 1);
  await using connection = await reserve(db);
  const how = async () => (await connection.db`show synchronous_commit`)[0]?.["synchronousCommit"];
  await connection.db`set synchronous_commit = on`;
  await connection.db`begin`;
  const [job] = await claimJobs(connection.db, cpu(nodeId));
  assertEquals([job?.attempt, await how()], [1, "off"]);
  await connection.db`rollback`;
  assertEquals((await claimJobs(connection.db, cpu(nodeId))).length, 1);
  assertEquals(await how(), "on");
});

Deno.test("a run whose claim was lost with the power can't end the job's next run of the same epoch", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  await givenJobs(db, 1);
  const lost = await claimOne(db, nodeId);
  // What the database knows after it: another claim with the number of the first.
  const nextAttemptId = newId<"attempt">();
  await db`update jobs set attempt_id = ${nextAttemptId} where id = ${lost.id}`;
  const output = {};
  const ends = [{ how: "done", output }, {
    how: "retry",
    failureClass: "internal",
    message: "It broke",
  }] as const;
  for (const end of ends) {
    assertEquals((await endRun(db, NO_SETTLEMENTS, lost, end, silentLog)).status, "stale");
  }
  const { ended } = await finishAndClaim(db, [{ job: lost, output }], cpu(nodeId));
  assertEquals([ended, await statusOf(db, lost.id)], [[], "running"]);
  const next = { ...lost, attemptId: nextAttemptId };
  assertEquals((await endRun(db, NO_SETTLEMENTS, next, { how: "done", output }, silentLog)).status, "done");
});

Deno.test("endRun() spends the retries of a failure's class, then fails", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [id = ""] = await givenJobs(db, 1);
  const statuses: string[] = [];
  const failures: RunEnd[] = [
    { how: "try_later", failureClass: "worker_gone", message: "Later", afterMs: 5 },
    { how: "retry", failureClass: "output_missing", message: "Gone" },
    { how: "try_later", failureClass: "output_missing", message: "Later", afterMs: 5 },
    { how: "retry", failureClass: "internal", message: "Bug" },
    { how: "retry", failureClass: "output_missing", message: "Gone" },
    { how: "retry", failureClass: "output_missing", message: "Gone for good" },
  ];
  for (const failure of failures) {
    await db`update jobs set run_at = now()`;
    const job = await claimOne(db, nodeId);
    statuses.push((await endRun(db, NO_SETTLEMENTS, job, failure, silentLog)).status);
  }
  assertEquals(statuses, ["queued", "queued", "queued", "queued", "queued", "failed"]);
  const [row] = await db<{ failures: number; error: string; attempt: number }[]>`
    select failures, error, attempt from jobs where id = ${id}`;
  const mend = "Look at the workflow's save node and at the worker's output folder, then retry it";
  assertEquals(row, { failures: 3, error: `Gone for good. ${mend}`, attempt: 6 });
});

Deno.test("a job waits for a full disk without end and budget, some minutes at a time, and says why", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [id = ""] = await givenJobs(db, 1);
  for (const failureClass of ["storage_full", "worker_storage_full"]) {
    for (let tries = 0; tries < 40; tries++) {
      await db`update jobs set run_at = now()`;
      const end: RunEnd = { how: "retry", failureClass, message: "Cannot keep it: the disk is full" };
      const outcome = await endRun(db, NO_SETTLEMENTS, await claimOne(db, nodeId), end, silentLog);
      if (outcome.status !== "queued") throw new Error(`It was ${outcome.status} after ${tries} tries`);
      assertEquals(outcome.inMs > 10_000 && outcome.inMs <= 360_000, true);
      if (tries > 10) assertEquals(outcome.inMs >= 240_000, true);
    }
  }
  const [row] = await db<{ failures: number; error: string }[]>`
    select failures, error from jobs where id = ${id}`;
  const mend = "As soon as there is space on the worker's disk it goes on by itself, within minutes";
  assertEquals(row, { failures: 0, error: `Cannot keep it: the disk is full. ${mend}` });
});

function trialSettlement(more: Partial<Settlement> = {}): { settlement: Settlement; seen: string[] } {
  const seen: string[] = [];
  const settlement = {
    kind: inspectMedia,
    done: (_tx: unknown, job: { id: string }) => Promise.resolve(void seen.push(`done ${job.id}`)),
    failed: (_tx: unknown, job: { id: string }, failure: { failureClass: string }) =>
      Promise.resolve(void seen.push(`failed ${job.id} ${failure.failureClass}`)),
    cancelled: (_tx: unknown, job: { id: string }) => Promise.resolve(void seen.push(`cancelled ${job.id}`)),
    ...more,
  };
  return { settlement: settlement as unknown as Settlement, seen };
}

Deno.test("a job that was tried for days does not stop its lane", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [jobId] = await givenJobs(db, 2);
  await db`update jobs set attempt = 40000, failures = 40000 where id = ${jobId!}`;
  const job = await claimOne(db, nodeId);
  assertEquals([job.id, job.attempt], [jobId, 40_001]);
  const later = { how: "try_later", failureClass: "internal", message: "busy", afterMs: 0 } as const;
  assertEquals((await endRun(db, mapSettlements([]), job, later, silentLog)).status, "queued");
  assertEquals((await db`select number from job_attempts`)[0]?.["number"], 40_001);
});

Deno.test("endRun() settles in the transaction that ends the job", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [id = ""] = await givenJobs(db, 1);
  const { settlement } = trialSettlement({
    done: async (tx, job) => {
      // Seen from outside nothing has happened yet; from inside the job is done.
      const [outside] = await db<{ statusId: number }[]>`select status_id from jobs where id = ${job.id}`;
      const [inside] = await tx<{ statusId: number }[]>`select status_id from jobs where id = ${job.id}`;
      assertEquals([outside?.statusId, inside?.statusId], [4, 5]);
      await submitJob(tx, {
        kind: inspectMedia,
        input: INPUT,
        projectId: null,
        userId: null,
        needs: [job.id],
      });
    },
  });
  const job = await claimOne(db, nodeId);
  const outcome = await endRun(
    db,
    mapSettlements([settlement]),
    job,
    { how: "done", output: { x: 1 } },
    silentLog,
  );
  assertEquals(outcome, { status: "done" });
  const next = await claimOne(db, nodeId);
  assertEquals(next.id === id, false);
});

Deno.test("endRun() fails the job and undoes a settlement that throws", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [id = ""] = await givenJobs(db, 1);
  const { settlement, seen } = trialSettlement({
    done: async (tx) => {
      await submitJob(tx, { kind: inspectMedia, input: INPUT, projectId: null, userId: null });
      throw new Error("A bug in the slice");
    },
  });
  const job = await claimOne(db, nodeId);
  const outcome = await endRun(db, mapSettlements([settlement]), job, { how: "done", output: {} }, silentLog);
  assertEquals(outcome, { status: "failed" });
  assertEquals(seen, [`failed ${id} internal`]);
  assertEquals((await claimJobs(db, cpu(nodeId))).length, 0);
  const [row] = await db<{ error: string }[]>`select error from jobs`;
  assertEquals(row?.error, "The work was done, but its result could not be taken in: A bug in the slice");
});

Deno.test("endRun() leaves a run to be ended again when the database's disk is full", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const [id = ""] = await givenJobs(db, 1);
  let isFull = true;
  const { settlement } = trialSettlement({
    done: async (tx) => {
      if (isFull) {
        await tx`do $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$`;
      }
    },
  });
  const job = await claimOne(db, await givenNode(db));
  const end = () => endRun(db, mapSettlements([settlement]), job, { how: "done", output: {} }, silentLog);
  await assertRejects(end, Error, "No space left");
  assertEquals(await statusOf(db, id), "running");
  isFull = false;
  assertEquals(await end(), { status: "done" });
});

Deno.test("rescue() gives back what a dead node held, at no cost to the job, and keeps what lives", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const [alive, dead] = [await givenNode(db), await givenNode(db)];
  await givenJobs(db, 2);
  const lost = await claimOne(db, dead);
  const kept = await claimOne(db, alive);
  assertEquals((await rescue(db, { deadNodeIds: [dead], keep: [] })).rescued, 1);
  assertEquals([await statusOf(db, lost.id), await statusOf(db, kept.id)], ["queued", "running"]);
  assertEquals((await beat(db, alive)).held, [{ id: kept.id, epoch: 1, isCancelAsked: false }]);
  assertEquals(await handBack(db, [kept]), 1);
  assertEquals(await statusOf(db, kept.id), "queued");
  const attempts = await db<{ code: string }[]>`
    select o.code from job_attempts a join attempt_outcome o on o.id = a.outcome_id order by a.id`;
  assertEquals(attempts.map((row) => row.code), ["lease_lost", "handed_back"]);
  const [row] = await db<{ failures: number }[]>`select max(failures)::integer as failures from jobs`;
  assertEquals(row?.failures, 0);
});

Deno.test("rescue() names a job hopeless that has taken its process down thirty times", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const dead = await givenNode(db);
  await givenJobs(db, 1);
  const giveBack = () => rescue(db, { deadNodeIds: [dead], keep: [] });
  for (let i = 0; i < 30; i++) {
    await claimOne(db, dead);
    assertEquals((await giveBack()).rescued, 1);
  }
  const last = await claimOne(db, dead);
  const { rescued, hopeless } = await giveBack();
  assertEquals([rescued, hopeless.map((job) => [job.id, job.epoch])], [0, [[last.id, 31]]]);
});

Deno.test("submitJobs() lets a user with one job pass another's 500", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [many, one] = [await givenUser(db), await givenUser(db)];
  await givenJobs(db, 500, { userId: many });
  for (let i = 0; i < 3; i++) await claimOne(db, nodeId);
  await givenJobs(db, 1, { userId: one });
  assertEquals((await claimOne(db, nodeId)).userId, one);
});

Deno.test("submitJobs() shares a lane evenly between two users with work, and by weight", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [first, second] = [await givenUser(db), await givenUser(db)];
  const shareOf = async (userId: string) => {
    const jobs = await claimJobs(db, cpu(nodeId, 200));
    return jobs.filter((job) => job.userId === userId).length;
  };
  await givenJobs(db, 500, { userId: first });
  // Who comes later shares from then on, and has nothing to catch up.
  await claimJobs(db, cpu(nodeId, 150));
  await givenJobs(db, 300, { userId: second });
  const share = await shareOf(second);
  assertEquals(share >= 90 && share <= 110, true, `${share} of 200`);
  await db`delete from job_attempts`;
  await db`delete from jobs`;
  await db`insert into fair_shares (lane_id, user_id, weight) select id, ${second}, 3 from lane where code = 'cpu'`;
  await givenJobs(db, 500, { userId: first });
  await givenJobs(db, 500, { userId: second });
  const weighted = await shareOf(second);
  assertEquals(weighted >= 145 && weighted <= 155, true, `${weighted} of 200`);
});

Deno.test("submitJobs() puts priority ahead, but only by ten minutes of work a step", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  // 10 s each while nothing is known: one step is 60 jobs.
  await givenJobs(db, 100);
  const [urgent = ""] = await givenJobs(db, 1, { priority: 1 });
  const order = (await claimJobs(db, cpu(nodeId, 200))).map((job) => job.id);
  assertEquals(order.indexOf(urgent), 41);
});

Deno.test("claimJobs() reads few pages however many jobs have ended", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  await db`
    insert into jobs (id, kind_id, lane_id, status_id, order_key, fair_end, cost_ms, input, output, finished_at)
    select gen_random_uuid(), 2, 2, 5, n * 1000, n * 1000, 1, '{}', '{}', now() from generate_series(1, 20000) n`;
  await givenJobs(db, 50);
  await db`vacuum analyze jobs`;
  const [plan] = await db<Record<string, [{ Plan: Record<string, number> }]>[]>`
    explain (analyze, buffers, format json)
    select j.id from jobs j
     where j.lane_id = (select id from lane where code = 'cpu') and j.status_id = 2 and j.run_at <= now()
       and j.cancel_asked_at is null and j.kind_id = any(array(select id from job_kind where code = 'media.inspect'))
       and not exists (select 1 from queue_pauses p where p.lane_id = j.lane_id or p.user_id = j.user_id)
     order by j.order_key, j.id limit 1 for update of j skip locked`;
  const top = Object.values(plan ?? {})[0]?.[0].Plan ?? {};
  const buffers = (top["Shared Hit Blocks"] ?? 0) + (top["Shared Read Blocks"] ?? 0);
  assertEquals(buffers <= 30 && buffers > 0, true, `${buffers} buffers`);
  assertEquals((await claimJobs(db, cpu(nodeId))).length, 1);
});
