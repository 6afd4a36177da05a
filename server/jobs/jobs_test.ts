import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert/mod.js";
import { inspectMedia, makeProxy } from "#server/assets/job_kinds.ts";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { type Db, transact } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { givenMember, givenProject, givenWorker, givenWorkflowVersion } from "#server/testing/fixtures.ts";
import { type TestClient, testStudio } from "#server/testing/test_studio.ts";
import { claimJobs } from "./claim.ts";
import * as contract from "./contract.ts";
import { endRun, mapSettlements } from "./finish.ts";
import { enterNode } from "./lease.ts";
import { type JobSubmission, submitJob, submitJobs } from "./service.ts";
import { saveDurations } from "./telemetry.ts";

const INPUT = { file: { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" }, fileName: "a.png" };

function submission(more: Partial<JobSubmission> = {}): JobSubmission {
  return { kind: inspectMedia, input: INPUT, projectId: null, userId: null, ...more } as JobSubmission;
}

async function givenJobs(
  db: Db,
  client: TestClient,
  count: number,
  more: Partial<JobSubmission> = {},
): Promise<string[]> {
  const one = submission({ userId: client.user?.id ?? null, ...more });
  return await transact(db, (tx) => submitJobs(tx, Array.from({ length: count }, () => one)));
}

async function orderOf(db: Db): Promise<string[]> {
  const rows = await db<{ id: string }[]>`select id from jobs where status_id = 2 order by order_key, id`;
  return rows.map((row) => row.id);
}

Deno.test("submitJob() makes one job of two submissions with the same id or key", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const { user } = await studio.as("creator");
  const other = await studio.as("creator");
  const submit = (more: Partial<JobSubmission>) =>
    transact(db, (tx) => submitJob(tx, submission({ userId: user?.id ?? null, ...more })));
  const id = newId<"job">();
  assertEquals(await submit({ id }), id);
  assertEquals(await submit({ id }), id);
  const keyed = await submit({ idempotencyKey: "a" });
  assertEquals(await submit({ idempotencyKey: "a" }), keyed);
  const others = await submit({ idempotencyKey: "a", userId: other.user?.id ?? null });
  assertEquals(others === keyed, false);
  const own = await submit({ idempotencyKey: "a", userId: null });
  assertEquals(await submit({ idempotencyKey: "a", userId: null }), own);
  await assertRejects(
    () => submit({ id, kind: makeProxy as unknown as JobSubmission["kind"], input: { file: INPUT.file } }),
    AppError,
  );
  await assertRejects(() => submit({ id, userId: null }), AppError, "belongs to another job");
  const both = await Promise.all([submit({ idempotencyKey: "b" }), submit({ idempotencyKey: "b" })]);
  assertEquals(new Set(both).size, 1);
});

Deno.test("submitJob() names the wrong field of its input, and a generation needs no worker yet", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const wrong = submission({ input: { ...INPUT, file: { ...INPUT.file, hash: "short" } } });
  const error = await assertRejects(() => transact(db, (tx) => submitJob(tx, wrong)), AppError);
  assertEquals((error as AppError).fields[0]?.field, "/input/file/hash");
  await transact(db, (tx) =>
    submitJob(tx, {
      kind: generate,
      input: { graph: {}, uploads: [], outputNodes: ["1"] },
      projectId: null,
      userId: null,
    }));
  const [row] = await db<{ input: unknown }[]>`select input from jobs`;
  assertEquals(row?.input, { graph: {}, uploads: [], outputNodes: ["1"], values: {} });
});

Deno.test("jobs are seen by their user, their project's members and those who run the queue", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [owner, member, stranger, admin] = [
    await studio.as("creator"),
    await studio.as("reviewer"),
    await studio.as("creator"),
    await studio.as("admin"),
  ];
  const project = await givenProject(studio, { member: owner.user });
  if (member.user) await givenMember(studio, project, member.user, "reviewer");
  const [id = ""] = await givenJobs(db, owner, 1, { projectId: project.id });
  const statuses = async (client: TestClient) => (await client.get(`/api/jobs/${id}`)).status;
  assertEquals(await Promise.all([owner, member, stranger, admin].map(statuses)), [200, 200, 404, 200]);
  const counts = async (client: TestClient) => (await client.call(contract.listJobs)).items.length;
  assertEquals(await Promise.all([owner, member, stranger, admin].map(counts)), [1, 1, 0, 1]);
  assertEquals((await stranger.get(`/api/jobs?projectId=${project.id}`)).status, 404);
  const cancel = async (client: TestClient) => (await client.post(`/api/jobs/${id}/cancel`, {})).status;
  assertEquals([await cancel(member), await cancel(stranger), await cancel(owner)], [403, 404, 202]);
});

Deno.test("listJobs pages by key and filters", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const owner = await studio.as("creator");
  const ids = await givenJobs(db, owner, 5);
  const [held = ""] = await givenJobs(db, owner, 1, { isHeld: true });
  const first = await owner.call(contract.listJobs, { query: { status: "queued", limit: "3" } });
  const second = await owner.call(contract.listJobs, {
    query: { status: "queued", limit: "3", cursor: String(first.next) },
  });
  assertEquals([...first.items, ...second.items].map((job) => job.id as string), ids.toReversed());
  assertEquals(second.next, undefined);
  const both = await owner.call(contract.listJobs, { query: { status: "held,done" } });
  assertEquals(both.items.map((job) => job.id as string), [held]);
  assertEquals((await owner.get("/api/jobs?cursor=nonsense")).status, 400);
  assertEquals((await owner.get("/api/jobs?status=nonsense")).status, 400);
});

Deno.test("moveJob lets a user order their own jobs without touching others' places", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [mine, other, admin] = [
    await studio.as("creator"),
    await studio.as("creator"),
    await studio.as("admin"),
  ];
  const [a = "", b = "", c = ""] = await givenJobs(db, mine, 3);
  const [x = "", y = ""] = await givenJobs(db, other, 2);
  const before = await orderOf(db);
  assertEquals(before, [a, x, b, y, c]);
  await mine.call(contract.moveJob, { params: { jobId: c as never }, body: { beforeJobId: a } });
  assertEquals(await orderOf(db), [c, x, a, y, b]);
  await mine.call(contract.moveJob, { params: { jobId: c as never }, body: { afterJobId: b } });
  assertEquals(await orderOf(db), [a, x, b, y, c]);
  const passing = await mine.post(`/api/jobs/${c}/move`, { beforeJobId: x });
  assertEquals(passing.status, 404);
  await admin.call(contract.moveJob, { params: { jobId: c as never }, body: { beforeJobId: x } });
  assertEquals(await orderOf(db), [a, c, x, b, y]);
  await admin.call(contract.moveJob, { params: { jobId: a as never }, body: { afterJobId: y } });
  assertEquals(await orderOf(db), [c, x, b, y, a]);
  assertEquals((await mine.post(`/api/jobs/${a}/move`, { beforeJobId: a })).status, 400);
});

Deno.test("changeJob lowers one's own priority, but only who runs the queue may raise it", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [mine, admin] = [await studio.as("creator"), await studio.as("admin")];
  const [a = "", b = ""] = await givenJobs(db, mine, 2);
  await mine.call(contract.changeJob, { params: { jobId: a as never }, body: { priority: -1 } });
  assertEquals(await orderOf(db), [b, a]);
  assertEquals((await mine.patch(`/api/jobs/${a}`, { priority: 1 })).status, 403);
  await admin.call(contract.changeJob, { params: { jobId: a as never }, body: { priority: 3 } });
  assertEquals(await orderOf(db), [a, b]);
});

Deno.test("a held job earns no place by waiting, and a state that does not allow a change is a conflict", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [mine, other] = [await studio.as("creator"), await studio.as("creator")];
  const [held = ""] = await givenJobs(db, mine, 1);
  await mine.call(contract.holdJob, { params: { jobId: held as never } });
  assertEquals((await mine.post(`/api/jobs/${held}/hold`)).status, 409);
  const others = await givenJobs(db, other, 10);
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  await claimJobs(db, { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 5 });
  await mine.call(contract.releaseJob, { params: { jobId: held as never } });
  // The fifth of the other's runs; the held one counts from there, not from when it was made.
  const order = await orderOf(db);
  assertEquals(order.indexOf(held) <= 1, true);
  assertEquals(order.length, 6);
  assertEquals((await mine.post(`/api/jobs/${others[0]}/retry`)).status, 404);
  assertEquals((await mine.post(`/api/jobs/${held}/retry`)).status, 409);
});

Deno.test("pauses keep the jobs of a user and of a lane from being claimed", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [mine, other, admin] = [
    await studio.as("creator"),
    await studio.as("creator"),
    await studio.as("admin"),
  ];
  const [a = ""] = await givenJobs(db, mine, 1);
  const [b = ""] = await givenJobs(db, other, 1);
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  const claim = async () =>
    (await claimJobs(db, { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 5 })).map((job) => job.id);
  await admin.call(contract.pauseQueue, { body: { lane: "cpu" } });
  assertEquals(await claim(), []);
  await admin.call(contract.pauseQueue, { body: { userId: mine.user?.id ?? "" } });
  const state = await admin.call(contract.resumeQueue, { body: { lane: "cpu" } });
  assertEquals(state.paused.map((pause) => pause.userId as string | null), [mine.user?.id ?? null]);
  assertEquals(state.lanes.find((lane) => lane.lane === "cpu")?.queued, 2);
  assertEquals(await claim(), [b]);
  const { wait, waitsFor } = (await mine.get(`/api/jobs/${a}`)).body;
  assertEquals([wait.code, wait.since], ["person_paused", state.paused[0]?.pausedAt]);
  assertEquals(waitsFor, `Jobs of ${wait.name} are paused by ${wait.by}`);
  await admin.call(contract.resumeQueue, { body: { userId: mine.user?.id ?? "" } });
  assertEquals(await claim(), [a]);
  assertEquals((await mine.post("/api/queue/pause", { lane: "cpu" })).status, 403);
});

Deno.test("getJob says which worker lacks what", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const version = await givenWorkflowVersion(studio);
  const [id = ""] = await givenJobs(db, admin, 1, {
    kind: generate as unknown as JobSubmission["kind"],
    input: { graph: {}, uploads: [], outputNodes: [] },
    workflowVersionId: version.id,
  });
  const reason = async () => (await admin.get(`/api/jobs/${id}`)).body.waitsFor;
  assertEquals(await reason(), "There is no worker: register a ComfyUI server, or start the CPU engine");
  const worker = await givenWorker(studio, { status: "offline" });
  await db`update workers set name = 'Box'`;
  assertEquals(await reason(), "No worker can run its workflow: Box has not been checked yet (offline)");
  await db`insert into worker_capabilities (worker_id, workflow_version_id, is_able, missing)
           values (${worker.id}, ${version.id}, false, ${["wan2.2.safetensors", "node B"]})`;
  assertEquals(await reason(), "No worker can run its workflow: Box lacks wan2.2.safetensors, node B");
  await db`update worker_capabilities set is_able = true, missing = '{}'`;
  assertEquals(await reason(), "No worker that can run it is ready: Box is offline");
  await db`update workers set status_id = (select id from worker_status where code = 'online')`;
  assertEquals(await reason(), null);
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  assertEquals((await claimJobs(db, { nodeId, lane: "gpu", kinds: ["comfy.generate"], limit: 1 })).length, 1);
  await db`update jobs set worker_id = ${worker.id}`;
  assertEquals(await reason(), null);
  await db`update workers set status_id = (select id from worker_status where code = 'offline')`;
  assertEquals(await reason(), "Box is offline: it goes on, or begins again, when Box is back");
});

Deno.test("getJob estimates from what such work took lately", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const samples = Array.from({ length: 20 }, (_, i) => ({ ms: 900 + i * 10, work: null, runs: 1 }));
  const about = { kind: "media.inspect", workflowVersionId: null, workerId: null };
  for (const sample of samples) await saveDurations(db, [{ ...about, ...sample }]);
  const ids = await givenJobs(db, admin, 3);
  const { aheadCount, startsIn, endsIn } = (await admin.get(`/api/jobs/${ids[2]}`)).body;
  assertEquals(aheadCount, 2);
  // Two before it, one at a time, at the median of 995 ms; the luck of three evens out.
  assertAlmostEquals(startsIn.p50Ms, 1990, 20);
  assertAlmostEquals(endsIn.p50Ms, 1990 + 995, 20);
  assertAlmostEquals(endsIn.p90Ms, 3110, 40);
});

Deno.test("retryJob gives a failed job a fresh budget and keeps its history", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const [id = ""] = await givenJobs(db, admin, 1);
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  await db`update failure_class set retries = 1, backoff_ms = 0`;
  const fail = async () => {
    const [job] = await claimJobs(db, { nodeId, lane: "cpu", kinds: ["media.inspect"], limit: 1 });
    if (!job) throw new Error("Nothing to claim");
    const end = { how: "retry", failureClass: "internal", message: "A bug" } as const;
    return (await endRun(db, mapSettlements([]), job, end, silentLog)).status;
  };
  assertEquals([await fail(), await fail()], ["queued", "failed"]);
  const retried = await admin.call(contract.retryJob, { params: { jobId: id as never } });
  assertEquals([retried.status, retried.failures, retried.error], ["queued", 0, null]);
  assertEquals([await fail(), await fail()], ["queued", "failed"]);
  const detail = await admin.call(contract.getJob, { params: { jobId: id as never } });
  assertEquals(detail.attempts.map((one) => one.number), [4, 3, 2, 1]);
});
