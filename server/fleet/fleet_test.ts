import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { listQueueJobs } from "#server/jobs/contract.ts";
import { givenJob, givenWorker, givenWorkflowVersion } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import * as contract from "./contract.ts";
import { adoptWorkers, listWorkersToCheck } from "./queries.ts";
import { recordCapabilities, recordSeen, registerCpuEngine } from "./service.ts";
import { checkWorkerUrl, whyForbidden } from "./worker_url.ts";

for (
  const [url, expected] of [
    ["http://127.0.0.1:8188/", "http://127.0.0.1:8188"],
    ["http://192.168.1.20:8188", "http://192.168.1.20:8188"],
    ["https://[::1]:8188/comfy/", "https://[::1]:8188/comfy"],
    [" http://10.0.0.4:8188 ", "http://10.0.0.4:8188"],
  ] as const
) {
  Deno.test(`checkWorkerUrl() takes "${url}"`, async () => assertEquals(await checkWorkerUrl(url), expected));
}

for (
  const url of [
    "ftp://192.168.1.20",
    "javascript:alert(1)",
    "192.168.1.20:8188",
    "http://user:secret@192.168.1.20:8188",
    "http://192.168.1.20:8188/?a=b",
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]:8188",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://2852039166/",
    "http://0.0.0.0:8188",
    "http://[::]:8188",
    "http://224.0.0.1:8188",
    "http://255.255.255.255",
    "http://metadata.google.internal/",
  ]
) {
  Deno.test(`checkWorkerUrl() refuses "${url}"`, async () => {
    await assertRejects(
      () => checkWorkerUrl(url, () => Promise.resolve(["10.0.0.1"])),
      AppError,
      "Cannot use this address",
    );
  });
}

Deno.test("checkWorkerUrl() looks at what a name resolves to", async () => {
  await assertRejects(
    () => checkWorkerUrl("http://box.lan", () => Promise.resolve(["10.0.0.1", "169.254.1.1"])),
    AppError,
  );
  await assertRejects(
    () => checkWorkerUrl("http://box.lan", () => Promise.resolve([])),
    AppError,
    "not known",
  );
  assertEquals(await checkWorkerUrl("http://box.lan", () => Promise.resolve(["10.0.0.1"])), "http://box.lan");
  assertEquals(whyForbidden("fe80::1%eth0"), "fe80::1%eth0 is link-local");
});

Deno.test("testWorker tells ComfyUI from something else and from nothing", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/moved/system_stats") return Response.redirect("http://127.0.0.1:1/", 302);
    if (pathname === "/object_info") return new Response('{"LoadImage":{"input":{}},"Odd":{"max":Infinity}}');
    if (pathname !== "/system_stats") return new Response("Hello", { status: 200 });
    return Response.json({
      system: { comfyui_version: "0.3.60" },
      devices: [
        { name: "cuda:0", type: "cuda", vram_total: 25_000_000_000 },
        { name: "cpu", type: "cpu", vram_total: 16_000_000_000 },
      ],
    });
  });
  const base = `http://127.0.0.1:${server.addr.port}`;
  const probe = (url: string) => admin.call(contract.testWorker, { body: { url } });
  await givenWorkflowVersion(studio);
  const { workflows, ...facts } = await probe(base);
  // All that is missing is told at once, before anything is registered.
  assertEquals(workflows.map(({ isAble, missing }) => [isAble, missing.length > 1]), [[false, true]]);
  assertEquals(facts, {
    isReachable: true,
    software: "ComfyUI",
    version: "0.3.60",
    devices: [{ name: "cuda:0", vramTotalBytes: 25_000_000_000 }, { name: "cpu", vramTotalBytes: null }],
    problem: null,
  });
  assertEquals(
    (await probe(`${base}/other`)).problem,
    "Something answers there, but not ComfyUI. Check the port",
  );
  assertEquals((await probe(`${base}/moved`)).isReachable, false);
  await server.shutdown();
  const closed = await probe(base);
  assertEquals([closed.isReachable, closed.problem?.includes("nothing listens there")], [false, true]);
});

Deno.test("workers are registered, enabled, drained and removed by an admin", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [admin, creator] = [await studio.as("admin"), await studio.as("creator")];
  const body = { name: "Box", url: "http://192.168.1.20:8188/" };
  assertEquals((await creator.post("/api/workers", body)).status, 403);
  assertEquals(
    (await admin.post("/api/workers", { name: "Box", url: "http://169.254.169.254" })).body.fields[0].field,
    "/body/url",
  );
  const worker = await admin.call(contract.addWorker, { body });
  assertEquals([worker.url, worker.status, worker.kind], ["http://192.168.1.20:8188", "unknown", "comfyui"]);
  assertEquals((await admin.post("/api/workers", body)).status, 409);
  const again = await admin.post("/api/workers", { name: "Again", url: "http://192.168.1.20:8188" });
  assertEquals([again.status, again.body.detail.includes('"Box" is that server')], [409, true]);
  const other = await admin.call(contract.addWorker, {
    body: { name: "Other", url: "http://192.168.1.21:8188" },
  });
  assertEquals((await admin.patch(`/api/workers/${other.id}`, { url: body.url })).status, 409);
  assertEquals((await admin.patch(`/api/workers/${other.id}`, { url: other.url })).status, 200);
  const needed = await givenWorkflowVersion(studio);
  await recordCapabilities(db, worker.id, "a", [{ versionId: needed.id, missing: [] }]);
  await db`
    insert into jobs (id, kind_id, lane_id, status_id, order_key, fair_end, cost_ms, input, workflow_version_id)
    select ${newId()}, k.id, k.lane_id, 2, 0, 0, 1000, '{}', ${needed.id} from job_kind k where k.code = 'comfy.generate'`;
  const impact = (workerId: typeof worker.id) =>
    admin.call(contract.getWorkerImpact, { params: { workerId }, query: {} });
  const none = { isInterrupting: false, foreign: 0, way: null, whyNot: null };
  assertEquals(await impact(worker.id), { running: [], waiting: 1, waitingOnlyHere: 1, ...none });
  await recordCapabilities(db, other.id, "b", [{ versionId: needed.id, missing: [] }]);
  assertEquals((await impact(worker.id)).waitingOnlyHere, 0);
  assertEquals((await admin.delete(`/api/workers/${other.id}`)).status, 204);
  const params = { workerId: worker.id };
  assertEquals((await admin.call(contract.drainWorker, { params })).status, "draining");

  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  for (let i = 0; i < 2; i++) await adoptWorkers(db, nodeId);
  // Nothing runs on it, so it is through; and what is disabled stays so, whatever is seen of it.
  const seen = {
    workerId: worker.id,
    isReachable: true,
    health: "well" as const,
    manager: null,
    software: "ComfyUI",
    version: "1",
    problem: null,
  };
  assertEquals(await recordSeen(db, seen), true);
  assertEquals((await creator.call(contract.getWorker, { params })).status, "disabled");
  assertEquals((await admin.call(contract.enableWorker, { params })).status, "unknown");
  assertEquals([await recordSeen(db, seen), await recordSeen(db, seen)], [true, false]);
  assertEquals((await admin.call(contract.listWorkers)).items[0]?.status, "online");
  assertEquals((await admin.delete(`/api/workers/${worker.id}`)).status, 204);
  assertEquals((await admin.get(`/api/workers/${worker.id}`)).status, 404);
});

Deno.test("adoptWorkers() takes over what a silent node drove, but never its CPU engine", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const [first, second] = [newId<"node">(), newId<"node">()];
  for (const id of [first, second]) await enterNode(db, { id, host: "a", pid: 1, version: "0" });
  await admin.call(contract.addWorker, { body: { name: "Box", url: "http://192.168.1.20:8188" } });
  await registerCpuEngine(db, { url: "http://127.0.0.1:4000", nodeId: first, host: "a" });
  const names = async (nodeId: string) => (await adoptWorkers(db, nodeId)).map((worker) => worker.name);
  assertEquals(await names(first), ["Box", "CPU preview (a)"]);
  assertEquals(await names(second), []);
  await db`update server_nodes set heartbeat_at = now() - interval '1 minute' where id = ${first}`;
  assertEquals(await names(second), ["Box"]);
  // The same machine's engine at its next start: one worker, another address.
  await registerCpuEngine(db, { url: "http://127.0.0.1:4001", nodeId: second, host: "a" });
  assertEquals((await admin.call(contract.listWorkers)).items.map((worker) => worker.url), [
    "http://192.168.1.20:8188",
    "http://127.0.0.1:4001",
  ]);
});

Deno.test("recordCapabilities() keeps what a worker lacks until it is checked again", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  const workerId = await registerCpuEngine(db, { url: "http://127.0.0.1:4000", nodeId, host: "a" });
  await recordSeen(db, {
    workerId,
    isReachable: true,
    health: "well",
    manager: null,
    software: "x",
    version: "1",
    problem: null,
  });
  const version = await givenWorkflowVersion(studio);
  await recordCapabilities(db, workerId, "first", []);
  assertEquals(await listWorkersToCheck(db, nodeId), [workerId]);
  await recordCapabilities(db, workerId, "first", [{
    versionId: version.id,
    missing: ["a model", "a node"],
  }]);
  assertEquals(await listWorkersToCheck(db, nodeId), []);
  const before = await admin.call(contract.getWorker, { params: { workerId: workerId as never } });
  assertEquals(before.capabilities.map((one) => [one.isAble, one.missing]), [[false, ["a model", "a node"]]]);
  await recordCapabilities(db, workerId, "second", [{ versionId: version.id, missing: [] }]);
  const after = await admin.call(contract.getWorker, { params: { workerId: workerId as never } });
  assertEquals(after.capabilities.map((one) => one.isAble), [true]);
});

Deno.test("a worker that was removed is gone from the fleet, still named by what it ran, and its name is free", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const worker = await givenWorker(studio);
  const job = await givenJob(studio, { kind: "comfy.generate" });
  await studio.db`update workers set name = 'Box'`;
  await studio.db`update jobs set worker_id = ${worker.id}`;
  assertEquals((await admin.delete(`/api/workers/${worker.id}`)).status, 204);
  assertEquals((await admin.call(contract.listWorkers)).items, []);
  assertEquals((await admin.delete(`/api/workers/${worker.id}`)).status, 404);
  const { items } = await admin.call(listQueueJobs, { query: { ids: job.id } });
  assertEquals(items.map((one) => [one.workerId as string, one.workerName]), [[worker.id, "Box"]]);
  const body = { name: "Box", url: "http://127.0.0.1:9" };
  assertEquals((await admin.post("/api/workers", body)).status, 201);
});
