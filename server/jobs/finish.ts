import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { type Db, type Json, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { isPassing } from "#server/db/sql_error.ts";
import type { ClaimedJob } from "./claim.ts";
import { backoffMs, findLargerWorker, lockRule, withMend } from "./failure_rules.ts";
import type { JobFailure, SettledJob, Settlement } from "./settle.ts";

/** How a run ended, as the thread or the queue itself says. */
export type RunEnd =
  | { readonly how: "done"; readonly output: unknown }
  | { readonly how: "cancelled" }
  | { readonly how: "give_up" | "retry"; readonly failureClass: string; readonly message: string }
  | {
    readonly how: "try_later";
    readonly failureClass: string;
    readonly message: string;
    readonly afterMs: number;
  };

/** What became of the job. `stale`: it was not ours any more, nothing was changed. */
export type Outcome =
  | { readonly status: "done" | "failed" | "cancelled" | "stale" }
  | { readonly status: "queued"; readonly inMs: number };

/** Settlements by job kind; at most one each. */
export type SettlementMap = ReadonlyMap<string, Settlement>;

/** The settlements by kind. Throws when two are for the same kind. */
export function mapSettlements(settlements: readonly Settlement[]): SettlementMap {
  const map = new Map(settlements.map((one) => [one.kind.code, one]));
  if (map.size !== settlements.length) {
    throw new Error("Cannot use these settlements: two of them are for the same job kind");
  }
  return map;
}

/**
 * Ends one run of a job in one transaction: state, attempt, news, successors, and what the slice makes of it.
 * Fenced: for a run that is not the job's current one nothing happens. A settlement that throws fails the job as
 * internal and leaves nothing of itself behind. Errors of the database pass through, to be tried again.
 */
export async function endRun(
  db: Db,
  settlements: SettlementMap,
  job: ClaimedJob,
  end: RunEnd,
  log: Log,
): Promise<Outcome> {
  const settlement = settlements.get(job.kind);
  try {
    return await transact(db, (tx) => applyEnd(tx, settlement, job, end));
  } catch (error) {
    if (isPassing(error)) throw error;
    log.error("settlement threw", { jobId: job.id, kind: job.kind, how: end.how, error });
    const failure: RunEnd = {
      how: "give_up",
      failureClass: "internal",
      message: `The work was done, but its result could not be taken in: ${errorMessage(error)}`,
    };
    return await transact(db, (tx) => applyEnd(tx, settlement, job, failure)).catch(async (again) => {
      if (isPassing(again)) throw again;
      log.error("settlement of the failure threw", { jobId: job.id, kind: job.kind, error: again });
      return await transact(db, (tx) => applyEnd(tx, undefined, job, failure));
    });
  }
}

async function applyEnd(
  tx: Tx,
  settlement: Settlement | undefined,
  job: ClaimedJob,
  end: RunEnd,
): Promise<Outcome> {
  switch (end.how) {
    case "done":
      if (!await closeRun(tx, job, { status: 5, outcome: 1, output: end.output })) return { status: "stale" };
      await settlement?.done(tx, settledJob(job), end.output);
      return { status: "done" };
    case "cancelled":
      if (!await closeRun(tx, job, { status: 7, outcome: 3 })) return { status: "stale" };
      await settlement?.cancelled(tx, settledJob(job));
      return { status: "cancelled" };
    case "try_later":
      return await requeue(tx, job, end, end.afterMs, 0);
    case "give_up":
      return await failForGood(tx, settlement, job, end);
    case "retry":
      return await tryAgain(tx, settlement, job, end);
  }
}

/**
 * Tries the job again by the rule of the failure's class, or gives it up when the rule is spent. What ran out of
 * memory once is tried again with empty memory, and from then on only where there is more of it.
 */
async function tryAgain(
  tx: Tx,
  settlement: Settlement | undefined,
  job: ClaimedJob,
  failure: JobFailure,
): Promise<Outcome> {
  const rule = await lockRule(tx, job, failure.failureClass);
  if (!rule) return { status: "stale" };
  const spent = rule.spends ? 1 : 0;
  const waitMs = backoffMs(rule);
  if (waitMs === undefined) return await failForGood(tx, settlement, job, failure);
  if (failure.failureClass !== "out_of_memory" || rule.failuresOfClass === 0) {
    // What waits without end is to say meanwhile what would end it.
    const message = rule.retries === null ? withMend(failure.message, rule.mend) : failure.message;
    return await requeue(tx, job, { ...failure, message }, waitMs, spent);
  }
  const larger = await findLargerWorker(tx, job);
  if (larger === undefined) {
    const message = `${failure.message}; it was tried with empty memory too, and no worker has more of it`;
    return await failForGood(tx, settlement, job, { ...failure, message });
  }
  const message = `${failure.message}; it goes on where there is more memory, as on ${larger}`;
  return await requeue(tx, job, { ...failure, message }, waitMs, spent);
}

/** Parks the job: it stays as it is, with what went wrong and the mend, until a person retries or forgets it. */
async function failForGood(
  tx: Tx,
  settlement: Settlement | undefined,
  job: ClaimedJob,
  { failureClass, message: because }: JobFailure,
): Promise<Outcome> {
  const rule = await lockRule(tx, job, failureClass);
  if (!rule) return { status: "stale" };
  const failure = { failureClass, message: withMend(because, rule.mend) };
  await closeRun(tx, job, { status: 6, outcome: 2, failure });
  await settlement?.failed(tx, settledJob(job), failure);
  return { status: "failed" };
}

async function requeue(
  tx: Tx,
  job: ClaimedJob,
  failure: JobFailure,
  waitMs: number,
  spent: 0 | 1,
): Promise<Outcome> {
  const isOurs = await closeRun(tx, job, { status: 2, outcome: 2, failure, waitMs, spent });
  return isOurs ? { status: "queued", inMs: waitMs } : { status: "stale" };
}

interface Close {
  /** Numbers of job_status and attempt_outcome. */
  readonly status: 2 | 5 | 6 | 7;
  readonly outcome: 1 | 2 | 3;
  readonly output?: unknown;
  readonly failure?: JobFailure;
  readonly waitMs?: number;
  readonly spent?: 0 | 1;
}

/**
 * Moves the job out of "running", closes its attempt and, when it is done, queues what only waited for it. False when
 * this run is not the current one.
 */
async function closeRun(db: Queryable, job: ClaimedJob, close: Close): Promise<boolean> {
  const failureClass = close.failure?.failureClass ?? null;
  const error = close.failure?.message.slice(0, 4000) ?? null;
  const output = close.status === 5 ? db.json((close.output ?? {}) as Json) : null;
  const rows = await db`
    with ended as (
      update jobs j
         set status_id = ${close.status}, output = ${output}, lease_until = null, lease_node_id = null,
             finished_at = case when ${close.status !== 2} then now() end,
             run_at = case when ${close.status === 2} then now() + ${
    close.waitMs ?? 0
  }::float8 * interval '1 millisecond'
                           else j.run_at end,
             failures = j.failures + ${close.spent ?? 0},
             failure_class_id = (select id from failure_class where code = ${failureClass}), error = ${error}
       where j.id = ${job.id} and j.status_id = 4 and j.lease_epoch = ${job.epoch}
         and j.attempt_id = ${job.attemptId}
      returning j.*),
    closed as (
      insert into job_attempts (id, job_id, number, worker_id, node_id, started_at, finished_at, outcome_id, error,
             is_counted, failure_class_id)
      select e.attempt_id, e.id, e.attempt, e.worker_id, ${job.nodeId}, e.attempt_started_at, now(), ${close.outcome},
             ${error}, ${close.spent !== 0}, e.failure_class_id
        from ended e
      returning job_id)
    select ${
    close.status === 5 ? db`ready_successors(array_agg(job_id))` : db`0`
  } from closed having count(*) > 0`;
  return rows.length > 0;
}

/**
 * Cancels a job that is not running and was asked to be, with what its slice makes of it. False when it was not
 * waiting any more. A settlement that throws does not keep the job from being cancelled.
 */
export async function cancelWaiting(
  db: Db,
  settlements: SettlementMap,
  jobId: string,
  log: Log,
): Promise<boolean> {
  const cancel = (settle: boolean) =>
    transact(db, async (tx) => {
      const [job] = await tx<(SettledJob & { kind: string })[]>`
        with ended as (
          update jobs j set status_id = 7, finished_at = now()
           where j.id = ${jobId} and j.status_id in (1, 2, 3) and j.cancel_asked_at is not null
          returning j.*)
        select e.id, k.code as kind, e.project_id, e.user_id, e.seed_id, e.take_id, e.cut_id, e.master_id, e.file_hash,
               e.worker_id, e.workflow_version_id, e.attempt, e.input
          from ended e join job_kind k on k.id = e.kind_id`;
      if (job && settle) await settlements.get(job.kind)?.cancelled(tx, job);
      return job !== undefined;
    });
  try {
    return await cancel(true);
  } catch (error) {
    if (isPassing(error)) throw error;
    log.error("settlement of a cancel threw", { jobId, error });
    return await cancel(false);
  }
}

function settledJob(job: ClaimedJob): SettledJob {
  const { id, kind, projectId, userId, seedId, takeId, cutId, masterId, fileHash } = job;
  const { workerId, workflowVersionId, attempt, input } = job;
  return {
    id,
    kind,
    projectId,
    userId,
    seedId,
    takeId,
    cutId,
    masterId,
    fileHash,
    workerId,
    workflowVersionId,
    attempt,
    input,
  };
}
