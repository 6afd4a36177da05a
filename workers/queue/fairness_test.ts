import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { type Db, transact } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import type { ClaimedJob } from "#server/jobs/claim.ts";
import { endRun, mapSettlements } from "#server/jobs/finish.ts";
import { seededRandom } from "#server/jobs/forecast.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { type JobSubmission, submitJobs } from "#server/jobs/service.ts";
import { saveDurations, saveShares } from "#server/jobs/telemetry.ts";
import { givenWorkflowVersion } from "#server/testing/fixtures.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { claimGenerations } from "./generations.ts";
import { AFFINITY_REACH } from "./placement.ts";

/*
 * The real queue over PostgreSQL with workers that take no time: their clock is moved by hand from one end of a job to
 * the next. What is counted is who starts when by that clock.
 */

const USUAL_MS = 60_000;

interface Started {
  readonly job: ClaimedJob;
  readonly startMs: number;
  readonly endMs: number;
}

class Floor {
  readonly #db: Db;
  readonly #nodeId: string;
  readonly #durationOf: (job: ClaimedJob) => number;
  readonly #running: Started[] = [];
  readonly started: Started[] = [];
  nowMs = 0;

  constructor(db: Db, nodeId: string, durationOf: (job: ClaimedJob) => number) {
    this.#db = db;
    this.#nodeId = nodeId;
    this.#durationOf = durationOf;
  }

  async claim(): Promise<void> {
    const begin = (job: ClaimedJob) => {
      const run = { job, startMs: this.nowMs, endMs: this.nowMs + this.#durationOf(job) };
      this.#running.push(run);
      this.started.push(run);
    };
    await claimGenerations(this.#db, this.#nodeId, begin, new AbortController().signal);
  }

  /** The next run ends and what can starts; false when nothing runs any more. */
  async step(): Promise<boolean> {
    if (this.#running.length === 0) await this.claim();
    const next = this.#running.toSorted((a, b) => a.endMs - b.endMs)[0];
    if (!next) return false;
    this.#running.splice(this.#running.indexOf(next), 1);
    this.nowMs = next.endMs;
    await endRun(this.#db, mapSettlements([]), next.job, { how: "done", output: {} }, silentLog);
    await saveShares(this.#db, [next.job]);
    await this.claim();
    return true;
  }

  async play(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) if (!await this.step()) return;
  }
}

async function givenNode(db: Db): Promise<string> {
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  return nodeId;
}

/** Workers of this process that can run these versions. */
async function givenWorkers(
  db: Db,
  nodeId: string,
  count: number,
  versions: readonly string[],
): Promise<void> {
  for (let n = 0; n < count; n++) {
    const id = newId<"worker">();
    await db`
      insert into workers (id, name, kind_id, status_id, url, owner_node_id)
      select ${id}, ${`gpu-${n}`}, k.id, s.id, 'http://127.0.0.1:9', ${nodeId}
        from worker_kind k, worker_status s where k.code = 'comfyui' and s.code = 'online'`;
    await db`
      insert into worker_capabilities (worker_id, workflow_version_id, is_able)
      select ${id}, v, true from unnest(${versions as string[]}::uuid[]) v`;
  }
}

/** A version of a workflow that loads this model, and what a run of it takes. */
async function givenVersion(db: Db, model: string): Promise<string> {
  const base = await givenWorkflowVersion({ db } as Parameters<typeof givenWorkflowVersion>[0]);
  const id = newId<"workflow version">();
  await db`
    insert into workflow_versions (id, workflow_id, number, graph, manifest, content_hash)
    select ${id}, v.workflow_id, (select max(number) + 1 from workflow_versions x where x.workflow_id = v.workflow_id), v.graph,
           jsonb_set(v.manifest, '{requires,models}', ${
    db.json([{ folder: "diffusion_models", name: model, node: "1", input: "a" }])
  }), ${model}
      from workflow_versions v where v.id = ${base.id}`;
  const sample = {
    kind: generate.code,
    workflowVersionId: id,
    workerId: null,
    ms: USUAL_MS,
    work: null,
    runs: 1,
  };
  await saveDurations(db, [sample]);
  return id;
}

async function givenUser(db: Db): Promise<string> {
  const id = newId<"user">();
  await db`insert into users (id, login, display_name, role_id, status_id)
           select ${id}, ${id}, 'Someone', r.id, 2 from role r where r.code = 'creator'`;
  return id;
}

function order(userId: string, versionId: string, priority = 0): JobSubmission {
  const input = { graph: {}, uploads: [], outputNodes: [] };
  return {
    kind: generate,
    input,
    projectId: null,
    userId,
    workflowVersionId: versionId,
    priority,
  } as unknown as JobSubmission;
}

const submit = (db: Db, orders: JobSubmission[]) => transact(db, (tx) => submitJobs(tx, orders));
const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

Deno.test("after A has queued 500, one job of B starts within one job's length, whatever model it needs", async (t) => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [wan, ltx] = [await givenVersion(db, "wan"), await givenVersion(db, "ltx")];
  await givenWorkers(db, nodeId, 1, [wan, ltx]);
  const [a, b] = [await givenUser(db), await givenUser(db)];
  const floor = new Floor(db, nodeId, () => USUAL_MS);
  await submit(db, times(500, () => order(a, wan)));
  for (const version of [wan, ltx]) {
    await floor.play(3);
    const askedMs = floor.nowMs;
    const [jobId] = await submit(db, [order(b, version)]);
    await floor.play(2);
    const waitedMs = floor.started.find(({ job }) => job.id === jobId)!.startMs - askedMs;
    await t.step(`B waited ${waitedMs / 1000} s of a job's ${USUAL_MS / 1000} s`, () => {
      assert(waitedMs <= USUAL_MS, `${waitedMs} ms`);
    });
  }
});

Deno.test("two users of equal weight each get half of 200 jobs, by count and by time", async (t) => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const wan = await givenVersion(db, "wan");
  await givenWorkers(db, nodeId, 2, [wan]);
  const [a, b] = [await givenUser(db), await givenUser(db)];
  const random = seededRandom(11);
  const floor = new Floor(db, nodeId, () => USUAL_MS * (0.5 + random()));
  // A comes first with all of theirs: it earns nothing.
  await submit(db, times(250, () => order(a, wan)));
  await submit(db, times(150, () => order(b, wan)));
  await floor.play(198);
  const first = floor.started.slice(0, 200);
  const ofB = first.filter(({ job }) => job.userId === b);
  const ms = (runs: Started[]) => runs.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const [count, time] = [100 * ofB.length / first.length, 100 * ms(ofB) / ms(first)];
  await t.step(
    `of ${first.length} jobs B got ${count.toFixed(1)} %, of the time ${time.toFixed(1)} %`,
    () => {
      assertEquals(first.length, 200);
      assertAlmostEquals(count, 50, 5);
      assertAlmostEquals(time, 50, 5);
    },
  );
});

/** Jobs in the order of their keys, on so many workers: whoever is free takes the next. */
function playFifo(line: readonly { version: string; ms: number }[], workers: number): number {
  const floor = times(workers, () => ({ freeMs: 0, loaded: "" }));
  let switches = 0;
  for (const { version, ms } of line) {
    const worker = floor.toSorted((one, other) => one.freeMs - other.freeMs)[0]!;
    if (worker.loaded !== version) switches++;
    worker.loaded = version;
    worker.freeMs += ms;
  }
  return switches;
}

function countSwitches(started: readonly Started[]): number {
  const loaded = new Map<string, string>();
  let switches = 0;
  for (const { job: { workerId, workflowVersionId } } of started) {
    if (loaded.get(String(workerId)) !== workflowVersionId) switches++;
    loaded.set(String(workerId), String(workflowVersionId));
  }
  return switches;
}

/** For each job how much of later work began before it, in virtual time as a multiple of its own cost: the bound's measure. */
function overtakenBy(started: readonly Started[], cost: number): { reach: number; count: number }[] {
  return started.map(({ job }, at) => {
    const later = started.slice(0, at).filter((one) => one.job.orderKey > job.orderKey);
    const furthest = Math.max(0, ...later.map((one) => one.job.orderKey - job.orderKey));
    return { reach: furthest / (cost * 1000), count: later.length };
  });
}

for (const users of [1, 2]) {
  Deno.test(`two models in turn on two workers: few switches, and no job passed beyond its bound (${users} users)`, async (t) => {
    await using database = await openTestDatabase();
    const { db } = database;
    const nodeId = await givenNode(db);
    const versions = [await givenVersion(db, "wan"), await givenVersion(db, "ltx")];
    await givenWorkers(db, nodeId, 2, versions);
    const random = seededRandom(5);
    const durations = new Map<string, number>();
    const durationOf = ({ id }: { id: string }) => durations.get(id) ?? USUAL_MS;
    const floor = new Floor(db, nodeId, durationOf);
    const people: string[] = [];
    for (let n = 0; n < users; n++) people.push(await givenUser(db));
    const ids = await submit(db, times(200, (n) => order(people[(n >> 1) % users]!, versions[n % 2]!)));
    for (const id of ids) durations.set(id, USUAL_MS * (0.5 + random()));
    await floor.play(200);
    assertEquals(floor.started.length, 200);
    const line = floor.started.toSorted((one, other) =>
      one.job.orderKey - other.job.orderKey || (one.job.id < other.job.id ? -1 : 1)
    )
      .map(({ job }) => ({ version: String(job.workflowVersionId), ms: durationOf(job) }));
    const [fifo, here] = [playFifo(line, 2), countSwitches(floor.started)];
    const passed = overtakenBy(floor.started, USUAL_MS);
    const [reach, count] = [
      Math.max(...passed.map((one) => one.reach)),
      Math.max(...passed.map((one) => one.count)),
    ];
    const numbers =
      `first come first served ${fifo} switches, here ${here} (${
        (100 - 100 * here / fifo).toFixed(0)
      } % fewer); ` +
      `furthest passed by ${
        reach.toFixed(1)
      } of ${AFFINITY_REACH} times its length, by ${count} jobs of at most ${AFFINITY_REACH * users}`;
    await t.step(numbers, () => {
      assert(here <= 0.2 * fifo, `${here} of ${fifo}`);
      for (const one of passed) {
        assert(one.reach <= AFFINITY_REACH, `passed by work ${one.reach} lengths behind`);
        assert(one.count <= AFFINITY_REACH * users, `passed by ${one.count} jobs`);
      }
    });
  });
}

Deno.test("ten users of uneven load, one with 5,000: nobody waits for another's heap, and what none can run is no stopper", async (t) => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = await givenNode(db);
  const [wan, nobodys] = [await givenVersion(db, "wan"), await givenVersion(db, "nobody has this")];
  await givenWorkers(db, nodeId, 3, [wan]);
  const loads = [5000, 300, 100, 60, 30, 20, 10, 5, 2, 1];
  const people: string[] = [];
  const hapless = await givenUser(db);
  await submit(db, times(200, () => order(hapless, nobodys, 10)));
  for (const load of loads) {
    const user = await givenUser(db);
    people.push(user);
    await submit(db, times(load, () => order(user, wan)));
  }
  const [humble] = await submit(db, [order(people[8]!, wan, -1)]);
  const [urgent] = await submit(db, [order(people[9]!, wan, 5)]);
  const floor = new Floor(db, nodeId, () => USUAL_MS);
  await floor.play(150);
  const { started } = floor;
  assert(started.every(({ job }) => job.workflowVersionId === wan));
  assertEquals(started[0]?.job.id, urgent);
  // By turns: the first of each user is among the first ten, after the urgent one.
  const firsts = people.map((user) =>
    started.findIndex(({ job }) => job.userId === user && job.id !== urgent)
  );
  const rounds = (user: string, count: number) =>
    started.slice(0, count).filter(({ job }) => job.userId === user).length;
  const heavy = people.slice(0, 6).map((user) => rounds(user, 100));
  const numbers = `first starts at ${firsts.join(", ")}; of 100 starts the six with much got ${
    heavy.join(", ")
  }`;
  await t.step(numbers, () => {
    for (const at of firsts) assert(at >= 0 && at <= 11, `first start at ${at}`);
    for (const share of heavy) assertAlmostEquals(share, heavy[0]!, 2);
  });
  // One step of priority is ten minutes of each user's work, ten jobs here: it has its turn.
  const at = started.findIndex(({ job }) => job.id === humble);
  await t.step(`the job of priority −1 was the ${at}. to start`, () => assert(at >= 0, "it never started"));
});
