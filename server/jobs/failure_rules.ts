import type { Tx } from "#server/db/db.ts";
import type { ClaimedJob } from "./claim.ts";

/** What is left of a class's retries, and what the next wait starts from. */
export interface RetryBudget {
  /** Null: there is no end of them. */
  readonly retries: number | null;
  readonly backoffMs: number;
  /** Failures of this class, and of all, since the job was submitted or retried by a person. */
  readonly failuresOfClass: number;
  readonly failures: number;
  readonly maxAttempts: number;
  /** Whether a retry is taken off the job's own budget (`maxAttempts`). */
  readonly spends: boolean;
}

/** The row of `failure_class` for one failure of one job. */
export interface FailureRule extends RetryBudget {
  /** What a person is to do before it is retried, by hand unless the retries have no end; empty when the failure says it. */
  readonly mend: string;
}

const MAX_BACKOFF_MS = 300_000;

/** How long to wait before the next run; undefined when the budget is spent. Doubles, spread by a fifth. */
export function backoffMs(budget: RetryBudget, random: () => number = Math.random): number | undefined {
  if (budget.retries !== null && budget.failuresOfClass >= budget.retries) return undefined;
  if (budget.spends && budget.failures + 1 >= budget.maxAttempts) return undefined;
  const wait = Math.min(MAX_BACKOFF_MS, budget.backoffMs * 2 ** budget.failuresOfClass);
  return Math.round(wait * (0.8 + 0.4 * random()));
}

/** Locks the job if this run is still its current one, and reads the rule for a failure of it; else undefined. */
export async function lockRule(
  tx: Tx,
  job: ClaimedJob,
  failureClass: string,
): Promise<FailureRule | undefined> {
  const [row] = await tx<FailureRule[]>`
    select f.retries, f.backoff_ms, f.spends, f.mend, j.failures, k.max_attempts,
           (select count(*)::integer from job_attempts a
             where a.job_id = j.id and a.number > j.retried_after and a.outcome_id = 2
               and a.failure_class_id = f.id and (a.is_counted or not f.spends)) as failures_of_class
      from jobs j join job_kind k on k.id = j.kind_id, failure_class f
     where j.id = ${job.id} and j.status_id = 4 and j.lease_epoch = ${job.epoch}
       and j.attempt_id = ${job.attemptId} and f.code = ${failureClass}
       for no key update of j`;
  return row;
}

/**
 * The name of the smallest worker that can run this job, is not on its way out and has more GPU memory than every one
 * on which it has run out of it, this time included; undefined when there is none or nobody told their sizes.
 */
export async function findLargerWorker(tx: Tx, job: ClaimedJob): Promise<string | undefined> {
  const [row] = await tx<{ name: string }[]>`
    with sizes as (select worker_id, max(vram_total_bytes) as bytes from worker_devices group by worker_id),
    tight as (
      select max(d.bytes) as bytes
        from sizes d
       where d.worker_id = ${job.workerId} or d.worker_id in (
         select a.worker_id from job_attempts a
           join failure_class f on f.id = a.failure_class_id and f.code = 'out_of_memory'
           join jobs j on j.id = a.job_id and a.number > j.retried_after
          where a.job_id = ${job.id}))
    select w.name
      from workers w join worker_status s on s.id = w.status_id join sizes d on d.worker_id = w.id, tight
     where w.removed_at is null and s.code not in ('draining', 'disabled') and d.bytes > tight.bytes
       and not exists (select 1 from jobs j where j.id = ${job.id} and j.pinned_worker_id <> w.id)
       and (${job.workflowVersionId}::uuid is null or exists (
         select 1 from worker_capabilities c
          where c.worker_id = w.id and c.workflow_version_id = ${job.workflowVersionId} and c.is_able))
     order by d.bytes, w.name limit 1`;
  return row?.name;
}

/** What went wrong and, as a sentence of its own, what to do about it. */
export function withMend(message: string, mend: string): string {
  return mend === "" ? message : `${message.replace(/[.\s]+$/, "")}. ${mend}`;
}
