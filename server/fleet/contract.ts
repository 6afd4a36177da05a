import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Instant } from "#server/core/time.ts";

/** Rows of `worker_kind`. */
export const WorkerKind = z.enum(["cpu_engine", "comfyui"]);
export type WorkerKind = z.infer<typeof WorkerKind>;

/** Rows of `worker_status`. */
export const WorkerStatus = z.enum(["unknown", "online", "offline", "unhealthy", "draining", "disabled"]);
export type WorkerStatus = z.infer<typeof WorkerStatus>;

export const Worker = z.object({
  id: id("worker"),
  name: z.string(),
  kind: WorkerKind,
  status: WorkerStatus,
  url: z.string(),
  software: z.nullable(z.string()),
  version: z.nullable(z.string()),
  maxParallel: z.int(),
  running: z.int(),
  isPaused: z.boolean(),
  lastSeenAt: z.nullable(Instant),
  lastError: z.nullable(z.string()),
  createdAt: Instant,
});
export type Worker = z.infer<typeof Worker>;

/** What one worker lacks for one workflow version; nothing when it can run it. */
export const WorkerCapability = z.object({
  workflowVersionId: id("workflow version"),
  workflowCode: z.string(),
  workflowTitle: z.string(),
  isAble: z.boolean(),
  missing: z.array(z.string()),
  checkedAt: Instant,
});

export const WorkerDetail = z.object({ ...Worker.shape, capabilities: z.array(WorkerCapability) });
export type WorkerDetail = z.infer<typeof WorkerDetail>;

const Name = z.string().check(z.trim(), z.minLength(1, "must not be empty"), z.maxLength(80));
const Url = z.string().check(z.maxLength(500));
const MaxParallel = z.int().check(z.minimum(1), z.maximum(8));

export const WorkerInput = z.object({
  id: z.optional(id("worker")),
  name: Name,
  /** "http://192.168.1.20:8188": where its ComfyUI answers. */
  url: Url,
  maxParallel: z._default(MaxParallel, 1),
});
export type WorkerInput = z.infer<typeof WorkerInput>;

/** What a look at a server gave. */
export const WorkerProbe = z.object({
  isReachable: z.boolean(),
  software: z.nullable(z.string()),
  version: z.nullable(z.string()),
  devices: z.array(z.object({ name: z.string(), vramTotalBytes: z.nullable(z.int()) })),
  /** Why it can't be used, and the mend. */
  problem: z.nullable(z.string()),
  /** What it lacks for each workflow in use, all at once; empty when its nodes could not be read. */
  workflows: z.array(z.object({
    workflowCode: z.string(),
    workflowTitle: z.string(),
    isAble: z.boolean(),
    missing: z.array(z.string()),
  })),
});
export type WorkerProbe = z.infer<typeof WorkerProbe>;

/** What taking a worker away would do to the queue. */
export const WorkerImpact = z.object({
  running: z.array(z.object({ jobId: id("job"), label: z.string(), userName: z.nullable(z.string()) })),
  /** Jobs that wait in the lane it works for. */
  waiting: z.int(),
  /** Of these, how many no other usable worker could run. */
  waitingOnlyHere: z.int(),
});
export type WorkerImpact = z.infer<typeof WorkerImpact>;

const workerParams = z.object({ workerId: id("worker") });

export const listWorkers = endpoint({
  method: "GET",
  path: "/workers",
  can: "worker.read",
  summary: "All workers with their state",
  reply: z.object({ items: z.array(Worker) }),
});

export const getWorker = endpoint({
  method: "GET",
  path: "/workers/:workerId",
  can: "worker.read",
  summary: "A worker and which workflows it can run, with what it lacks for the others",
  params: workerParams,
  reply: WorkerDetail,
});

export const getWorkerImpact = endpoint({
  method: "GET",
  path: "/workers/:workerId/impact",
  can: "worker.admin",
  summary: "What draining, disabling or removing a worker would affect",
  params: workerParams,
  reply: WorkerImpact,
});

export const testWorker = endpoint({
  method: "POST",
  path: "/workers/test",
  can: "worker.admin",
  summary:
    "Look at a ComfyUI server before it is registered: what it is, and what it lacks for each workflow",
  body: z.object({ url: Url }),
  reply: WorkerProbe,
});

export const addWorker = endpoint({
  method: "POST",
  path: "/workers",
  can: "worker.admin",
  summary: "Register a ComfyUI server",
  body: WorkerInput,
  reply: Worker,
  status: 201,
});

export const changeWorker = endpoint({
  method: "PATCH",
  path: "/workers/:workerId",
  can: "worker.admin",
  summary: "Change a worker's name, address or number of jobs at once",
  params: workerParams,
  body: z.object({ name: z.optional(Name), url: z.optional(Url), maxParallel: z.optional(MaxParallel) }),
  reply: Worker,
});

export const enableWorker = endpoint({
  method: "POST",
  path: "/workers/:workerId/enable",
  can: "worker.admin",
  summary: "Use a worker again",
  params: workerParams,
  reply: Worker,
});

export const drainWorker = endpoint({
  method: "POST",
  path: "/workers/:workerId/drain",
  can: "worker.admin",
  summary: "Give a worker nothing new; when what runs has ended it is disabled",
  params: workerParams,
  reply: Worker,
});

export const disableWorker = endpoint({
  method: "POST",
  path: "/workers/:workerId/disable",
  can: "worker.admin",
  summary: "Give a worker nothing new; what runs goes on",
  params: workerParams,
  reply: Worker,
});

export const removeWorker = endpoint({
  method: "DELETE",
  path: "/workers/:workerId",
  can: "worker.admin",
  summary: "Forget a worker on which nothing runs",
  params: workerParams,
});

/** A worker was added, changed its state, or is gone. */
export const workerChanged = eventKind("worker.changed", z.object({ workerId: id("worker") }));
