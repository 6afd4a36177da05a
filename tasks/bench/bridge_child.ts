// The studio's queue and comfy thread in one process, and a direct client beside them.
import { join } from "@std/path/join.js";
import * as z from "zod/mini";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { addGenerated } from "#server/assets/service.ts";
import { connect } from "#server/db/db.ts";
import { listen } from "#server/db/listen.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { jobChanged } from "#server/jobs/contract.ts";
import { submitJob } from "#server/jobs/service.ts";
import type { Settlement } from "#server/jobs/settle.ts";
import { EventReader } from "#server/live/event_reader.ts";
import { givenProject } from "#server/testing/fixtures.ts";
import { startThread } from "#workers/kit/host.ts";
import { Dispatch } from "#workers/queue/dispatch.ts";
import { JobQueue } from "#workers/queue/queue.ts";
import { answerRequests } from "./children.ts";
import { openDirectClient } from "./direct_client.ts";

const Request = z.object({ t: z.enum(["ours", "direct"]), count: z.int(), edge: z.int() });

async function main(databaseUrl: string, engineUrl: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_bench_" });
  const ours = await openOurs(databaseUrl, engineUrl, folder);
  const direct = await openDirectClient(engineUrl);
  let drawn = 0;
  // Each another colour, so that nothing comes from the engine's cache.
  const graph = (edge: number, prefix: string) => ({
    "1": { class_type: "EmptyImage", inputs: { width: edge, height: edge, batch_size: 1, color: ++drawn } },
    "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: prefix } },
  });
  await answerRequests(async (request) => {
    const { t, count, edge } = Request.parse(request);
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const begun = performance.now();
      if (t === "ours") await ours.run(graph(edge, "%SEEDLOOP_PREFIX%/a"));
      else await direct.run(graph(edge, "direct"), join(folder, "direct.png"));
      times.push(performance.now() - begun);
    }
    return times;
  });
  await direct.close();
  await ours.stop();
  await Deno.remove(folder, { recursive: true });
}

async function openOurs(databaseUrl: string, engineUrl: string, folder: string) {
  const db = connect({ url: databaseUrl, max: 6, isPlannedOnce: true });
  const storeRoot = join(folder, "store");
  const project = await givenProject({ db, store: await openLocalStore(storeRoot) });
  const dispatch = new Dispatch(silentLog);
  const node = { id: newId<"node">(), host: crypto.randomUUID(), pid: Deno.pid, version: "bench" };
  const ended = new Map<string, (status: string) => void>();
  const queue = new JobQueue({
    db,
    node,
    log: silentLog,
    kinds: [generate],
    settlements: [keepOutputs(project.id)],
    slots: { cpu: 1, io: 1, script: 1 },
    dispatch,
    isAlive: () => Promise.resolve(true),
    post: () => {},
  });
  await queue.start();
  await db`
    insert into workers (id, name, kind_id, status_id, url, owner_node_id)
    select ${newId<"worker">()}, 'Engine', k.id, s.id, ${engineUrl}, ${node.id} from worker_kind k, worker_status s
     where k.code = 'cpu_engine' and s.code = 'online'`;
  const thread = startThread("comfy", import.meta.resolve("#workers/comfy/main.ts"), {
    log: silentLog,
    settings: { store: storeRoot, workRoot: join(folder, "work") },
  });
  const attached = Promise.withResolvers<void>();
  thread.watch({
    up: () => {
      const { port1, port2 } = new MessageChannel();
      dispatch.attach("comfy", port1);
      thread.post({ t: "attach", name: "queue" }, [port2]);
      attached.resolve();
    },
    down: (reason) => dispatch.detach("comfy", reason),
  });
  await attached.promise;
  // As the live hub hears of it, to the point where it would write to the browsers' sockets.
  const reader = new EventReader(db, silentLog, ({ code, data }) => {
    if (code !== jobChanged.code) return;
    for (const { jobId, status } of jobChanged.data.parse(data).jobs) {
      if (status === "done" || status === "failed") ended.get(jobId)?.(status);
    }
  });
  await reader.start();
  const listening = await listen(db, "seedloop_events", silentLog, () => reader.wake());
  return {
    async run(graph: z.input<typeof generate.input>["graph"]): Promise<void> {
      const id = newId<"job">();
      const over = new Promise<string>((resolve) => ended.set(id, resolve));
      const input = { graph, uploads: [], outputNodes: ["2"] };
      await submitJob(db, { id, kind: generate, input, projectId: project.id, userId: null });
      const status = await over;
      ended.delete(id);
      if (status === "done") return;
      const [job] = await db`select error from jobs where id = ${id}`;
      throw new Error(`The prompt failed: ${job?.["error"]}`);
    },
    async stop(): Promise<void> {
      await listening.close();
      reader.stop();
      await queue.stop();
      await thread.stop();
      dispatch.close();
      await db.end({ timeout: 1 });
    },
  };
}

/** What slices make of a generation: an asset with its provenance, in the transaction that ends the job. */
function keepOutputs(projectId: string): Settlement {
  const settlement: Settlement<typeof generate.input, typeof generate.output> = {
    kind: generate,
    async done(tx, job, output) {
      await addGenerated(tx, job, output, {
        projectId,
        kind: "take_raw",
        retention: "keep",
        randomSeed: null,
      });
    },
    failed: async () => {},
    cancelled: async () => {},
  };
  // The queue hands each settlement only what its own kind has parsed.
  return settlement as unknown as Settlement;
}

if (import.meta.main) await main(Deno.args[0] ?? "", Deno.args[1] ?? "");
