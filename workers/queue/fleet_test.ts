import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { type Db, transact } from "#server/db/db.ts";
import { listen } from "#server/db/listen.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { listOrders, placeOrder } from "#server/fleet/orders.ts";
import { submitJob } from "#server/jobs/service.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import { syncBundled } from "#server/workflows/service.ts";
import { FaultServer } from "#workers/comfy/testing/fault_server.ts";
import { linkThreads, startThread } from "#workers/kit/host.ts";

const GRAPH = {
  "1": { class_type: "EmptyImage", inputs: { width: 64, height: 64, batch_size: 1, color: 255 } },
  "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "test" } },
};

/** Waits for events until there is an answer. */
async function until<T>(db: Db, find: () => Promise<T | undefined>): Promise<T> {
  const found = Promise.withResolvers<T>();
  const check = () => find().then((value) => value !== undefined && found.resolve(value), found.reject);
  const listener = await listen(db, "seedloop_events", silentLog, check);
  const value = await found.promise;
  await listener.close();
  return value;
}

Deno.test("the queue, comfy and engine threads register the CPU engine, check it and run a generation on it", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const folder = await Deno.makeTempDir({ prefix: "seedloop_fleet_" });
  const store = await openLocalStore(`${folder}/store`);
  await syncBundled(db, BUNDLED_TEMPLATES);
  const open = (name: string, settings: unknown) =>
    startThread(name, import.meta.resolve(`#workers/${name}/main.ts`), {
      log: silentLog,
      settings,
      onMessage: (message) => {
        if (message.t === "engine_ready") {
          queue.post({ t: "tell", about: "engine_ready", data: { url: message.url } });
        }
      },
    });
  const queue = open("queue", {
    databaseUrl: database.url,
    store: store.root,
    node: { id: newId<"node">(), host: "here", pid: Deno.pid, version: "test" },
    slots: { cpu: 1, io: 1, script: 1 },
  });
  await queue.ready;
  const comfy = open("comfy", { store: store.root, workRoot: `${folder}/work` });
  linkThreads(queue, comfy);
  const engine = open("engine", { base: `${folder}/engine` });

  const able = await until(db, async () => {
    const rows = await db<{ code: string; isAble: boolean }[]>`
      select f.code, c.is_able from worker_capabilities c
        join workflow_versions v on v.id = c.workflow_version_id join workflows f on f.id = v.workflow_id
        join workers w on w.id = c.worker_id join worker_status s on s.id = w.status_id and s.code = 'online'
       order by f.code`;
    return rows.length === BUNDLED_TEMPLATES.length ? rows : undefined;
  });
  const isPreview = (code: string) =>
    BUNDLED_TEMPLATES.find(({ manifest }) => manifest.code === code)?.manifest.cpuPreview;
  assertEquals(
    able.map((row) => [row.code, row.isAble]),
    able.map((row) => [row.code, isPreview(row.code) === true]),
  );

  const [version] = await db<{ id: string }[]>`
    select v.id from workflow_versions v join worker_capabilities c on c.workflow_version_id = v.id and c.is_able limit 1`;
  const jobId = await transact(db, (tx) =>
    submitJob(tx, {
      kind: generate,
      input: { graph: GRAPH, uploads: [], outputNodes: ["2"] },
      projectId: null,
      userId: null,
      workflowVersionId: version?.id,
    }));
  const job = await until(db, async () => {
    const [row] = await db<
      { status: string; error: string | null; output: { outputs: { file: { hash: string } }[] } | null }[]
    >`
      select s.code as status, j.error, j.output from jobs j join job_status s on s.id = j.status_id where j.id = ${jobId}`;
    return row?.status === "done" || row?.status === "failed" ? row : undefined;
  });
  assertEquals([job.status, job.error], ["done", null]);
  const hash = job.output?.outputs[0]?.file.hash ?? "";
  assertEquals((await store.size(hash) ?? 0) > 50, true);

  // What the run has shown of its pace is learned, behind its back.
  const learned = () => db<{ restMs: number[] }[]>`select rest_ms from worker_paces`;
  for (let rows = await learned(); rows.length === 0; rows = await learned());
  assertEquals((await learned()).map((row) => row.restMs.length), [1]);
  const [profile] = await db<{ nodes: number }[]>`select count(*)::integer as nodes from worker_nodes`;
  assertEquals((profile?.nodes ?? 0) > 10, true);

  await queue.stop();
  await Promise.all([engine.stop(), comfy.stop()]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a job whose worker is interrupted by order waits again, spends no attempt and runs to its end there", async () => {
  await using database = await openTestDatabase();
  await using server = new FaultServer();
  const { db } = database;
  const folder = await Deno.makeTempDir({ prefix: "seedloop_fleet_" });
  const store = await openLocalStore(`${folder}/store`);
  const open = (name: string, settings: unknown) =>
    startThread(name, import.meta.resolve(`#workers/${name}/main.ts`), { log: silentLog, settings });
  // The first prompt hangs; whatever comes after it is done.
  server.onPrompt = (prompt) => server.prompts.size === 1 ? server.begin(prompt) : server.finish(prompt);
  const workerId = newId<"worker">();
  await db`
    insert into workers (id, name, kind_id, status_id, url)
    select ${workerId}, 'Box', k.id, s.id, ${server.url}
      from worker_kind k, worker_status s where k.code = 'comfyui' and s.code = 'unknown'`;
  const queue = open("queue", {
    databaseUrl: database.url,
    store: store.root,
    node: { id: newId<"node">(), host: "here", pid: Deno.pid, version: "test" },
    slots: { cpu: 1, io: 1, script: 1 },
  });
  await queue.ready;
  const comfy = open("comfy", { store: store.root, workRoot: `${folder}/work` });
  linkThreads(queue, comfy);
  const jobId = await transact(db, (tx) =>
    submitJob(tx, {
      kind: generate,
      input: { graph: GRAPH, uploads: [], outputNodes: ["2"] },
      projectId: null,
      userId: null,
    }));
  await server.until(() => [...server.prompts.values()].some(({ state }) => state === "running"));
  await placeOrder(db, undefined, { workerId, kind: "interrupt", reason: "Asked for" });

  const job = await until(db, async () => {
    const [row] = await db<{ status: string; error: string | null; failures: number; outcomes: string[] }[]>`
      select s.code as status, j.error, j.failures,
             array(select o.code from job_attempts a join attempt_outcome o on o.id = a.outcome_id
                    where a.job_id = j.id order by a.number) as outcomes
        from jobs j join job_status s on s.id = j.status_id where j.id = ${jobId}`;
    return row?.status === "done" || row?.status === "failed" ? row : undefined;
  });
  assertEquals(job, { status: "done", error: null, failures: 0, outcomes: ["handed_back", "done"] });
  assertEquals(server.interrupted.length, 1);
  const orders = await until(db, async () => {
    const rows = await listOrders(db, workerId);
    return rows[0]?.outcome ? rows : undefined;
  });
  assertEquals(orders.map(({ order, outcome }) => [order, outcome]), [["interrupt", "worked"]]);
  await queue.stop();
  await comfy.stop();
  await Deno.remove(folder, { recursive: true });
});
