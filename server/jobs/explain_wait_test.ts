import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { transact } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { givenWorker, givenWorkflowVersion } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { claimJobs } from "./claim.ts";
import { explainWait, type FindCapability, type WaitFacts, type WorkerFacts } from "./explain_wait.ts";
import { endRun, mapSettlements } from "./finish.ts";
import { silentLog } from "#server/core/log.ts";
import { enterNode } from "./lease.ts";
import { type JobSubmission, submitJobs } from "./service.ts";
import { saveMemory } from "./telemetry.ts";
import { describeWait } from "./wait_reason.ts";

const NOW = "2030-01-01T00:00:00.000Z";
const GIB = 2 ** 30;

function job(more: Partial<WaitFacts> = {}): WaitFacts {
  return {
    status: "queued",
    lane: "gpu",
    isCancelAsked: false,
    isDue: true,
    runAt: NOW,
    failureClass: null,
    error: null,
    needs: [],
    lanePause: undefined,
    userPause: undefined,
    userName: "Ada",
    workflowVersionId: "v",
    needBytes: null,
    workerId: null,
    pinnedWorkerId: null,
    ahead: 0,
    aheadOfOthers: 0,
    ...more,
  };
}

function worker(name: string, more: Partial<WorkerFacts> = {}): WorkerFacts {
  const facts = {
    status: "online",
    isPaused: false,
    isRemoved: false,
    problem: null,
    isFull: false,
    totalBytes: null,
  };
  return { id: name, name, ...facts, ...more };
}

const able: FindCapability = () => ({ isAble: true, missing: [] });
const told = (
  facts: Partial<WaitFacts>,
  workers: WorkerFacts[] = [worker("a")],
  capability: FindCapability = able,
) => {
  const reason = explainWait(job(facts), workers, capability);
  return reason && [reason.code, describeWait(reason)];
};
const need = (status: WaitFacts["status"]) => ({
  jobId: newId(),
  kind: "comfy.generate",
  label: "Generate",
  status,
});
const pause = { by: "Bob", since: NOW };

Deno.test("explainWait() tells every reason there is, each with what would end it", () => {
  assertEquals(told({ status: "done" }), null);
  assertEquals(told({ status: "held" }), ["held", "It is held: release it to let it wait its turn"]);
  assertEquals(told({ status: "held", isCancelAsked: true })?.[0], "cancelling");
  assertEquals(told({ isCancelAsked: true }), ["cancelling", "It is being cancelled"]);
  assertEquals(told({ status: "blocked", needs: [need("running"), need("queued")] }), [
    "needs_jobs",
    'It waits for "Generate" and 1 more to be done',
  ]);
  assertEquals(told({ status: "blocked", needs: [need("running"), need("failed")] }), [
    "needs_ended",
    'It needs "Generate", which failed: retry that, or cancel this',
  ]);
  assertEquals(told({ lanePause: pause, userPause: pause }), [
    "lane_paused",
    "The gpu lane is paused by Bob: resume it to go on",
  ]);
  assertEquals(told({ userPause: { ...pause, by: null } }), ["person_paused", "Jobs of Ada are paused"]);
  assertEquals(told({ isDue: false }), ["scheduled", `It is to start at ${NOW}`]);
  assertEquals(told({ isDue: false, failureClass: "worker_gone", error: "It went away" }), [
    "retry_at",
    `It is to be tried again at ${NOW}: It went away`,
  ]);
});

Deno.test("explainWait() tells what each worker lacks, is, or is busy with", () => {
  assertEquals(told({}, [])?.[0], "no_worker");
  assertEquals(told({}, [worker("old", { isRemoved: true })])?.[0], "no_worker");
  const lacks = () => ({ isAble: false, missing: ["a.safetensors", "B", "C", "D"] });
  assertEquals(told({}, [worker("a"), worker("b")], lacks), [
    "no_able_worker",
    "No worker can run its workflow: a lacks a.safetensors, B, C and 1 more; b lacks a.safetensors, B, C and 1 more",
  ]);
  const unknown = () => undefined;
  assertEquals(
    told({}, [worker("a")], unknown)?.[1],
    "No worker can run its workflow: a has not been checked yet (online)",
  );
  const small = [worker("a", { totalBytes: 8 * GIB }), worker("b", { totalBytes: 12 * GIB })];
  assertEquals(told({ needBytes: 16 * GIB }, small), [
    "too_little_memory",
    "It takes about 16 GiB of GPU memory: a has 8.0 GiB, b has 12 GiB",
  ]);
  const away = [
    worker("a", { status: "offline", problem: "refused" }),
    worker("b", { isPaused: true }),
    worker("c", { status: "resting", problem: "88 °C, above 85 °C" }),
    worker("d", { status: "draining" }),
  ];
  assertEquals(told({}, away), [
    "not_ready",
    "No worker that can run it is ready: a is offline (refused), b is paused, c is resting (88 °C, above 85 °C), d is draining",
  ]);
  assertEquals(told({ ahead: 7, aheadOfOthers: 4 }, [worker("a", { isFull: true })]), [
    "in_line",
    "7 before it (4 of other people): a is busy",
  ]);
  assertEquals(told({}), ["in_line", "It is next"]);
  assertEquals(told({ lane: "cpu", ahead: 2 })?.[1], "2 before it");
});

Deno.test("explainWait() looks only at the worker that a job is pinned to", () => {
  const workers = [worker("a"), worker("b", { status: "offline" }), worker("c", { isRemoved: true })];
  assertEquals(told({ pinnedWorkerId: "b" }, workers), [
    "not_ready",
    "The worker that it is pinned to is not ready: b is offline",
  ]);
  assertEquals(told({ pinnedWorkerId: "c" }, workers)?.[0], "pinned_worker_gone");
  assertEquals(told({ pinnedWorkerId: "a" }, workers)?.[0], "in_line");
  assertEquals(told({ status: "running", workerId: "b" }, workers), [
    "worker_away",
    "b is offline: it goes on, or begins again, when b is back",
  ]);
  assertEquals(told({ status: "running", workerId: "a" }, workers), null);
});

Deno.test("what memory a run took is learned from the worker's vitals, and names those that have too little", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const version = await givenWorkflowVersion(studio);
  const worker = await givenWorker(studio);
  await db`insert into worker_capabilities (worker_id, workflow_version_id, is_able) values (${worker.id}, ${version.id}, true)`;
  const order = {
    kind: generate,
    input: { graph: {}, uploads: [], outputNodes: [] },
    projectId: null,
    userId: admin.user!.id,
    workflowVersionId: version.id,
  } as unknown as JobSubmission;
  const [first = "", second = "", third = ""] = await transact(
    db,
    (tx) => submitJobs(tx, [order, order, order]),
  );
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  for (const [jobId, bytes] of [[first, 14 * GIB], [second, 20 * GIB]] as const) {
    const [run] = await claimJobs(db, { nodeId, lane: "gpu", kinds: [generate.code], limit: 1 });
    assertEquals(run?.id, jobId);
    await db`update jobs set worker_id = ${worker.id}, attempt_started_at = now() - interval '5 minutes' where id = ${jobId}`;
    await db`
      insert into worker_vitals (worker_id, at, vram_used_bytes, vram_total_bytes)
      values (${worker.id}, clock_timestamp() - interval '1 second', ${bytes}, ${24 * GIB})`;
    await endRun(
      db,
      mapSettlements([]),
      { ...run!, workerId: worker.id },
      { how: "done", output: {} },
      silentLog,
    );
    await saveMemory(db, [jobId]);
    await db`delete from worker_vitals`;
  }
  const [row] = await db<{ recentBytes: string[] }[]>`select recent_bytes from workflow_memory`;
  assertEquals(row?.recentBytes.map(Number), [20 * GIB, 14 * GIB]);
  // A run that held 14 GiB shows that so much is enough.
  await db`insert into worker_devices (worker_id, position, name, vram_total_bytes) values (${worker.id}, 0, 'GPU', ${
    12 * GIB
  })`;
  assertEquals((await admin.get(`/api/jobs/${third}`)).body.wait, {
    code: "too_little_memory",
    pinnedTo: null,
    needBytes: 14 * GIB,
    workers: [{ name: (await admin.get(`/api/workers/${worker.id}`)).body.name, totalBytes: 12 * GIB }],
  });
  await db`update worker_devices set vram_total_bytes = ${16 * GIB}`;
  assertEquals((await admin.get(`/api/jobs/${third}`)).body.wait.code, "in_line");
});
