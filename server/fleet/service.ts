import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import {
  type Worker,
  workerChanged,
  type WorkerDetail,
  type WorkerInput,
  type WorkerProbe,
  type WorkerStatus,
} from "./contract.ts";
import * as queries from "./queries.ts";
import { listLacks } from "./lacks.ts";
import { probeWorker, readNodes } from "./probe.ts";
import { checkWorkerUrl } from "./worker_url.ts";

export async function listWorkers(db: Db): Promise<{ items: Worker[] }> {
  return { items: await queries.listWorkers(db) };
}

/** A worker that is there. Throws AppError("not_found"). */
export async function openWorker(db: Queryable, workerId: string): Promise<Worker> {
  const worker = await queries.findWorker(db, workerId);
  if (!worker) throw notFound("worker");
  return worker;
}

export async function getWorker(db: Db, workerId: string): Promise<WorkerDetail> {
  const worker = await openWorker(db, workerId);
  const care = await queries.findCare(db, workerId);
  if (!care) throw notFound("worker");
  return { ...worker, ...care, capabilities: await queries.listCapabilities(db, workerId) };
}

/** Looks at a server that is not registered yet. What can't be reached is a reply, not an error. */
export async function testWorker(db: Db, url: string, signal: AbortSignal): Promise<WorkerProbe> {
  const checked = await checkWorkerUrl(url);
  const probe = await probeWorker(checked, signal);
  if (!probe.isReachable) return { ...probe, workflows: [] };
  const nodes = await readNodes(checked, signal);
  if (nodes === undefined) {
    const problem = "It answers, but does not tell its nodes: start it again and look into its log";
    return { ...probe, problem, workflows: [] };
  }
  const workflows = (await queries.listActiveGraphs(db)).map(({ code, title, graph }) => {
    const missing = listLacks(graph, nodes);
    return { workflowCode: code, workflowTitle: title, isAble: missing.length === 0, missing };
  });
  return { ...probe, workflows };
}

/** Registers a ComfyUI server; it need not be running. The same id again returns the worker that is there. */
export async function addWorker(db: Db, actor: Actor, input: WorkerInput): Promise<Worker> {
  const url = await checkWorkerUrl(input.url);
  const workerId = input.id ?? newId<"worker">();
  await transact(db, async (tx) => {
    await refuseSecondAt(tx, url, workerId);
    const worker = { ...input, id: workerId, url, kind: "comfyui", createdById: actor.userId } as const;
    if (!await queries.insertWorker(tx, worker)) return;
    await record(tx, actor, "worker.create", workerId, { name: input.name, url });
  });
  return await openWorker(db, workerId);
}

/** One server under two names would be given twice the jobs that it is meant to take. */
async function refuseSecondAt(tx: Tx, url: string, workerId: string): Promise<void> {
  const name = await queries.findWorkerAt(tx, url, workerId);
  if (name === undefined) return;
  throw new AppError(
    "conflict",
    `Cannot use ${url} again: the worker "${name}" is that server. Raise its maxParallel to give it more at once`,
  );
}

export async function changeWorker(
  db: Db,
  actor: Actor,
  workerId: string,
  change: { name?: string | undefined; url?: string | undefined; maxParallel?: number | undefined },
): Promise<Worker> {
  const before = await openWorker(db, workerId);
  if (before.kind === "cpu_engine" && change.url !== undefined) {
    throw new AppError(
      "conflict",
      "Cannot change the address of the CPU engine: it registers itself at each start",
    );
  }
  const url = change.url === undefined ? undefined : await checkWorkerUrl(change.url);
  await transact(db, async (tx) => {
    if (url !== undefined) await refuseSecondAt(tx, url, workerId);
    await queries.updateWorker(tx, workerId, { ...change, url });
    await record(tx, actor, "worker.change", workerId, {
      before: { name: before.name, url: before.url },
      change,
    });
  });
  return await openWorker(db, workerId);
}

/** Enables, drains or disables a worker. A change to what it is already changes nothing. */
export async function setWorkerStatus(
  db: Db,
  actor: Actor,
  workerId: string,
  status: Extract<WorkerStatus, "unknown" | "draining" | "disabled">,
): Promise<Worker> {
  const before = await openWorker(db, workerId);
  const isIdle = status === "unknown" && before.status !== "draining" && before.status !== "disabled";
  if (!isIdle && before.status !== status && !(status === "draining" && before.status === "disabled")) {
    await transact(db, async (tx) => {
      await queries.setWorkerStatus(tx, workerId, status);
      await record(tx, actor, "worker.change", workerId, { before: before.status, status });
    });
  }
  return await openWorker(db, workerId);
}

export async function removeWorker(db: Db, actor: Actor, workerId: string): Promise<void> {
  const worker = await openWorker(db, workerId);
  await transact(db, async (tx) => {
    if (!await queries.retireWorker(tx, workerId)) {
      throw new AppError("conflict", `Cannot remove ${worker.name}: a job runs on it. Drain it first`);
    }
    await record(tx, actor, "worker.remove", workerId, { name: worker.name, url: worker.url });
  });
}

async function record(
  tx: Tx,
  actor: Actor,
  action: string,
  workerId: string,
  facts: Record<string, unknown>,
): Promise<void> {
  await audit(tx, actor, action, { subject: ["worker", workerId], facts });
  await announceWorker(tx, workerId);
  await queries.wakeFleet(tx);
}

async function announceWorker(db: Queryable, workerId: string): Promise<void> {
  await announce(db, workerChanged, "fleet", { workerId });
}

/** Processes of one machine whose CPU engines are told apart by a number in their names. */
const MAX_ENGINES = 32;

/** Makes the CPU engine of this process known under its address of today; returns the worker's id. */
export async function registerCpuEngine(
  db: Db,
  engine: { url: string; nodeId: string; host: string },
): Promise<string> {
  return await transact(db, async (tx) => {
    const host = engine.host.slice(0, 60);
    const names = Array.from(
      { length: MAX_ENGINES },
      (_, at) => at === 0 ? `CPU preview (${host})` : `CPU preview (${host}) ${at + 1}`,
    );
    const workerId = await queries.upsertCpuEngine(tx, { ...engine, id: newId<"worker">(), names });
    if (!workerId) throw new Error(`Cannot register the CPU engine: ${host} has ${MAX_ENGINES} already`);
    await announceWorker(tx, workerId);
    return workerId;
  });
}

/** Writes what the bridge has seen of a worker and tells everybody when that is news. */
export async function recordSeen(db: Db, seen: queries.SeenWorker): Promise<boolean> {
  return await transact(db, async (tx) => {
    const hasChanged = await queries.saveSeen(tx, seen);
    if (hasChanged) await announceWorker(tx, seen.workerId);
    return hasChanged;
  });
}

/** Saves what a worker lacks for workflow versions and tells everybody. */
export async function recordCapabilities(
  db: Db,
  workerId: string,
  capabilityHash: string,
  found: readonly { versionId: string; missing: readonly string[] }[],
): Promise<void> {
  await transact(db, async (tx) => {
    await queries.saveCapabilities(tx, workerId, capabilityHash, found);
    await announceWorker(tx, workerId);
  });
}
