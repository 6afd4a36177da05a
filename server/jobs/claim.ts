import type { Lane } from "#server/core/job_kind.ts";
import type { Json, Queryable } from "#server/db/db.ts";

/** How long a claim is good without a beat, by the database's clock. */
export const LEASE_MS = 15_000;

/** A job that this process has claimed, and may finish as long as nobody has claimed it since. */
export interface ClaimedJob {
  readonly id: string;
  readonly kind: string;
  readonly lane: Lane;
  /** The fencing number: every statement that ends this run names it. */
  readonly epoch: number;
  readonly attemptId: string;
  readonly attempt: number;
  /** The process that holds the lease. */
  readonly nodeId: string;
  readonly orderKey: number;
  /** Where its user's share of the lane has got to with it, in virtual microseconds. */
  readonly fairEnd: number;
  readonly input: Json;
  readonly projectId: string | null;
  readonly userId: string | null;
  readonly seedId: string | null;
  readonly takeId: string | null;
  readonly cutId: string | null;
  readonly masterId: string | null;
  readonly fileHash: string | null;
  readonly workflowVersionId: string | null;
  readonly workerId: string | null;
  readonly work: number | null;
}

export interface ClaimRequest {
  readonly nodeId: string;
  readonly lane: Lane;
  /** Codes of the kinds that can be run here now. */
  readonly kinds: readonly string[];
  readonly limit: number;
  /**
   * Keys below this are known to be taken: lets a claim step over what a long-open snapshot keeps PostgreSQL from
   * cleaning away. Only an aid; it must be forgotten whenever a job may have got a smaller key.
   */
  readonly floor?: number | undefined;
}

/**
 * Claims up to `limit` ready jobs of a lane, in order, in one statement: chosen, locked, leased and numbered. Jobs that another claim holds are stepped over, so that nobody waits and no job is claimed twice.
 */
export async function claimJobs(db: Queryable, request: ClaimRequest): Promise<ClaimedJob[]> {
  if (request.limit < 1 || request.kinds.length === 0) return [];
  return await db<ClaimedJob[]>`with ${claimSteps(db, request)} ${claimedRows(db)}`;
}

/** What ends well without a settlement. */
export interface Completion {
  readonly job: Pick<ClaimedJob, "id" | "epoch">;
  readonly output: unknown;
}

/**
 * Ends jobs whose kind has no settlement and claims the next ones: one statement, one commit, one round trip.
 * `ended` holds the ids that were still ours to end.
 */
export async function finishAndClaim(
  db: Queryable,
  completions: readonly Completion[],
  request: ClaimRequest,
): Promise<{ ended: string[]; claimed: ClaimedJob[] }> {
  // The ids that ended are in the first row alone: in each they would be the square of the batch.
  // "+ 0" keeps the plan to the primary key: the running jobs' part of jobs_open is full of those that just ended.
  const rows = await db<(ClaimedJob & { ended: string[] | null })[]>`
    with given as (
      select g.id, g.epoch, g.output
        from jsonb_to_recordset(${
    db.json(completionRows(completions))
  }) as g (id uuid, epoch integer, output jsonb)),
    finished as (
      update jobs j
         set status_id = 5, output = g.output, finished_at = now(), lease_until = null, lease_node_id = null,
             failure_class_id = null, error = null
        from given g
       where j.id = any(array(select id from given)) and j.id = g.id and j.status_id + 0 = 4 and j.lease_epoch = g.epoch
      returning j.id, j.attempt_id, j.attempt, j.worker_id, j.attempt_started_at),
    closed as (
      insert into job_attempts (id, job_id, number, worker_id, node_id, started_at, finished_at, outcome_id)
      select attempt_id, id, attempt, worker_id, ${request.nodeId}, attempt_started_at, now(), 1 from finished),
    readied as (select coalesce(array_agg(id), '{}') as ids, ready_successors(array_agg(id)) from finished),
    ${claimSteps(db, request)}
    select case when row_number() over (order by c.order_key, c.id) = 1 then r.ids end as ended, c.*
      from readied r left join (${claimedRows(db)}) c on true
     order by c.order_key, c.id`;
  return {
    ended: rows[0]?.ended ?? [],
    claimed: rows.filter((row) => row.id !== null).map(({ ended: _ended, ...job }) => job),
  };
}

function completionRows(completions: readonly Completion[]): Json {
  // Outputs were parsed by their schema and are plain JSON.
  return completions.map(({ job, output }) => ({
    id: job.id,
    epoch: job.epoch,
    output: (output ?? {}) as Json,
  }));
}

// "= any(array(…))" and not a join: a plan made for any limit would else read the whole table.
function claimSteps(db: Queryable, request: ClaimRequest) {
  return db`
    picked as materialized (
      select j.id
        from jobs j
       where j.status_id = 2
         and j.lane_id = (select id from lane where code = ${request.lane})
         and j.run_at <= now()
         and j.cancel_asked_at is null
         ${request.floor === undefined ? db`` : db`and j.order_key >= ${request.floor}::bigint`}
         and j.kind_id = any(array(select id from job_kind where code = any(${request.kinds as string[]})))
         and ${isNotPaused(db)}
       order by j.order_key, j.id
       limit ${request.limit}
         for update of j skip locked),
    claimed as (
      update jobs j set ${leaseColumns(db, request.nodeId)}
       where j.id = any(array(select p.id from picked p))
      returning j.*)`;
}

function isNotPaused(db: Queryable) {
  return db`not exists (select 1 from queue_pauses p where p.lane_id = j.lane_id or p.user_id = j.user_id)`;
}

function leaseColumns(db: Queryable, nodeId: string) {
  return db`
    status_id = 4, attempt = j.attempt + 1, lease_epoch = j.lease_epoch + 1, lease_node_id = ${nodeId},
    lease_until = now() + ${LEASE_MS} * interval '1 millisecond', started_at = coalesce(j.started_at, now()),
    attempt_id = new_attempt_id(), attempt_started_at = now()`;
}

/** Running jobs as ClaimedJob, of the jobs `j` with their kind `k` and lane `l`. */
export function claimedColumns(db: Queryable) {
  return db`
    j.id, k.code as kind, l.code as lane, j.lease_epoch as epoch, j.attempt_id, j.attempt, j.lease_node_id as node_id,
    j.order_key, j.fair_end, j.input, j.project_id, j.user_id, j.seed_id, j.take_id, j.cut_id, j.master_id, j.file_hash,
    j.workflow_version_id, j.worker_id, j.work`;
}

function claimedRows(db: Queryable) {
  return db`
    select ${
    claimedColumns(db)
  } from claimed j join job_kind k on k.id = j.kind_id join lane l on l.id = j.lane_id
     order by j.order_key, j.id`;
}

/** A ready generation job, as placement looks at it. */
export interface Candidate {
  readonly id: string;
  readonly orderKey: number;
  readonly priority: number;
  readonly costMs: number;
  readonly workflowVersionId: string | null;
  /** Where it ran last, and whether that run may still be going on or be done there. */
  readonly lastWorkerId: string | null;
  readonly isAdoptable: boolean;
  /** Workers on which it has failed. */
  readonly failedWorkerIds: readonly string[];
}

/** The first ready generation jobs, in order, that one of `workerIds` can run. */
export async function listCandidates(
  db: Queryable,
  workerIds: readonly string[],
  limit: number,
): Promise<Candidate[]> {
  return await db<Candidate[]>`
    select j.id, j.order_key, j.priority, j.cost_ms, j.workflow_version_id, j.worker_id as last_worker_id,
           exists (select 1 from job_attempts a
                    where a.job_id = j.id and a.number = j.attempt and a.outcome_id in (4, 5)) as is_adoptable,
           array(select distinct a.worker_id from job_attempts a
                  where a.job_id = j.id and a.number > j.retried_after and a.outcome_id = 2
                    and a.worker_id is not null) as failed_worker_ids
      from jobs j
     where j.status_id = 2
       and j.lane_id = (select id from lane where code = 'gpu')
       and j.run_at <= now()
       and j.cancel_asked_at is null
       and ${isNotPaused(db)}
       and (j.workflow_version_id is null or exists (
         select 1 from worker_capabilities c
          where c.workflow_version_id = j.workflow_version_id and c.is_able
            and c.worker_id = any(${workerIds as string[]}::uuid[])))
     order by j.order_key, j.id
     limit ${limit}`;
}

/** A worker that could take a job now. */
export interface FreeWorker {
  readonly id: string;
  readonly url: string;
  /** The number of this process's ownership. */
  readonly ownerEpoch: number;
  readonly freeSlots: number;
  /** What it ran last, hence has in memory. */
  readonly lastWorkflowVersionId: string | null;
  /** Workflow versions that it can run. */
  readonly able: readonly string[];
}

/** The workers that this process drives, that are online and not paused, with the slots that they have left. */
export async function listFreeWorkers(db: Queryable, nodeId: string): Promise<FreeWorker[]> {
  return await db<FreeWorker[]>`
    select w.id, w.url, w.owner_epoch, w.max_parallel - r.n::integer as free_slots, last.workflow_version_id as last_workflow_version_id,
           array(select c.workflow_version_id from worker_capabilities c where c.worker_id = w.id and c.is_able) as able
      from workers w
      join worker_status s on s.id = w.status_id and s.code = 'online'
     cross join lateral (select count(*) as n from jobs j where j.worker_id = w.id and j.status_id = 4) r
      left join lateral (
        select x.workflow_version_id
          from (select j.attempt_id, j.workflow_version_id from jobs j where j.worker_id = w.id and j.status_id = 4
                union all
                (select a.id, j.workflow_version_id from job_attempts a join jobs j on j.id = a.job_id
                  where a.worker_id = w.id order by a.id desc limit 1)) x
         order by x.attempt_id desc limit 1) last on true
     where w.owner_node_id = ${nodeId} and w.max_parallel > r.n
       and not exists (select 1 from queue_pauses p where p.worker_id = w.id)
     order by w.id`;
}

export interface Placement {
  readonly jobId: string;
  readonly workerId: string;
}

/**
 * Claims exactly the placed jobs that are still ready, each for its worker, in one statement. `workers` are those
 * that the placement was made for: nothing is claimed for one that another process has taken over since.
 */
export async function claimPlaced(
  db: Queryable,
  nodeId: string,
  placements: readonly Placement[],
  workers: readonly Pick<FreeWorker, "id" | "ownerEpoch">[],
): Promise<ClaimedJob[]> {
  if (placements.length === 0) return [];
  return await db<ClaimedJob[]>`
    with owned as materialized (
      select w.id
        from workers w
        join unnest(${workers.map((one) => one.id)}::uuid[], ${
    workers.map((one) => one.ownerEpoch)
  }::integer[])
          as o (id, epoch) on o.id = w.id and o.epoch = w.owner_epoch
       where w.owner_node_id = ${nodeId}
         for share of w),
    asked as (
      select a.* from unnest(${placements.map((one) => one.jobId)}::uuid[],
                             ${placements.map((one) => one.workerId)}::uuid[]) as a (job_id, worker_id)
       where a.worker_id in (select id from owned)),
    picked as materialized (
      select j.id from jobs j
       where j.id in (select job_id from asked) and j.status_id = 2 and j.run_at <= now() and j.cancel_asked_at is null
         for update of j skip locked),
    claimed as (
      update jobs j set ${leaseColumns(db, nodeId)}, worker_id = a.worker_id
        from asked a where a.job_id = j.id and j.id = any(array(select p.id from picked p))
      returning j.*)
    ${claimedRows(db)}`;
}

/**
 * The ids under which earlier attempts of a job may still run, or be done, on the same worker: those that this
 * process lost sight of. What failed for a reason of its own is not taken up again.
 */
export async function listEarlierPrompts(db: Queryable, job: ClaimedJob): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    select a.id from job_attempts a left join failure_class f on f.id = a.failure_class_id
     where a.job_id = ${job.id} and a.number < ${job.attempt} and a.worker_id = ${job.workerId}
       and (a.outcome_id in (4, 5)
            or (a.outcome_id = 2 and f.code in ('worker_gone', 'thread_died', 'storage_full')))
     order by a.number desc limit 20`;
  return rows.map((row) => row.id);
}
