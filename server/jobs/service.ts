import * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import "#server/core/field_sentence.ts";
import { isId, newId } from "#server/core/id.ts";
import type { JobKind } from "#server/core/job_kind.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { announce } from "#server/live/announce.ts";
import { cutPage, requireAccess } from "#server/projects/service.ts";
import {
  type Estimate,
  type Job,
  type JobDetail,
  type JobFilter,
  type PauseRequest,
  type PauseTarget,
  queueChanged,
  type QueueState,
} from "./contract.ts";
import { forecastInTurn } from "./forecast.ts";
import * as outlook from "./outlook.ts";
import * as queries from "./queries.ts";
import { findWait } from "./queue_rows.ts";
import type { SettledJob, Settlement } from "./settle.ts";
import * as steer from "./steer.ts";
import { findSubmitted, insertJobs, type JobInsert, lockNeeded } from "./submit.ts";

/** What the queue adds to a generation at dispatch: where it runs and under which prompt ids. */
type FilledAtDispatch = "workerId" | "workerUrl" | "promptId" | "earlierPromptIds";

/** A generation as it is submitted and stored. */
export const GenerateRequest = z.omit(generate.input, {
  workerId: true,
  workerUrl: true,
  promptId: true,
  earlierPromptIds: true,
});
export type GenerateRequest = z.input<typeof GenerateRequest>;

export interface JobSubmission<I extends z.core.$ZodType = z.core.$ZodType> {
  readonly id?: string | undefined;
  readonly kind: JobKind<I, z.core.$ZodType>;
  readonly input: Omit<z.input<I>, FilledAtDispatch>;
  readonly projectId: string | null;
  /** Whose share it counts for; null is the studio itself. */
  readonly userId: string | null;
  /** −10 to 10; 0 unless said. */
  readonly priority?: number;
  /** What it works for: at most one. */
  readonly subject?: {
    readonly seedId?: string;
    readonly takeId?: string;
    readonly cutId?: string;
    readonly masterId?: string;
    readonly fileHash?: string;
  };
  /** Jobs that must be done before this one may start. */
  readonly needs?: readonly string[];
  readonly workflowVersionId?: string | undefined;
  /** The one worker that may run it. */
  readonly pinnedWorkerId?: string | null;
  /** Of two submissions of one user with the same key there is one job. */
  readonly idempotencyKey?: string | undefined;
  /** An instant before which it does not start. */
  readonly runAt?: string;
  /** It waits until someone releases it. */
  readonly isHeld?: boolean;
  /** Megapixels × frames, when known: makes estimates good across sizes. */
  readonly work?: number | undefined;
}

/**
 * Queues a job, in the caller's transaction if there is one, and returns its id. The same id or idempotency key again
 * returns the job that is there, unless it is of another kind or user: AppError("conflict"). Input that its kind can't
 * read is AppError("invalid").
 */
export async function submitJob<I extends z.core.$ZodType>(
  db: Queryable,
  submission: JobSubmission<I>,
): Promise<string> {
  const [id] = await submitJobs(db, [submission as unknown as JobSubmission]);
  if (id === undefined) throw new Error("Cannot submit the job: it got no id");
  return id;
}

/** submitJob() for many at once, in order; jobs may need earlier ones of the same list. */
export async function submitJobs(db: Queryable, submissions: readonly JobSubmission[]): Promise<string[]> {
  const jobs = submissions.map((one) => ({ ...one, id: one.id ?? newId<"job">() }));
  if (jobs.some((job) => job.needs)) {
    const own = new Set(jobs.map((job) => job.id));
    const elsewhere = [...new Set(jobs.flatMap((job) => job.needs ?? []))].filter((id) => !own.has(id));
    if (elsewhere.length > 0) return await transact(db, (tx) => submitAfter(tx, jobs, elsewhere));
  }
  const rows = jobs.map((job) => jobRow(job, Boolean(job.needs?.length)));
  const areNew = submissions.every(({ id, idempotencyKey }) =>
    id === undefined && idempotencyKey === undefined
  );
  // One is one statement, which needs no transaction around it.
  return rows.length === 1
    ? await insertOrFind(db, rows, { areNew })
    : await transact(db, (tx) => insertOrFind(tx, rows, { areNew }));
}

/** Submits jobs that need some of `elsewhere`, none of which may end meanwhile. */
async function submitAfter(
  tx: Tx,
  jobs: readonly (JobSubmission & { id: string })[],
  elsewhere: readonly string[],
): Promise<string[]> {
  const statuses = await lockNeeded(tx, elsewhere);
  const missing = elsewhere.find((id) => !statuses.has(id));
  if (missing) {
    throw new AppError("invalid", "Cannot submit the job: a job that it needs does not exist", {
      details: { jobId: missing },
    });
  }
  return await insertOrFind(
    tx,
    jobs.map((job) => jobRow(job, (job.needs ?? []).some((id) => statuses.get(id) !== "done"))),
    { areNew: false },
  );
}

async function insertOrFind(
  db: Queryable,
  rows: readonly JobInsert[],
  given: { areNew: boolean },
): Promise<string[]> {
  const earlier = new Set(await insertJobs(db, rows, given));
  const ids: string[] = [];
  for (const row of rows) ids.push(earlier.has(row.id) ? await findEarlier(db, row) : row.id);
  return ids;
}

async function findEarlier(db: Queryable, row: JobInsert): Promise<string> {
  const found = await findSubmitted(db, row);
  if (found && found.kind === row.kind && found.userId === (row.userId ?? null)) return found.id;
  throw new AppError(
    "conflict",
    "Cannot submit the job: its id or idempotency key belongs to another job. Use a new one",
  );
}

function jobRow(job: JobSubmission & { id: string }, isBlocked: boolean): JobInsert {
  const schema = job.kind.code === generate.code ? GenerateRequest : job.kind.input;
  const parsed = z.safeParse(schema, job.input);
  if (!parsed.success) {
    throw new AppError("invalid", `Cannot submit the job: its input is not one of "${job.kind.code}"`, {
      fields: parsed.error.issues.map(({ path, message }) => ({
        field: `/input/${path.join("/")}`,
        message,
      })),
    });
  }
  return {
    id: job.id,
    kind: job.kind.code,
    projectId: job.projectId ?? undefined,
    userId: job.userId ?? undefined,
    priority: job.priority || undefined,
    // With its defaults, as settlements are to find it. The thread parses it again, which must change nothing.
    input: parsed.data,
    workflowVersionId: job.workflowVersionId,
    pinnedWorkerId: job.pinnedWorkerId ?? undefined,
    seedId: job.subject?.seedId,
    takeId: job.subject?.takeId,
    cutId: job.subject?.cutId,
    masterId: job.subject?.masterId,
    fileHash: job.subject?.fileHash,
    idempotencyKey: job.idempotencyKey,
    runAt: job.runAt,
    work: job.work,
    status: job.isHeld ? "held" : isBlocked ? "blocked" : undefined,
    needs: job.needs?.length ? job.needs : undefined,
  };
}

/**
 * Asks the queue to cancel all unfinished jobs of one thing, in the caller's transaction. Waiting ones end within
 * moments, running ones as soon as their thread has let go; each goes through its settlement.
 */
export async function cancelJobsOf(
  tx: Tx,
  subject: { seedId: string } | { takeId: string } | { cutId: string } | { masterId: string },
): Promise<number> {
  const [column, id] = subjectColumn(subject);
  const jobIds = await steer.listOpenJobsOf(tx, { column, id });
  return jobIds.length > 0 ? await steer.askCancel(tx, jobIds, false) : 0;
}

function subjectColumn(
  subject: { seedId: string } | { takeId: string } | { cutId: string } | { masterId: string },
): ["seed_id" | "take_id" | "cut_id" | "master_id", string] {
  if ("seedId" in subject) return ["seed_id", subject.seedId];
  if ("takeId" in subject) return ["take_id", subject.takeId];
  if ("cutId" in subject) return ["cut_id", subject.cutId];
  return ["master_id", subject.masterId];
}

export async function listJobs(
  db: Db,
  actor: Actor,
  filter: JobFilter,
): Promise<{ items: Job[]; next?: string }> {
  if (filter.cursor !== undefined && !isId(filter.cursor)) {
    throw new AppError("invalid", "Cannot read this page: the cursor is not one that a list gave", {
      fields: [{ field: "/query/cursor", message: "must be the `next` of an earlier page" }],
    });
  }
  if (filter.projectId) await requireAccess(db, actor, filter.projectId, "job.read");
  return cutPage(await queries.listJobs(db, actor, filter), filter.limit);
}

/** A step of work that is planned: of which kind, and of which size where that is known. */
export interface PlannedStep {
  readonly kind: string;
  readonly workflowVersionId?: string;
  /** Megapixels × frames. */
  readonly work?: number | undefined;
  /** Without having seen such work, nothing can be told. */
  readonly isNeeded?: boolean;
}

/**
 * What the steps take one after the other, from what such work took lately; null when a needed one was never seen.
 * Others that were never seen count nothing.
 */
export async function estimateInTurn(db: Queryable, steps: readonly PlannedStep[]): Promise<Estimate | null> {
  const samples = await outlook.findSamples(db, steps);
  if (steps.some(({ isNeeded }, index) => isNeeded && samples[index]?.length === 0)) return null;
  return forecastInTurn(samples.map((one) => ({ samples: one, times: 1 })));
}

/** The only way from a job's id to the job: strangers are told that there is none. */
export async function openJob(db: Queryable, actor: Actor, jobId: string): Promise<Job> {
  const job = await queries.findJob(db, actor, jobId);
  if (!job) throw notFound("job");
  return job;
}

export async function getJob(db: Db, actor: Actor, jobId: string): Promise<JobDetail> {
  const job = await openJob(db, actor, jobId);
  const isOpen = job.status === "queued" || job.status === "running";
  const [parts, { wait, waitsFor, place }, line] = await Promise.all([
    queries.findJobParts(db, jobId),
    findWait(db, actor, jobId),
    isOpen ? outlook.forecastLane(db, job.lane) : undefined,
  ]);
  if (!parts) throw notFound("job");
  const foretold = line?.guessed.has(jobId) ? undefined : line?.jobs.get(jobId);
  const times = { startsIn: foretold?.startsIn ?? null, endsIn: foretold?.endsIn ?? null };
  return { ...job, ...parts, ...times, aheadCount: place === null ? null : place - 1, wait, waitsFor };
}

/** The job, if the actor may steer it: their own, or any for those who run the queue. */
export async function openToControl(db: Queryable, actor: Actor, jobId: string): Promise<Job> {
  const job = await openJob(db, actor, jobId);
  if (job.userId === actor.userId || actor.permissions.has("queue.admin")) return job;
  throw new AppError("forbidden", "Cannot change this job: it is someone else's. Ask them or an admin");
}

export async function cancelJob(
  db: Db,
  actor: Actor,
  jobId: string,
  { withDependents }: { withDependents: boolean },
): Promise<Job> {
  const job = await openToControl(db, actor, jobId);
  await transact(db, async (tx) => {
    const asked = await steer.askCancel(tx, [jobId], withDependents);
    if (asked > 0) await audit(tx, actor, "job.cancel", about(job, { withDependents, asked }));
  });
  return await openJob(db, actor, jobId);
}

export async function holdJob(db: Db, actor: Actor, jobId: string): Promise<Job> {
  return await change(db, actor, jobId, "job.hold", "is not waiting, so it can't be held", steer.holdJob);
}

export async function releaseJob(db: Db, actor: Actor, jobId: string): Promise<Job> {
  return await change(db, actor, jobId, "job.release", "is not held", steer.releaseJob);
}

/**
 * Queues an ended job again. `settlements` let its slice take back what the failure or cancel made of its things.
 */
export async function retryJob(
  db: Db,
  actor: Actor,
  jobId: string,
  settlements: readonly Settlement[] = [],
): Promise<Job> {
  const problem = "has not failed and was not cancelled, so there is nothing to retry";
  return await change(db, actor, jobId, "job.retry", problem, async (tx, id) => {
    const isQueued = await steer.retryJob(tx, id);
    if (!isQueued) return false;
    const job = await queries.findJob(tx, actor, id);
    const parts = await queries.findJobParts(tx, id);
    const settlement = settlements.find((one) => one.kind.code === job?.kind);
    if (job && parts) await settlement?.retried?.(tx, { ...job, input: parts.input } satisfies SettledJob);
    await steer.blockIfNeeded(tx, id);
    return true;
  });
}

async function change(
  db: Db,
  actor: Actor,
  jobId: string,
  action: string,
  problem: string,
  work: (tx: Tx, jobId: string) => Promise<boolean>,
): Promise<Job> {
  const before = await openToControl(db, actor, jobId);
  await transact(db, async (tx) => {
    if (!await work(tx, jobId)) throw new AppError("conflict", `The job "${before.label}" ${problem}`);
    await audit(tx, actor, action, about(before, { status: before.status, priority: before.priority }));
  });
  return await openJob(db, actor, jobId);
}

/** What an audit entry says of a job. */
export function about(job: Job, facts: Record<string, unknown>) {
  const subject: [string, string] = ["job", job.id];
  return { ...(job.projectId ? { projectId: job.projectId } : {}), subject, facts };
}

export type Move = { readonly beforeJobId: string } | { readonly afterJobId: string };

/**
 * Moves a waiting job before or after another of its lane. One's own jobs swap the places that they have, so that
 * nobody else waits longer; who runs the queue may put any job anywhere.
 */
export async function moveJob(db: Db, actor: Actor, jobId: string, move: Move): Promise<Job> {
  const job = await openToControl(db, actor, jobId);
  const otherId = "beforeJobId" in move ? move.beforeJobId : move.afterJobId;
  const side = "beforeJobId" in move ? "before" : "after";
  if (otherId === jobId) throw new AppError("invalid", "Cannot move a job past itself: name another one");
  await openJob(db, actor, otherId);
  await transact(db, async (tx) => {
    const places = await steer.lockPlaces(tx, [jobId, otherId]);
    const moved = places.get(jobId);
    const other = places.get(otherId);
    if (!moved?.isWaiting || !other?.isWaiting || moved.lane !== other.lane) {
      throw new AppError("conflict", "Cannot move the job: both must be waiting in the same lane");
    }
    if (moved.userId !== null && moved.userId === other.userId) await permute(tx, moved, other, side);
    else if (actor.permissions.has("queue.admin")) await squeezeIn(tx, moved, other, side);
    else throw new AppError("forbidden", "Cannot move the job past someone else's: ask an admin");
    await audit(tx, actor, "job.reorder", about(job, { side, otherId }));
    await announce(tx, queueChanged, "studio", {});
  });
  return await openJob(db, actor, jobId);
}

async function permute(
  tx: Tx,
  moved: steer.Place,
  other: steer.Place,
  side: "before" | "after",
): Promise<void> {
  const places = await steer.listPlacesOfUser(tx, moved.lane, String(moved.userId));
  const order = places.map((place) => place.id).filter((id) => id !== moved.id);
  order.splice(order.indexOf(other.id) + (side === "after" ? 1 : 0), 0, moved.id);
  const keys = places.map((place) => place.orderKey);
  // Equal keys are told apart by id, which the new order need not follow.
  for (let i = 1; i < keys.length; i++) keys[i] = Math.max(keys[i] ?? 0, (keys[i - 1] ?? 0) + 1);
  await steer.setPlaces(tx, order.map((id, index) => ({ id, orderKey: keys[index] ?? 0 })));
}

async function squeezeIn(
  tx: Tx,
  moved: steer.Place,
  other: steer.Place,
  side: "before" | "after",
): Promise<void> {
  const next = await steer.findNeighbourKey(tx, other, side);
  const middle = next === undefined ? undefined : Math.floor((next + other.orderKey) / 2);
  const low = Math.min(next ?? 0, other.orderKey);
  if (middle !== undefined && middle > low) {
    return await steer.setPlaces(tx, [{ id: moved.id, orderKey: middle }]);
  }
  await steer.shiftPlaces(tx, other, side);
  await steer.setPlaces(tx, [{ id: moved.id, orderKey: other.orderKey + 1 }]);
}

export async function getQueue(db: Db): Promise<QueueState> {
  return await outlook.findQueueState(db);
}

/** Pauses at once, or once `afterJobId` has ended: a job of that lane or user, or one that runs on that worker. */
export async function pauseQueue(db: Db, actor: Actor, request: PauseRequest): Promise<QueueState> {
  const { afterJobId, ...target } = request;
  if (afterJobId !== undefined) requireOfTarget(await openJob(db, actor, afterJobId), target);
  return await changePause(
    db,
    actor,
    request,
    "queue.pause",
    (tx) => steer.insertPause(tx, target, actor, afterJobId ?? null),
  );
}

function requireOfTarget(job: Job, target: PauseTarget): void {
  if (["done", "failed", "cancelled"].includes(job.status)) {
    throw new AppError("conflict", `The job "${job.label}" has ended already: pause now instead`);
  }
  const isOf = "lane" in target
    ? job.lane === target.lane
    : "userId" in target
    ? job.userId === target.userId
    : job.workerId === target.workerId && job.status === "running" || job.pinnedWorkerId === target.workerId;
  if (isOf) return;
  throw new AppError("invalid", "Cannot pause after this job: it is not of what is to be paused", {
    fields: [{
      field: "/body/afterJobId",
      message: "must be a job of that lane or person, or one that runs on that worker",
    }],
  });
}

export async function resumeQueue(db: Db, actor: Actor, target: PauseTarget): Promise<QueueState> {
  return await changePause(db, actor, target, "queue.resume", (tx) => steer.deletePause(tx, target));
}

async function changePause(
  db: Db,
  actor: Actor,
  target: PauseRequest,
  action: string,
  work: (tx: Tx) => Promise<void>,
): Promise<QueueState> {
  await transact(db, async (tx) => {
    await work(tx);
    await audit(tx, actor, action, { facts: { ...target } });
    await announce(tx, queueChanged, "studio", {});
  });
  return await outlook.findQueueState(db);
}
