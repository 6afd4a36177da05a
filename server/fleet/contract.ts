import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Name as PlainName } from "#server/core/name.ts";
import { Instant } from "#server/core/time.ts";

/** Rows of `worker_kind`. */
export const WorkerKind = z.enum(["cpu_engine", "comfyui"]);
export type WorkerKind = z.infer<typeof WorkerKind>;

/** Rows of `worker_status`. */
export const WorkerStatus = z.enum([
  "unknown",
  "online",
  "offline",
  "unhealthy",
  "draining",
  "disabled",
  /** The watch-dog has something against it: it gets nothing new until it has shown that it is well. */
  "suspect",
  /** A guard keeps new jobs away until it is cooler, or has more free memory. */
  "resting",
]);
export type WorkerStatus = z.infer<typeof WorkerStatus>;

/** Rows of `worker_order_kind`: the rungs of the ladder, and what only a person asks for. */
export const WorkerOrderKind = z.enum(["interrupt", "free", "restart", "kill", "start", "stop"]);
export type WorkerOrderKind = z.infer<typeof WorkerOrderKind>;

/** Rows of `worker_order_outcome`. */
export const WorkerOrderOutcome = z.enum(["worked", "failed", "impossible"]);
export type WorkerOrderOutcome = z.infer<typeof WorkerOrderOutcome>;

/** Rows of `worker_command_kind`. */
export const WorkerCommandKind = z.enum(["start", "restart"]);
export type WorkerCommandKind = z.infer<typeof WorkerCommandKind>;

/** Rows of `worker_change_kind`. */
export const WorkerChangeKind = z.enum([
  "node_added",
  "node_removed",
  "node_changed",
  "model_added",
  "model_removed",
  "model_changed",
]);
export type WorkerChangeKind = z.infer<typeof WorkerChangeKind>;

const Celsius = z.int().check(z.minimum(30), z.maximum(120));

/** What the watch-dog may do to a worker by itself, and when the worker is given nothing new. */
export const WorkerRules = z.object({
  /** The highest rung that is taken without asking; null: all are only offered. */
  watchUpTo: z.nullable(z.enum(["interrupt", "free", "restart", "kill"])),
  /** No new jobs from this temperature on; both or none. */
  pauseAtCelsius: z.nullable(Celsius),
  /** New jobs again from here down; below `pauseAtCelsius`. */
  resumeAtCelsius: z.nullable(Celsius),
  /** No new jobs while others leave it less GPU memory than this. */
  minFreeVramBytes: z.nullable(z.int().check(z.minimum(1), z.maximum(2 ** 50))),
});
export type WorkerRules = z.infer<typeof WorkerRules>;

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

export const WorkerDetail = z.object({
  ...Worker.shape,
  capabilities: z.array(WorkerCapability),
  rules: WorkerRules,
  /** ComfyUI-Manager's version; null when it has none, or was not asked yet. */
  manager: z.nullable(z.string()),
  /** Whether the studio is to keep it running; null when it does not start it. */
  isWanted: z.nullable(z.boolean()),
});
export type WorkerDetail = z.infer<typeof WorkerDetail>;

const Name = PlainName.check(z.maxLength(80));
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
  /** Whether what runs is interrupted; it waits again, and no attempt of it is spent. */
  isInterrupting: z.boolean(),
  /** Prompts there that are not the studio's and would be lost; null: no data. */
  foreign: z.nullable(z.int()),
  /** How it would be done; null where there is nothing to choose. */
  way: z.nullable(z.enum(["manager", "command", "supervisor"])),
  /** Why it can't be done, and the mend; null when it can. */
  whyNot: z.nullable(z.string()),
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
  summary: "What draining, disabling or removing a worker, or an order to it, would affect",
  params: workerParams,
  query: z.object({ order: z.optional(WorkerOrderKind) }),
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

/** What was or is to be done to a worker. */
export const WorkerOrder = z.object({
  id: id("worker order"),
  order: WorkerOrderKind,
  /** Null: the watch-dog. */
  askedBy: z.nullable(z.string()),
  askedAt: Instant,
  reason: z.string(),
  begunAt: z.nullable(Instant),
  endedAt: z.nullable(Instant),
  outcome: z.nullable(WorkerOrderOutcome),
  note: z.nullable(z.string()),
});
export type WorkerOrder = z.infer<typeof WorkerOrder>;

export const orderWorker = endpoint({
  method: "POST",
  path: "/workers/:workerId/orders",
  can: "worker.admin",
  summary: "Interrupt, free, restart, kill, start or stop a worker; what runs on it waits again",
  params: workerParams,
  body: z.object({ id: z.optional(id("worker order")), order: WorkerOrderKind }),
  reply: WorkerOrder,
  status: 201,
});

export const listWorkerOrders = endpoint({
  method: "GET",
  path: "/workers/:workerId/orders",
  can: "worker.read",
  summary: "What was done to a worker lately, by people and by the watch-dog, newest first",
  params: workerParams,
  reply: z.object({ items: z.array(WorkerOrder) }),
});

export const setWorkerRules = endpoint({
  method: "PUT",
  path: "/workers/:workerId/rules",
  can: "worker.admin",
  summary: "Set what the watch-dog may do by itself, and the guards of temperature and memory",
  params: workerParams,
  body: WorkerRules,
  reply: WorkerDetail,
});

const Text = (most: number) =>
  z.string().check(
    z.maxLength(most),
    // deno-lint-ignore no-control-regex -- a process can't be given it
    z.regex(/^[^\u0000]*$/, "must not hold a NUL character"),
  );
const VariableName = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "must be a variable's name"));

/**
 * A command that the studio runs on its own machine with its own rights. The arguments go to the program as they
 * stand; no shell reads them.
 */
export const WorkerCommandInput = z.object({
  args: z.array(Text(4096)).check(z.minLength(1), z.maxLength(200)),
  folder: z.nullable(Text(4096).check(z.minLength(1))),
  environment: z.record(VariableName, Text(8192)),
});
export type WorkerCommandInput = z.infer<typeof WorkerCommandInput>;

export const WorkerCommand = z.object({
  ...WorkerCommandInput.shape,
  kind: WorkerCommandKind,
  /** The machine that it is for. */
  host: z.string(),
  isWanted: z.boolean(),
});
export type WorkerCommand = z.infer<typeof WorkerCommand>;

const commandParams = z.object({ ...workerParams.shape, kind: WorkerCommandKind });

export const listWorkerCommands = endpoint({
  method: "GET",
  path: "/workers/:workerId/commands",
  can: "worker.admin",
  summary: "How the studio starts a worker on its own machine, and starts it anew",
  params: workerParams,
  reply: z.object({ items: z.array(WorkerCommand) }),
});

export const setWorkerCommand = endpoint({
  method: "PUT",
  path: "/workers/:workerId/commands/:kind",
  can: "worker.admin",
  summary:
    "Set a command that the studio runs on its own machine: start keeps the worker running from now on",
  params: commandParams,
  body: WorkerCommandInput,
  reply: WorkerCommand,
});

export const removeWorkerCommand = endpoint({
  method: "DELETE",
  path: "/workers/:workerId/commands/:kind",
  can: "worker.admin",
  summary: "Forget a command; a worker that the studio started is stopped",
  params: commandParams,
});

const Measure = z.nullable(z.number());

/** One moment of a GPU. Null is "no data". */
export const GpuVitals = z.object({
  gpuPercent: Measure,
  vramUsedBytes: Measure,
  vramTotalBytes: Measure,
  celsius: Measure,
  watts: Measure,
  fanPercent: Measure,
  clockMhz: Measure,
});

/** What a machine has to do at one moment. Null is "no data". */
const MachineLoad = z.object({
  cpuPercent: Measure,
  diskUsedBytes: Measure,
  diskTotalBytes: Measure,
  receivedBytesPerSecond: Measure,
  sentBytesPerSecond: Measure,
});

/** One moment of a worker. Null is "no data". The load is its machine's, where an agent on another one tells it. */
export const WorkerVitals = z.object({
  at: Instant,
  ...GpuVitals.shape,
  ...MachineLoad.shape,
  ramUsedBytes: Measure,
  ramTotalBytes: Measure,
  /** Prompts queued or running there, whoever sent them. */
  queued: Measure,
});
export type WorkerVitals = z.infer<typeof WorkerVitals>;

/** One moment of the machine on which a studio runs. Null is "no data". */
export const HostVitals = z.object({
  at: Instant,
  ...MachineLoad.shape,
  memoryUsedBytes: Measure,
  memoryTotalBytes: Measure,
});
export type HostVitals = z.infer<typeof HostVitals>;

export const getWorkerVitals = endpoint({
  method: "GET",
  path: "/workers/:workerId/vitals",
  can: "worker.read",
  summary: "How a worker's hardware is: each second of ten minutes, each minute of a day",
  params: workerParams,
  reply: z.object({ seconds: z.array(WorkerVitals), minutes: z.array(WorkerVitals) }),
});

export const getHostVitals = endpoint({
  method: "GET",
  path: "/host/vitals",
  can: "worker.read",
  summary: "How the studio's own machine is: each second of ten minutes, each minute of a day",
  reply: z.object({ host: z.string(), seconds: z.array(HostVitals), minutes: z.array(HostVitals) }),
});

/** What had changed on a worker when it was looked at again. */
export const WorkerChange = z.object({
  at: Instant,
  versionBefore: z.nullable(z.string()),
  versionAfter: z.nullable(z.string()),
  items: z.array(z.object({ kind: WorkerChangeKind, name: z.string() })),
});
export type WorkerChange = z.infer<typeof WorkerChange>;

export const WorkerProfile = z.object({
  nodes: z.int(),
  models: z.array(z.object({ folder: z.string(), name: z.string(), sizeBytes: z.nullable(z.int()) })),
  devices: z.array(z.object({ name: z.string(), vramTotalBytes: z.nullable(z.int()) })),
  /** Newest first. */
  changes: z.array(WorkerChange),
});
export type WorkerProfile = z.infer<typeof WorkerProfile>;

export const getWorkerProfile = endpoint({
  method: "GET",
  path: "/workers/:workerId/profile",
  can: "worker.read",
  summary: "What a worker is made of, and what had changed each time it was looked at again",
  params: workerParams,
  reply: WorkerProfile,
});

/** A worker was added, changed its state, or is gone. */
export const workerChanged = eventKind("worker.changed", z.object({ workerId: id("worker") }));
