import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id, isId } from "#server/core/id.ts";
import { Lane } from "#server/core/job_kind.ts";
import { page, PageQuery } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";

/** Rows of `job_status`; their numbers are their places here and are named in the SQL of this slice. */
export const JobStatus = z.enum(["blocked", "queued", "held", "running", "done", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof JobStatus>;

/** Rows of `attempt_outcome`. */
export const AttemptOutcome = z.enum(["done", "failed", "cancelled", "lease_lost", "handed_back"]);
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;

export const Priority = z.int().check(z.minimum(-10), z.maximum(10));

const jobFields = {
  id: id("job"),
  /** A code of `job_kind`. */
  kind: z.string(),
  /** What people call the kind. */
  label: z.string(),
  lane: Lane,
  status: JobStatus,
  projectId: z.nullable(id("project")),
  userId: z.nullable(id("user")),
  priority: Priority,
  seedId: z.nullable(id("seed")),
  takeId: z.nullable(id("take")),
  cutId: z.nullable(id("cut")),
  masterId: z.nullable(id("master")),
  fileHash: z.nullable(z.string()),
  workflowVersionId: z.nullable(id("workflow version")),
  workerId: z.nullable(id("worker")),
  attempt: z.int(),
  failures: z.int(),
  progressRatio: z.nullable(z.number()),
  progressNote: z.nullable(z.string()),
  failureClass: z.nullable(z.string()),
  error: z.nullable(z.string()),
  /** It has been asked to stop and will be cancelled in a moment. */
  isCancelAsked: z.boolean(),
  createdAt: Instant,
  runAt: Instant,
  startedAt: z.nullable(Instant),
  finishedAt: z.nullable(Instant),
};

export const Job = z.object(jobFields);
export type Job = z.infer<typeof Job>;

/** A guess in milliseconds from what such work took lately: half of them end by p50, nine of ten by p90. */
export const Estimate = z.object({ p50Ms: z.int(), p90Ms: z.int() });
export type Estimate = z.infer<typeof Estimate>;

export const JobDetail = z.object({
  ...jobFields,
  input: z.unknown(),
  output: z.nullable(z.unknown()),
  needs: z.array(z.object({ jobId: id("job"), kind: z.string(), status: JobStatus })),
  dependents: z.array(z.object({ jobId: id("job"), kind: z.string(), status: JobStatus })),
  attempts: z.array(z.object({
    id: z.string(),
    number: z.int(),
    workerId: z.nullable(z.string()),
    startedAt: Instant,
    finishedAt: z.nullable(Instant),
    outcome: z.nullable(AttemptOutcome),
    failureClass: z.nullable(z.string()),
    error: z.nullable(z.string()),
  })),
  log: z.array(z.object({
    id: z.int(),
    at: Instant,
    level: z.enum(["debug", "info", "warn", "error"]),
    message: z.string(),
    fields: z.record(z.string(), z.unknown()),
  })),
  /** Jobs of the lane that are to start before this one; null when it does not wait in the queue. */
  aheadCount: z.nullable(z.int()),
  /** Until it starts and until it ends; null when it has ended, waits for a person or was never seen before. */
  startsIn: z.nullable(Estimate),
  endsIn: z.nullable(Estimate),
  /** Why it does not run yet or does not go on, as a sentence; null when it does or has ended. */
  waitsFor: z.nullable(z.string()),
});
export type JobDetail = z.infer<typeof JobDetail>;

export const JobFilter = z.object({
  ...PageQuery.shape,
  projectId: z.optional(id("project")),
  userId: z.optional(id("user")),
  /** One or several, with commas: "queued,running". */
  status: z.optional(z.pipe(
    z.string().check(z.regex(
      /^(blocked|queued|held|running|done|failed|cancelled)(,(blocked|queued|held|running|done|failed|cancelled))*$/,
      "must be job statuses, separated by commas",
    )),
    z.transform((text) => text.split(",") as JobStatus[]),
  )),
  kind: z.optional(z.string().check(z.maxLength(60))),
  lane: z.optional(Lane),
  seedId: z.optional(id("seed")),
  takeId: z.optional(id("take")),
  cutId: z.optional(id("cut")),
  masterId: z.optional(id("master")),
});
export type JobFilter = z.infer<typeof JobFilter>;

/** A job as the queue's table shows it: with the names of what it is for, and why it does not go on. */
export const QueueJob = z.object({
  ...jobFields,
  /** Its turn in its lane, from 1; null when it does not wait in the queue. */
  place: z.nullable(z.int()),
  /** Of two that wait in one lane, the one with the lower key starts first. */
  orderKey: z.number(),
  /** What it is expected to take, in milliseconds. */
  expectedMs: z.int(),
  projectName: z.nullable(z.string()),
  userName: z.nullable(z.string()),
  workerName: z.nullable(z.string()),
  characterId: z.nullable(id("character")),
  clipId: z.nullable(id("clip")),
  sceneId: z.nullable(id("scene")),
  /** "Clip 020 · V2"; null for a job that is for nothing in particular. */
  subject: z.nullable(z.string()),
  /** An asset whose picture stands for what it works on. */
  pictureAssetId: z.nullable(id("asset")),
  /** Jobs not yet ended that need this one. */
  dependents: z.int(),
  /** Why it does not run yet or does not go on, as a sentence; null when it does, is next or has ended. */
  waitsFor: z.nullable(z.string()),
});
export type QueueJob = z.infer<typeof QueueJob>;

const Ids = z.pipe(
  z.string().check(
    z.maxLength(200 * 37),
    z.refine((text) => text.split(",").every(isId), "must be ids of jobs, separated by commas"),
  ),
  z.transform((text) => text.split(",")),
);

export const QueueJobFilter = z.object({
  limit: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(5000)), 1000),
  projectId: z.optional(id("project")),
  /** Those that have not ended, unless said. */
  status: JobFilter.shape.status,
  lane: z.optional(Lane),
  /** Only these, whatever their status: to read anew what an event told of. */
  ids: z.optional(Ids),
});
export type QueueJobFilter = z.infer<typeof QueueJobFilter>;

/** What is paused: exactly one of them. */
export const PauseTarget = z.union([
  z.object({ lane: Lane }),
  z.object({ userId: id("user") }),
  z.object({ workerId: id("worker") }),
]);
export type PauseTarget = z.infer<typeof PauseTarget>;

export const QueueState = z.object({
  lanes: z.array(z.object({
    lane: Lane,
    label: z.string(),
    queued: z.int(),
    running: z.int(),
    blocked: z.int(),
    held: z.int(),
    isPaused: z.boolean(),
  })),
  paused: z.array(z.object({
    lane: z.nullable(Lane),
    userId: z.nullable(id("user")),
    workerId: z.nullable(id("worker")),
    pausedById: z.nullable(id("user")),
    pausedAt: Instant,
  })),
});
export type QueueState = z.infer<typeof QueueState>;

const jobParams = z.object({ jobId: id("job") });

export const listJobs = endpoint({
  method: "GET",
  path: "/jobs",
  can: "job.read",
  summary: "Jobs of one's projects and one's own, newest first",
  query: JobFilter,
  reply: page(Job),
});

export const getJob = endpoint({
  method: "GET",
  path: "/jobs/:jobId",
  can: "job.read",
  summary: "A job with its attempts, log, estimate and why it waits",
  params: jobParams,
  reply: JobDetail,
});

export const cancelJob = endpoint({
  method: "POST",
  path: "/jobs/:jobId/cancel",
  can: "job.control",
  summary: "Cancel a job in any state, with all that needs it if asked; nothing happens when it has ended",
  params: jobParams,
  body: z._default(z.object({ withDependents: z._default(z.boolean(), false) }), { withDependents: false }),
  reply: Job,
  status: 202,
});

export const holdJob = endpoint({
  method: "POST",
  path: "/jobs/:jobId/hold",
  can: "job.control",
  summary: "Keep a waiting job from starting until it is released",
  params: jobParams,
  reply: Job,
});

export const releaseJob = endpoint({
  method: "POST",
  path: "/jobs/:jobId/release",
  can: "job.control",
  summary: "Let a held job wait its turn again",
  params: jobParams,
  reply: Job,
});

export const retryJob = endpoint({
  method: "POST",
  path: "/jobs/:jobId/retry",
  can: "job.control",
  summary: "Queue a failed or cancelled job again, with a fresh retry budget",
  params: jobParams,
  reply: Job,
});

export const changeJob = endpoint({
  method: "PATCH",
  path: "/jobs/:jobId",
  can: "job.control",
  summary: "Change the priority of a waiting job; above 0 needs queue.admin",
  params: jobParams,
  body: z.object({ priority: Priority }),
  reply: Job,
});

export const moveJob = endpoint({
  method: "POST",
  path: "/jobs/:jobId/move",
  can: "job.control",
  summary:
    "Put a waiting job before or after another of the same lane; past other people's needs queue.admin",
  params: jobParams,
  body: z.union([z.object({ beforeJobId: id("job") }), z.object({ afterJobId: id("job") })]),
  reply: Job,
});

export const getQueue = endpoint({
  method: "GET",
  path: "/queue",
  can: "job.read",
  summary: "How full each lane is and what is paused",
  reply: QueueState,
});

export const listQueueJobs = endpoint({
  method: "GET",
  path: "/queue/jobs",
  can: "job.read",
  summary: "Jobs in the order of their turn, with what each is for and why it waits; ended ones newest first",
  query: QueueJobFilter,
  reply: z.object({
    items: z.array(QueueJob),
    /** How many there are, also beyond the limit. */
    total: z.int(),
  }),
});

export const pauseQueue = endpoint({
  method: "POST",
  path: "/queue/pause",
  can: "queue.admin",
  summary: "Start nothing more of a lane, a user or on a worker; what runs goes on",
  body: PauseTarget,
  reply: QueueState,
});

export const resumeQueue = endpoint({
  method: "POST",
  path: "/queue/resume",
  can: "queue.admin",
  summary: "End a pause",
  body: PauseTarget,
  reply: QueueState,
});

/** A job changed its state, order or priority. */
export const jobChanged = eventKind(
  "job.changed",
  z.object({
    jobId: id("job"),
    kind: z.string(),
    status: JobStatus,
    projectId: z.nullable(id("project")),
    seedId: z.nullable(id("seed")),
    takeId: z.nullable(id("take")),
    cutId: z.nullable(id("cut")),
    masterId: z.nullable(id("master")),
  }),
);

/** Something was paused, resumed or reordered: the queue is to be read again. */
export const queueChanged = eventKind("queue.changed", z.object({}));
