import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { FileRef } from "#server/core/file_ref.ts";
import { id, isId } from "#server/core/id.ts";
import { Lane } from "#server/core/job_kind.ts";
import { page, PageQuery } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";
import { WaitReason } from "./wait_reason.ts";

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
  /** The one worker that may run it; null where any able one may. */
  pinnedWorkerId: z.nullable(id("worker")),
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

/** Why it does not run yet or does not go on: as data, and as a sentence where others before it are not the reason. */
const waitFields = {
  wait: z.nullable(WaitReason),
  waitsFor: z.nullable(z.string()),
};

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
  ...waitFields,
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
  ...waitFields,
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

const pauseTargets = [
  z.object({ lane: Lane }),
  z.object({ userId: id("user") }),
  z.object({ workerId: id("worker") }),
] as const;

/** What is paused: exactly one of them. */
export const PauseTarget = z.union(pauseTargets);
export type PauseTarget = z.infer<typeof PauseTarget>;

const afterJobId = z.optional(id("job"));
/** A pause that begins at once, or when a job of what is to be paused has ended. */
export const PauseRequest = z.union([
  z.extend(pauseTargets[0], { afterJobId }),
  z.extend(pauseTargets[1], { afterJobId }),
  z.extend(pauseTargets[2], { afterJobId }),
]);
export type PauseRequest = z.infer<typeof PauseRequest>;

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
    pausedByName: z.nullable(z.string()),
    pausedAt: Instant,
    /** It begins when this job has ended. */
    afterJobId: z.nullable(id("job")),
    isInForce: z.boolean(),
  })),
  /** What workers have in memory by what they run or ran last: the workflow, and its models where it has some. */
  loaded: z.array(z.object({ workerId: id("worker"), workflow: z.string(), models: z.array(z.string()) })),
});
export type QueueState = z.infer<typeof QueueState>;

const jobParams = z.object({ jobId: id("job") });

/** A generation's parameters by name: "prompt", "negative", the knobs of its workflow. */
const Values = z.record(z.string().check(z.maxLength(60)), z.unknown());

/** What may be changed of a job while it waits; what is left out stays. */
export const JobChange = z.object({
  priority: z.optional(Priority),
  /** An instant before which it does not start; one that has passed lets it start at once. */
  runAt: z.optional(Instant),
  /** The one worker that may run it; null lets any able one. Generations only. */
  pinnedWorkerId: z.optional(z.nullable(id("worker"))),
  /** Of a generation: what it is bound to anew. What belongs to its take or seed can't be changed. */
  values: z.optional(Values),
}).check(z.refine((change) => Object.keys(change).length > 0, "must change something"));
export type JobChange = z.infer<typeof JobChange>;

/** A name for a job within one list, for others of the list to need it. */
const Key = z.string().check(
  z.regex(/^[A-Za-z0-9_.:-]{1,80}$/, "must be 1 to 80 letters, digits, . : _ or -"),
);

const orderFields = {
  key: z.optional(Key),
  /** Keys of jobs of the list, or ids of jobs that are there already. */
  needs: z._default(z.array(Key).check(z.maxLength(100)), []),
  priority: z._default(Priority, 0),
  runAt: z.optional(Instant),
  isHeld: z._default(z.boolean(), false),
  /** A generation: the workflow, what is bound to it and the files that it reads. */
  workflowVersionId: z.optional(id("workflow version")),
  values: z.optional(Values),
  files: z.optional(z.record(z.string(), FileRef)),
  /** Any other kind: its input, as its schema says. */
  input: z.optional(z.record(z.string(), z.unknown())),
};

/** A job as a pipeline orders it. */
export const JobOrder = z.object({
  kind: z.string().check(z.maxLength(60)),
  id: z.optional(id("job")),
  /** Of two orders of one user with the same key there is one job. */
  idempotencyKey: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  pinnedWorkerId: z.optional(id("worker")),
  ...orderFields,
});
export type JobOrder = z.infer<typeof JobOrder>;

/** A waiting job as it is carried from queue to queue. */
export const ExportedJob = z.object({
  kind: z.string().check(z.maxLength(60)),
  label: z.optional(z.string()),
  projectId: z.nullable(id("project")),
  /** The thing that it works for, at most one: its kind and id. */
  subject: z.optional(z.object({
    kind: z.enum(["seed", "take", "cut", "master", "file"]),
    id: z.string().check(z.maxLength(80)),
  })),
  /** Tells the workflow where its version has another id. */
  workflowHash: z.optional(z.string().check(z.maxLength(80))),
  /** The worker's name: its id is another elsewhere. */
  pinnedWorker: z.optional(z.string().check(z.maxLength(80))),
  ...orderFields,
});
export type ExportedJob = z.infer<typeof ExportedJob>;

/** A queue as a document: version 1. */
export const QueueDocument = z.object({
  format: z.literal("seedloop.queue"),
  version: z.literal(1),
  exportedAt: Instant,
  jobs: z.array(ExportedJob).check(z.maxLength(5000)),
});
export type QueueDocument = z.infer<typeof QueueDocument>;

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
  summary:
    "Change a waiting job: its priority (above 0 needs queue.admin), start, worker, or a generation's prompt and knobs",
  params: jobParams,
  body: JobChange,
  reply: Job,
});

const manyIds = z.array(id("job")).check(z.minLength(1), z.maxLength(500));

/** The same for many jobs: a verb, or a priority. */
export const JobSteering = z.union([
  z.object({
    jobIds: manyIds,
    verb: z.enum(["hold", "release", "cancel", "cancel_with_dependents", "retry"]),
  }),
  z.object({ jobIds: manyIds, priority: Priority }),
]);
export type JobSteering = z.infer<typeof JobSteering>;

export const steerJobs = endpoint({
  method: "POST",
  path: "/jobs/steer",
  can: "job.control",
  summary: "Do the same to many jobs; what one of them refuses is told and stops no other",
  body: JobSteering,
  reply: z.object({
    items: z.array(Job),
    refused: z.array(z.object({ jobId: id("job"), reason: z.string() })),
  }),
});

export const duplicateJobs = endpoint({
  method: "POST",
  path: "/jobs/duplicate",
  can: "job.control",
  summary:
    "Queue the same again as new jobs; refused for work that belongs to one thing alone, with the reason",
  body: z.object({
    jobIds: z.array(id("job")).check(z.minLength(1), z.maxLength(200)),
    /** How many of each. */
    copies: z._default(z.int().check(z.minimum(1), z.maximum(50)), 1),
  }),
  reply: z.object({ items: z.array(Job) }),
  status: 201,
});

export const submitBatch = endpoint({
  method: "POST",
  path: "/projects/:projectId/jobs",
  can: "generate",
  summary:
    "Queue a list of jobs with dependencies among them: all or none, errors by their place in the list",
  params: z.object({ projectId: id("project") }),
  body: z.object({ jobs: z.array(JobOrder).check(z.minLength(1), z.maxLength(1000)) }),
  reply: z.object({ items: z.array(Job) }),
  status: 201,
});

export const exportQueue = endpoint({
  method: "GET",
  path: "/queue/export",
  can: "job.read",
  summary: "The waiting jobs that one may see, as a document that can be imported again",
  query: z.object({ projectId: z.optional(id("project")), lane: z.optional(Lane) }),
  reply: QueueDocument,
});

export const importQueue = endpoint({
  method: "POST",
  path: "/queue/import",
  can: "job.control",
  summary:
    "Queue the jobs of an exported document as new ones; what can't be is told by its place in the document",
  body: z.object({
    document: QueueDocument,
    /** Only say what would become of each. */
    dryRun: z._default(z.boolean(), false),
    /** Queue the rest when some can't be; else any that can't is an error and nothing is queued. */
    skipRefused: z._default(z.boolean(), false),
  }),
  reply: z.object({
    made: z.array(z.object({ index: z.int(), jobId: z.nullable(id("job")) })),
    refused: z.array(z.object({ index: z.int(), reason: z.string() })),
  }),
});

export const forecastQueue = endpoint({
  method: "GET",
  path: "/queue/forecast",
  can: "job.read",
  summary: "When the waiting jobs are to start and to end, and when each lane is to be through",
  query: z.object({ lane: z.optional(Lane), projectId: z.optional(id("project")) }),
  reply: z.object({
    lanes: z.array(z.object({ lane: Lane, endsIn: z.nullable(Estimate) })),
    /** Of all lanes; with a project, of its jobs alone. Null when nothing runs or waits. */
    endsIn: z.nullable(Estimate),
    jobs: z.array(z.object({ jobId: id("job"), startsIn: Estimate, endsIn: Estimate })),
  }),
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
  summary:
    "Start nothing more of a lane, a user or on a worker, at once or when a job has ended; what runs goes on",
  body: PauseRequest,
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

/** Jobs of one project, or of none, changed their state, order or priority at once: a hundred at most. */
export const jobChanged = eventKind(
  "job.changed",
  z.object({
    jobs: z.array(z.object({
      jobId: id("job"),
      kind: z.string(),
      status: JobStatus,
      projectId: z.nullable(id("project")),
      seedId: z.nullable(id("seed")),
      takeId: z.nullable(id("take")),
      cutId: z.nullable(id("cut")),
      masterId: z.nullable(id("master")),
    })),
  }),
);

/** Something was paused, resumed or reordered: the queue is to be read again. */
export const queueChanged = eventKind("queue.changed", z.object({}));
