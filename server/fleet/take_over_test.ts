import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { deadline } from "#server/core/time.ts";
import type { Db } from "#server/db/db.ts";
import { listen } from "#server/db/listen.ts";
import { claimPlaced, listFreeWorkers } from "#server/jobs/claim.ts";
import { beat, enterNode, leaveNode, renewLease, rescue } from "#server/jobs/lease.ts";
import { givenJob, givenWorker } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { adoptWorkers, saveSeen } from "./queries.ts";
import { registerCpuEngine } from "./service.ts";

async function enter(db: Db, pid: number): Promise<string> {
  const id = newId<"node">();
  await enterNode(db, { id, host: "a", pid, version: "0" });
  return id;
}

/** As if the process were frozen: alive, but it has not beaten for a minute. */
async function freeze(db: Db, nodeId: string): Promise<void> {
  await db`update server_nodes set heartbeat_at = now() - interval '1 minute' where id = ${nodeId}`;
  await db`update jobs set lease_until = now() - interval '1 second' where lease_node_id = ${nodeId}`;
}

const ownersOf = async (db: Db) =>
  (await db<
    { ownerNodeId: string; ownerEpoch: number }[]
  >`select owner_node_id, owner_epoch from workers order by name`)
    .map((row) => [row.ownerNodeId, row.ownerEpoch]);

Deno.test("a process that was frozen claims and says nothing for a worker that another took over", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [first, second] = [await enter(db, 1), await enter(db, 2)];
  const worker = await givenWorker(studio);
  await db`update workers set status_id = (select id from worker_status where code = 'online')`;
  await adoptWorkers(db, first);
  const job = await givenJob(studio, { kind: "comfy.generate", status: "queued" });
  const seenBefore = await listFreeWorkers(db, first);
  assertEquals(seenBefore.map((one) => one.id as string), [worker.id]);
  await freeze(db, first);
  assertEquals((await adoptWorkers(db, second)).map((one) => one.id as string), [worker.id]);
  const epoch = (await ownersOf(db))[0]?.[1];
  assertEquals(await ownersOf(db), [[second, epoch]]);
  // It thaws in the middle of what it did.
  const placements = [{ jobId: job.id, workerId: worker.id }];
  assertEquals((await claimPlaced(db, first, placements, seenBefore)).length, 0);
  const lost = { workerId: worker.id, isReachable: false, software: null, version: null, problem: "gone" };
  const seen = { ...lost, health: "well" as const, manager: null };
  assertEquals(await saveSeen(db, { ...seen, ownerNodeId: first }), false);
  // The second one's word counts, and its claim.
  assertEquals((await claimPlaced(db, second, placements, await listFreeWorkers(db, second))).length, 1);
  assertEquals(await saveSeen(db, { ...seen, ownerNodeId: second }), true);
  // Back at the first one, what it saw before the freeze is void even then.
  await leaveNode(db, second);
  await beat(db, first);
  await adoptWorkers(db, first);
  await db`update workers set status_id = (select id from worker_status where code = 'online'), max_parallel = 2`;
  const another = [{
    jobId: (await givenJob(studio, { kind: "comfy.generate", status: "queued" })).id,
    workerId: worker.id,
  }];
  assertEquals((await claimPlaced(db, first, another, seenBefore)).length, 0);
  assertEquals((await claimPlaced(db, first, another, await listFreeWorkers(db, first))).length, 1);
});

Deno.test("renewLease() says of a run whether it is still this process's, and keeps it so", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const node = await enter(db, 1);
  const worker = await givenWorker(studio);
  await db`update workers set status_id = (select id from worker_status where code = 'online')`;
  await adoptWorkers(db, node);
  const { id } = await givenJob(studio, { kind: "comfy.generate", status: "queued" });
  const [job] = await claimPlaced(
    db,
    node,
    [{ jobId: id, workerId: worker.id }],
    await listFreeWorkers(db, node),
  );
  if (!job) throw new Error("It was not claimed");
  await freeze(db, node);
  // Nobody has taken it yet: asked in time, it stays.
  assertEquals(await renewLease(db, job), true);
  assertEquals((await rescue(db, { deadNodeIds: [], keep: [] })).rescued, 0);
  await freeze(db, node);
  assertEquals((await rescue(db, { deadNodeIds: [], keep: [] })).rescued, 1);
  assertEquals(await renewLease(db, job), false);
});

Deno.test("leaveNode() tells the other processes that its workers are free", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [first, second] = [await enter(db, 1), await enter(db, 2)];
  await givenWorker(studio);
  await adoptWorkers(db, first);
  assertEquals((await adoptWorkers(db, second)).length, 0);
  const heard = Promise.withResolvers<void>();
  const listener = await listen(
    db,
    "seedloop_jobs",
    silentLog,
    (payload) => payload === "fleet" && heard.resolve(),
  );
  await leaveNode(db, first);
  await deadline(heard.promise, 60_000, () => new Error("Nothing was heard"));
  await listener.close();
  assertEquals((await adoptWorkers(db, second)).length, 1);
});

Deno.test("two processes of one machine have an engine each, and a dead one's is offline until it is used again", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const [first, second] = [await enter(db, 1), await enter(db, 2)];
  const register = (nodeId: string, port: number) =>
    registerCpuEngine(db, { url: `http://127.0.0.1:${port}`, nodeId, host: "a" });
  const one = await register(first, 4000);
  const two = await register(second, 4001);
  assertEquals(await register(first, 4002), one);
  const list = async () =>
    (await db<{ id: string; name: string; url: string; code: string }[]>`
      select w.id, w.name, w.url, s.code from workers w join worker_status s on s.id = w.status_id order by w.name`)
      .map((row) => [row.id, row.name, row.url, row.code]);
  await db`update workers set status_id = (select id from worker_status where code = 'online')`;
  await leaveNode(db, first);
  await adoptWorkers(db, second);
  assertEquals(await list(), [
    [one, "CPU preview (a)", "http://127.0.0.1:4002", "offline"],
    [two, "CPU preview (a) 2", "http://127.0.0.1:4001", "online"],
  ]);
  assertEquals(await register(await enter(db, 3), 4003), one);
});
