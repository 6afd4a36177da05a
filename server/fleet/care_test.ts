import { assert, assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { givenJob, givenWorker, givenWorkflowVersion } from "#server/testing/fixtures.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import * as contract from "./contract.ts";
import { listOrders, recordBegun, recordEnded, takeOrders } from "./orders.ts";
import { findPace, savePace } from "./paces.ts";
import { recordProfile } from "./profile.ts";
import { adoptWorkers } from "./queries.ts";
import { recordSeen } from "./service.ts";
import { HOST } from "#server/live/contract.ts";
import { average, SECONDS_KEPT, VitalsBoard } from "./vitals_board.ts";
import { listHostMinutes, listWorkerMinutes, saveMinute } from "./vitals_history.ts";

async function givenNode({ db }: TestStudio, host = "here"): Promise<string> {
  const id = newId<"node">();
  await enterNode(db, { id, host, pid: 1, version: "0" });
  return id;
}

async function givenRun({ db }: TestStudio, workerId: string, nodeId: string, versionId: string) {
  const [attemptId, jobId] = [newId<"attempt">(), newId<"job">()];
  await db`
    insert into jobs (id, kind_id, lane_id, status_id, order_key, fair_end, cost_ms, input, workflow_version_id,
                      worker_id, attempt, attempt_id, attempt_started_at, started_at, lease_until, lease_node_id)
    select ${jobId}, k.id, k.lane_id, 4, 0, 0, 1000, '{}', ${versionId}, ${workerId}, 1, ${attemptId}, now(), now(),
           now() + interval '1 minute', ${nodeId} from job_kind k where k.code = 'comfy.generate'`;
  return { jobId, promptId: attemptId as string };
}

Deno.test("orderWorker lists what is to be done, once, and refuses what can't be with the mend", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [admin, creator] = [await studio.as("admin"), await studio.as("creator")];
  const params = { workerId: (await givenWorker(studio)).id as never };
  const path = `/api/workers/${params.workerId}/orders`;
  assertEquals((await creator.post(path, { order: "free" })).status, 403);
  for (const order of ["", "Kill", "reboot", null, 7, "x".repeat(10_000)]) {
    assertEquals((await admin.post(path, { order })).status, 400, String(order).slice(0, 20));
  }
  const refused = await admin.post(path, { order: "restart" });
  assertEquals([refused.status, refused.body.detail.includes("ComfyUI-Manager")], [409, true]);
  assertEquals((await admin.post(path, { order: "kill" })).body.detail.includes("start command"), true);

  const id = newId<"worker order">();
  const first = await admin.call(contract.orderWorker, { params, body: { id, order: "free" } });
  assertEquals([first.order, first.askedBy !== null, first.outcome], ["free", true, null]);
  assertEquals((await admin.post(path, { id, order: "free" })).status, 201);
  const other = await givenWorker(studio);
  assertEquals((await admin.post(`/api/workers/${other.id}/orders`, { id, order: "free" })).status, 409);

  const nodeId = await givenNode(studio);
  await adoptWorkers(db, nodeId);
  assertEquals((await takeOrders(db, nodeId)).map((order) => [order.id, order.kind]), [[id, "free"]]);
  assertEquals((await takeOrders(db, nodeId)).length, 0);
  const end = { id, workerId: params.workerId as string, outcome: "worked", note: "Done" } as const;
  await recordEnded(db, end);
  await recordEnded(db, { ...end, outcome: "failed" });
  const { items } = await creator.call(contract.listWorkerOrders, { params });
  assertEquals(items.map(({ order, outcome, note }) => [order, outcome, note]), [["free", "worked", "Done"]]);
  const audited = await db<{ facts: Record<string, unknown>; isAsked: boolean }[]>`
    select e.facts, e.user_id is not null as is_asked from audit_entries e join audit_action a on a.id = e.action_id
     where a.code = 'worker.order' order by e.id`;
  assertEquals(audited.map(({ facts, isAsked }) => [facts.outcome ?? "asked", isAsked]), [
    ["asked", true],
    ["worked", false],
  ]);
});

Deno.test("recordBegun() keeps and audits what the watch-dog does by itself", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const workerId = (await givenWorker(studio)).id as string;
  const order = { id: newId<"worker order">(), workerId, kind: "interrupt", reason: "Silent" } as const;
  await recordBegun(db, { ...order, promptIds: ["p"] });
  await recordBegun(db, { ...order, promptIds: ["p"] });
  assertEquals((await listOrders(db, workerId)).map(({ askedBy, reason }) => [askedBy, reason]), [[
    null,
    "Silent",
  ]]);
  const [row] = await db<{ n: number }[]>`
    select count(*)::integer as n from audit_entries e join audit_action a on a.id = e.action_id
     where a.code = 'worker.order' and e.user_id is null`;
  assertEquals(row?.n, 1);
});

Deno.test("getWorkerImpact tells what an order would interrupt, and how it is done", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const worker = await givenWorker(studio);
  const params = { workerId: worker.id as never };
  const impact = (order?: contract.WorkerOrderKind) =>
    admin.call(contract.getWorkerImpact, { params, query: order ? { order } : {} });
  await givenRun(studio, worker.id, await givenNode(studio), (await givenWorkflowVersion(studio)).id);
  assertEquals((await impact()).isInterrupting, false);
  const interrupt = await impact("interrupt");
  assertEquals([interrupt.running.length, interrupt.isInterrupting, interrupt.foreign], [1, true, 0]);
  assertEquals((await impact("free")).isInterrupting, false);
  const restart = await impact("restart");
  // What others run there is not known here: null, never 0.
  assertEquals([restart.foreign, restart.way, restart.whyNot?.includes("by hand")], [null, null, true]);
  await db`update workers set manager = 'V3.41' where id = ${worker.id}`;
  assertEquals([(await impact("restart")).way, (await impact("kill")).whyNot !== null], ["manager", true]);
  const body = { args: ["/bin/true"], folder: null, environment: {} };
  await admin.call(contract.setWorkerCommand, { params: { ...params, kind: "start" }, body });
  assertEquals([(await impact("kill")).way, (await impact("stop")).whyNot], ["supervisor", null]);
});

Deno.test("setWorkerCommand takes an array for an admin only and audits no values of variables", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [admin, creator] = [await studio.as("admin"), await studio.as("creator")];
  const workerId = (await givenWorker(studio)).id as never;
  const path = `/api/workers/${workerId}/commands/start`;
  const good = {
    args: ["/opt/venv/bin/python", "main.py", "; rm -rf /"],
    folder: "/opt",
    environment: { TOKEN: "secret=1" },
  };
  assertEquals((await creator.put(path, good)).status, 403);
  assertEquals((await creator.get(`/api/workers/${workerId}/commands`)).status, 403);
  for (
    const bad of [
      { ...good, args: [] },
      { ...good, args: [" "] },
      { ...good, args: "python main.py" },
      { ...good, args: ["a\u0000b"] },
      { ...good, args: Array.from({ length: 201 }, () => "x") },
      { ...good, args: ["x".repeat(5_000)] },
      { ...good, folder: "" },
      { ...good, environment: { "A=B": "x" } },
      { ...good, environment: { "": "x" } },
      { ...good, environment: { A: 1 } },
    ]
  ) {
    assertEquals((await admin.put(path, bad)).status, 400, JSON.stringify(bad).slice(0, 80));
  }
  assertEquals((await admin.put(`/api/workers/${workerId}/commands/sudo`, good)).status, 400);
  const saved = await admin.put(path, good);
  assertEquals([saved.status, saved.body.args, saved.body.environment], [200, good.args, good.environment]);
  const [entry] = await db<{ facts: unknown }[]>`select facts from audit_entries order by id desc limit 1`;
  assert(!JSON.stringify(entry?.facts).includes("secret"), "a variable's value was audited");
  assertEquals((await admin.get(`/api/workers/${workerId}`)).body.isWanted, true);
  await admin.call(contract.orderWorker, { params: { workerId }, body: { order: "stop" } });
  assertEquals((await admin.get(`/api/workers/${workerId}`)).body.isWanted, false);
  assertEquals([(await admin.delete(path)).status, (await admin.delete(path)).status], [204, 404]);
});

Deno.test("adoptWorkers() leaves a worker to the machine that starts it", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const workerId = (await givenWorker(studio)).id;
  await db`
    insert into worker_commands (worker_id, kind_id, host, args) values (${workerId}, 1, 'other', '{python}')`;
  const mine = await givenNode(studio);
  assertEquals((await adoptWorkers(db, mine, "here")).length, 0);
  const [worker] = await adoptWorkers(db, await givenNode(studio), "other");
  assertEquals(worker?.commands.map(({ kind, args }) => [kind, args]), [["start", ["python"]]]);
});

Deno.test("setWorkerRules refuses guards that would flap", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const path = `/api/workers/${(await givenWorker(studio)).id}/rules`;
  const none = { watchUpTo: "kill", pauseAtCelsius: null, resumeAtCelsius: null, minFreeVramBytes: null };
  for (
    const bad of [
      { ...none, pauseAtCelsius: 80 },
      { ...none, pauseAtCelsius: 80, resumeAtCelsius: 80 },
      { ...none, pauseAtCelsius: 500, resumeAtCelsius: 60 },
      { ...none, minFreeVramBytes: -1 },
      { ...none, minFreeVramBytes: 0.5 },
      { ...none, watchUpTo: "stop" },
      {},
    ]
  ) assertEquals((await admin.put(path, bad)).status, 400, JSON.stringify(bad));
  const good = { watchUpTo: null, pauseAtCelsius: 85, resumeAtCelsius: 70, minFreeVramBytes: 2 ** 33 };
  assertEquals((await admin.put(path, good)).body.rules, good);
});

Deno.test("recordSeen() keeps a worker suspect or resting whatever else it says of itself", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const workerId = (await givenWorker(studio)).id;
  const seen = { workerId, software: null, version: "1", manager: "V3.41", problem: "Why" };
  const statusAfter = async (health: "well" | "resting" | "suspect" | "unhealthy", isReachable: boolean) => {
    await recordSeen(db, { ...seen, health, isReachable });
    const { status, lastError, manager } = (await admin.get(`/api/workers/${workerId}`)).body;
    assertEquals([lastError, manager], ["Why", "V3.41"]);
    return status;
  };
  assertEquals(await statusAfter("suspect", true), "suspect");
  assertEquals(await statusAfter("suspect", false), "suspect");
  assertEquals(await statusAfter("unhealthy", true), "unhealthy");
  assertEquals(await statusAfter("resting", true), "resting");
  assertEquals(await statusAfter("resting", false), "offline");
  assertEquals(await statusAfter("well", true), "online");
});

Deno.test("savePace() learns from the last twenty runs of a workflow on a worker", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const workerId = (await givenWorker(studio)).id as string;
  const version = await givenWorkflowVersion(studio);
  const run = await givenRun(studio, workerId, await givenNode(studio), version.id);
  assertEquals(await findPace(db, workerId, newId()), undefined);
  assertEquals(await findPace(db, workerId, run.promptId), { stepMs: null, restMs: null });
  await savePace(db, { promptId: run.promptId, stepMs: 9_000, restMs: null });
  assertEquals(await findPace(db, workerId, run.promptId), { stepMs: 9_000, restMs: null });
  for (let i = 0; i < 20; i++) await savePace(db, { promptId: run.promptId, stepMs: 100 + i, restMs: 50 });
  assertEquals(await findPace(db, workerId, run.promptId), { stepMs: 119, restMs: 50 });
});

Deno.test("recordProfile() tells what was added, removed and changed since the last look", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const worker = await givenWorker(studio);
  const first = {
    workerId: worker.id as string,
    version: "0.3.60",
    nodes: [["A", "1"], ["B", "1"], ["C", "1"]] as const,
    models: [{ folder: "vae", name: "a.pt", sizeBytes: 10 }, {
      folder: "vae",
      name: "b.pt",
      sizeBytes: null,
    }],
    devices: [{ name: "cuda:0", vramTotalBytes: 25e9 }, { name: "cpu", vramTotalBytes: null }],
  };
  const read = async () =>
    await admin.call(contract.getWorkerProfile, { params: { workerId: worker.id as never } });
  await recordProfile(db, first);
  assertEquals((await read()).changes, []);
  assertEquals(await recordProfile(db, first), false);
  await recordProfile(db, {
    ...first,
    version: "0.3.64",
    nodes: [["A", "1"], ["B", "2"], ["D", "1"]],
    models: [{ folder: "vae", name: "a.pt", sizeBytes: 11 }, { folder: "loras", name: "c.pt", sizeBytes: 5 }],
  });
  const { nodes, models, devices, changes } = await read();
  assertEquals([nodes, models.length, devices[1]], [3, 2, { name: "cpu", vramTotalBytes: null }]);
  assertEquals(
    changes.map(({ versionBefore, versionAfter, items }) => [
      versionBefore,
      versionAfter,
      items.map(({ kind, name }) => `${kind} ${name}`),
    ]),
    [["0.3.60", "0.3.64", [
      "node_added D",
      "node_removed C",
      "node_changed B",
      "model_added loras/c.pt",
      "model_removed vae/b.pt",
      "model_changed vae/a.pt",
    ]]],
  );
  for (let i = 0; i < 25; i++) await recordProfile(db, { ...first, nodes: [["A", String(i)]] });
  assertEquals((await read()).changes.length, 20);
});

const sampleAt = (second: number, celsius: number | null) => ({
  at: new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString(),
  celsius,
  gpuPercent: null,
});

Deno.test("VitalsBoard keeps ten minutes and hands on each minute's average, in which no data stays none", () => {
  const minutes: unknown[] = [];
  const board = new VitalsBoard((subject, minute) => minutes.push([subject, minute]));
  for (let second = 0; second < 61; second++) board.take("w", sampleAt(second, second < 30 ? null : 70));
  assertEquals(minutes, [["w", { at: "2030-01-01T00:00:00Z", celsius: 70, gpuPercent: null }]]);
  for (let second = 61; second < 2_000; second++) board.take("w", sampleAt(second, 1));
  assert(board.workerSeconds("w").length <= SECONDS_KEPT + 1, "more than ten minutes were kept");
  assertEquals(board.workerSeconds("nobody"), []);
  assertEquals(average("x", [sampleAt(0, null), sampleAt(1, null)]).celsius, null);
});

Deno.test("saveMinute() keeps a day of minutes; null stays null", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const workerId = (await givenWorker(studio)).id as string;
  const at = `${new Date().toISOString().slice(0, 16)}:00Z`;
  await saveMinute(db, "h", workerId, { at: "2020-01-01T00:00:00Z", celsius: 1 });
  await saveMinute(db, "h", workerId, { at, celsius: 71.5, vramUsedBytes: 2 ** 34 + 0.5 });
  await saveMinute(db, "h", newId(), { at, celsius: 1 });
  const minutes = await listWorkerMinutes(db, workerId);
  assertEquals(minutes.map((one) => [one.celsius, one.vramUsedBytes, one.watts]), [[
    71.5,
    2 ** 34 + 1,
    null,
  ]]);
  const [row] = await db<{ n: number }[]>`select count(*)::integer as n from worker_vitals`;
  assertEquals(row?.n, 1);
  await saveMinute(db, "h", HOST, { at, cpuPercent: 12, diskUsedBytes: null });
  assertEquals((await listHostMinutes(db, "h")).map((one) => [one.cpuPercent, one.diskUsedBytes]), [[
    12,
    null,
  ]]);
});

Deno.test("the vitals of a worker and of the host are read by everybody, of a job's name nothing", async () => {
  await using studio = await testStudio();
  const reviewer = await studio.as("reviewer");
  await givenJob(studio);
  const worker = await givenWorker(studio);
  assertEquals((await reviewer.get(`/api/workers/${worker.id}/vitals`)).body, { seconds: [], minutes: [] });
  assertEquals((await reviewer.get("/api/host/vitals")).body.seconds, []);
});
