import type { Lane } from "#server/core/job_kind.ts";
import type { Fragment, Json, Queryable } from "#server/db/db.ts";
import { lookupCodes } from "#server/db/lookup_codes.ts";

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
  /** Jobs whose end is being written: a pause that waits for one of them is in force for this claim. */
  readonly ending?: readonly string[] | undefined;
}

/**
 * Claims up to `limit` ready jobs of a lane, in order, in one statement: chosen, locked, leased and numbered. Jobs that another claim holds are stepped over, so that nobody waits and no job is claimed twice.
 */
export async function claimJobs(db: Queryable, request: ClaimRequest): Promise<ClaimedJob[]> {
  if (request.limit < 1 || request.kinds.length === 0) return [];
  const codes = await readCodes(db);
  const rows = await db<ClaimedRow[]>`
    with ${claimSteps(db, codes, request, db`and ${isHasty(db)}`)} select ${
    claimedColumns(db)
  } from claimed j`;
  return inOrder(rows.map((row) => claimedJob(row, codes)));
}

/** What ends well without a settlement. */
export interface Completion {
  readonly job: Pick<ClaimedJob, "id" | "epoch" | "attemptId">;
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
  const codes = await readCodes(db);
  // The ids that ended are in one row alone: in each they would be the square of the batch.
  // "+ 0" keeps the plan to the primary key: the running jobs' part of jobs_open is full of those that just ended.
  const rows = await db<(ClaimedRow & { ended: string[] | null })[]>`
    with given as (
      select g.id, g.epoch, g.attempt, g.output
        from jsonb_to_recordset(${
    db.json(completionRows(completions))
  }) as g (id uuid, epoch integer, attempt uuid, output jsonb)),
    finished as (
      update jobs j
         set status_id = 5, output = g.output, finished_at = now(), lease_until = null, lease_node_id = null,
             failure_class_id = null, error = null
        from given g
       where j.id = any(array(select id from given)) and j.id = g.id and j.status_id + 0 = 4 and j.lease_epoch = g.epoch
         and j.attempt_id = g.attempt
      returning j.id, j.attempt_id, j.attempt, j.worker_id, j.attempt_started_at),
    closed as (
      insert into job_attempts (id, job_id, number, worker_id, node_id, started_at, finished_at, outcome_id)
      select attempt_id, id, attempt, worker_id, ${request.nodeId}, attempt_started_at, now(), 1 from finished),
    readied as (select coalesce(array_agg(id), '{}') as ids, ready_successors(array_agg(id)) from finished),
    ${claimSteps(db, codes, request)}
    select case when j.id is not distinct from (select c.id from claimed c limit 1) then r.ids end as ended, ${
    claimedColumns(db)
  }
      from readied r left join claimed j on true`;
  return {
    ended: rows.find((row) => row.ended !== null)?.ended ?? [],
    claimed: inOrder(rows.flatMap((row) => row.id === null ? [] : claimedJob(row, codes))),
  };
}

function completionRows(completions: readonly Completion[]): Json {
  // Outputs were parsed by their schema and are plain JSON.
  return completions.map(({ job, output }) => ({
    id: job.id,
    epoch: job.epoch,
    attempt: job.attemptId,
    output: (output ?? {}) as Json,
  }));
}

// "= any(array(…))" and not a join: a plan made for any limit would else read the whole table.
function claimSteps(db: Queryable, codes: Codes, request: ClaimRequest, more = db``) {
  const laneId = idOf(codes.lanes, request.lane);
  const kindIds = request.kinds.map((kind) => idOf(codes.kinds, kind));
  return db`
    picked as materialized (
      select j.id
        from jobs j
       where ${isReady(db)}
         and j.lane_id = ${laneId}
         and j.run_at <= now()
         and j.cancel_asked_at is null
         ${request.floor === undefined ? db`` : db`and j.order_key >= ${request.floor}::bigint`}
         and j.kind_id = any(${kindIds}::smallint[])
         and ${isNotPaused(db, laneId, request.ending)}
         ${more}
       order by j.order_key, j.id
       limit ${request.limit}
         for update of j skip locked),
    claimed as (
      update jobs j set ${leaseColumns(db, request.nodeId)}
       where j.id = any(array(select p.id from picked p))
      returning j.*)`;
}

/**
 * Whether a job is queued, so written that of the indexes only the one in order of turn fits. Of two that fit a kept
 * plan takes what looked cheaper while hardly anything waited, and then sorts all that waits for each claim.
 */
export function isReady(db: Queryable, job: Fragment = db`j`) {
  return db`${job}.status_id = (select 2::smallint) and ${job}.status_id < 5`;
}

/** The lookups of a claim, known here: looked up and joined for each claim they took a sixth of its time. */
interface Codes {
  readonly kinds: ReadonlyMap<number, string>;
  readonly lanes: ReadonlyMap<number, string>;
}

async function readCodes(db: Queryable): Promise<Codes> {
  const [kinds, lanes] = await Promise.all([lookupCodes(db, "job_kind"), lookupCodes(db, "lane")]);
  return { kinds, lanes };
}

function idOf(codes: ReadonlyMap<number, string>, wanted: string): number {
  for (const [id, code] of codes) if (code === wanted) return id;
  throw new Error(`Cannot find "${wanted}": no lookup has it`);
}

/**
 * Whether neither the lane, given by its id, nor the user of the job `j` is paused. Both are worked out once for the
 * statement: what waits behind a pause may be thousands, and each claim walks past it.
 */
function isNotPaused(db: Queryable, laneId: number, ending: readonly string[] = []) {
  const hasBegun = () => db`(${isInForce(db)} or p.after_job_id = any(${ending as string[]}::uuid[]))`;
  return db`not exists (select 1 from queue_pauses p where p.lane_id = ${laneId} and ${hasBegun()})
       and (j.user_id is null or j.user_id <> all(array(
             select p.user_id from queue_pauses p where p.user_id is not null and ${hasBegun()})))`;
}

/** Whether the pause `p` has begun: one that waits for a job does when that has ended. */
export function isInForce(db: Queryable) {
  // By the job's key: as an "exists" it was read as a list of all that is open, once for each job of the queue.
  return db`(p.after_job_id is null or (select a.status_id >= 5 from jobs a where a.id = p.after_job_id))`;
}

/**
 * Lets the statement's commit not wait for the disk; always true. Only for a claim by itself: nobody is promised
 * anything by it, and what ends a run waits for the disk with all that came before. If the machine loses its power
 * in the fifth of a second until a claim is written, the job waits again as if it had never been claimed. The run of
 * that time can't end it then: it names an attempt that the job does not have, whatever number its next lease gets.
 */
function isHasty(db: Queryable) {
  return db`(select set_config('synchronous_commit', 'off', true)) is not null`;
}

function leaseColumns(db: Queryable, nodeId: string) {
  return db`
    status_id = 4, attempt = j.attempt + 1, lease_epoch = j.lease_epoch + 1, lease_node_id = ${nodeId},
    lease_until = now() + ${LEASE_MS} * interval '1 millisecond', started_at = coalesce(j.started_at, now()),
    attempt_id = new_attempt_id(), attempt_started_at = now()`;
}

/** A job `j` as ClaimedJob, but for the codes of its kind and lane. */
interface ClaimedRow extends Omit<ClaimedJob, "kind" | "lane"> {
  readonly kindId: number;
  readonly laneId: number;
}

function claimedColumns(db: Queryable) {
  return db`
    j.id, j.kind_id, j.lane_id, j.lease_epoch as epoch, j.attempt_id, j.attempt, j.lease_node_id as node_id,
    j.order_key, j.fair_end, j.input, j.project_id, j.user_id, j.seed_id, j.take_id, j.cut_id, j.master_id, j.file_hash,
    j.workflow_version_id, j.worker_id, j.work`;
}

/** With the row's other columns: leaving them out of thousands costs more than having them. */
function claimedJob(row: ClaimedRow, { kinds, lanes }: Codes): ClaimedJob {
  return { ...row, kind: kinds.get(row.kindId) ?? "", lane: lanes.get(row.laneId) as Lane };
}

/** In order of turn; `returning` keeps to none. */
function inOrder(jobs: ClaimedJob[]): ClaimedJob[] {
  return jobs.sort((a, b) => a.orderKey - b.orderKey || (a.id < b.id ? -1 : 1));
}

/** Jobs that run and of which `isMeant` is true, which may say `j`, as they were claimed. */
export async function listClaimed(db: Queryable, isMeant: Fragment): Promise<ClaimedJob[]> {
  const codes = await readCodes(db);
  const rows = await db<ClaimedRow[]>`select ${claimedColumns(db)} from jobs j where ${isMeant}`;
  return inOrder(rows.map((row) => claimedJob(row, codes)));
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
  /** Workers on which it has failed, other than for want of memory. */
  readonly failedWorkerIds: readonly string[];
  /** GPU memory that a worker must have: on less it has run out of it. Null where any will do. */
  readonly minVramBytes: number | null;
  /** Whose share it counts for; null is the studio itself. */
  readonly userId: string | null;
  /** The one worker that may run it; null where any able one may. */
  readonly pinnedWorkerId: string | null;
  /** Names of the models that its workflow loads; none for what needs no model. */
  readonly models: readonly string[];
  /** GPU memory that such work takes: learned, else what its workflow declares; null where nobody knows. */
  readonly needBytes: number | null;
}

/** The first ready generation jobs, in order, that one of `workers` can run and has the memory for. */
export async function listCandidates(
  db: Queryable,
  workers: readonly Pick<FreeWorker, "id" | "budgetBytes" | "vramTotalBytes">[],
  limit: number,
): Promise<Candidate[]> {
  const laneId = idOf(await lookupCodes(db, "lane"), "gpu");
  return await db<Candidate[]>`
    select j.id, j.order_key, j.priority, j.cost_ms, j.workflow_version_id, j.worker_id as last_worker_id,
           exists (select 1 from job_attempts a
                    where a.job_id = j.id and a.number = j.attempt and a.outcome_id in (4, 5)) as is_adoptable,
           array(select distinct a.worker_id from job_attempts a
                  where a.job_id = j.id and a.number > j.retried_after and a.outcome_id = 2
                    and a.failure_class_id is distinct from 4 and a.worker_id is not null) as failed_worker_ids,
           ${minVramBytes(db)}::float8 as min_vram_bytes,
           j.user_id, j.pinned_worker_id, array(${modelsOf(db, "v")}) as models, ${
    needBytes(db)
  }::float8 as need_bytes
      from jobs j
      left join workflow_versions v on v.id = j.workflow_version_id
      left join workflow_memory m on m.workflow_version_id = j.workflow_version_id
     where ${isReady(db)}
       and j.lane_id = ${laneId}
       and j.run_at <= now()
       and j.cancel_asked_at is null
       and ${isNotPaused(db, laneId)}
       and exists (
         select 1
           from unnest(${workers.map((one) => one.id)}::uuid[], ${
    workers.map((one) => one.budgetBytes)
  }::float8[], ${workers.map((one) => one.vramTotalBytes)}::float8[]) as f (id, budget, total)
          where (j.pinned_worker_id is null or j.pinned_worker_id = f.id)
            and (j.workflow_version_id is null or exists (
              select 1 from worker_capabilities c
               where c.workflow_version_id = j.workflow_version_id and c.is_able and c.worker_id = f.id))
            and coalesce(f.budget >= ${needBytes(db)}, true)
            and (${minVramBytes(db)} is null or f.total >= ${minVramBytes(db)}))
     order by j.order_key, j.id
     limit ${limit}`;
}

/**
 * GPU memory that a worker must have for the job `j`, which has run out of it before: once may have been bad luck,
 * for it was emptied, and as much will do; twice needs more. Null where any will do.
 */
export function minVramBytes(db: Queryable) {
  // 4 is out_of_memory. Such a failure is always counted, so that most jobs are not looked up.
  return db`case when j.failures > 0 then (
    select max(x.bytes) + (count(*) > 1)::integer
      from job_attempts a left join lateral (
        select max(d.vram_total_bytes) as bytes from worker_devices d where d.worker_id = a.worker_id) x on true
     where a.job_id = j.id and a.number > j.retried_after and a.failure_class_id = 4) end`;
}

/** Of the job's version `v` and its memory `m`: a run that held no more than so much shows that so much is enough. */
export function needBytes(db: Queryable) {
  return db`coalesce(
    (select min(x.bytes) from unnest(m.recent_bytes) as x (bytes)), (v.manifest #>> '{requires,vramBytes}')::bigint)`;
}

/** Names of the models that a version's workflow loads. */
export function modelsOf(db: Queryable, version: string) {
  return db`select m ->> 'name' from jsonb_array_elements(${db(version)}.manifest #> '{requires,models}') m`;
}

/** A worker that takes jobs: `freeSlots` is 0 while it is full, and then only what it has loaded counts. */
export interface FreeWorker {
  readonly id: string;
  readonly url: string;
  /** The number of this process's ownership. */
  readonly ownerEpoch: number;
  readonly freeSlots: number;
  /** Models of what it runs, or ran last: they are in its memory. */
  readonly loaded: readonly string[];
  /** Until its slots are free, as far as can be told; null when what it runs takes far longer than such work does. */
  readonly busyMs: number | null;
  /** What it takes for a run, by workflow version: those that it has done. */
  readonly usualMs: Readonly<Record<string, number>>;
  /** GPU memory that is not taken by what runs on it: what it held for earlier work it gives up. Null: not told. */
  readonly budgetBytes: number | null;
  /** GPU memory that is free without giving anything up, when it was last told; null: not told lately. */
  readonly freeBytes: number | null;
  /** Workflow versions that it can run. */
  readonly able: readonly string[];
  /** Memory of its largest GPU; null when it has none or has not told. */
  readonly vramTotalBytes: number | null;
}

/** The workers that this process drives, that are online and not paused, with what they have left; full ones too. */
export async function listFreeWorkers(db: Queryable, nodeId: string): Promise<FreeWorker[]> {
  return await db<FreeWorker[]>`
    select w.id, w.url, w.owner_epoch, greatest(0, w.max_parallel - r.n)::integer as free_slots, r.busy_ms,
           vram.total::float8 as vram_total_bytes, (vram.total - r.bytes)::float8 as budget_bytes,
           vitals.free::float8 as free_bytes,
           array(select distinct m from unnest(r.versions || last.version_id) as x (id)
                   join workflow_versions v on v.id = x.id, unnest(array(${modelsOf(db, "v")})) m) as loaded,
           (select coalesce(json_object_agg(d.workflow_version_id, round(d.median_ms)), '{}') from job_durations d
             where d.worker_id = w.id and d.workflow_version_id is not null) as usual_ms,
           array(select c.workflow_version_id from worker_capabilities c where c.worker_id = w.id and c.is_able) as able
      from workers w
      join worker_status s on s.id = w.status_id and s.code = 'online'
     cross join lateral (
       select count(*)::integer as n, coalesce(array_agg(j.workflow_version_id), '{}') as versions,
              coalesce(sum(${needBytes(db)}), 0) as bytes,
              case when bool_or(age.ms > 2 * coalesce(d.median_ms, j.cost_ms)) then null
                   else coalesce(max(greatest(0, coalesce(d.median_ms, j.cost_ms) - age.ms)), 0) end::float8 as busy_ms
         from jobs j
         left join workflow_versions v on v.id = j.workflow_version_id
         left join workflow_memory m on m.workflow_version_id = j.workflow_version_id
         left join job_durations d on d.kind_id = j.kind_id and d.worker_id = w.id
          and d.workflow_version_id = j.workflow_version_id
        cross join lateral (select extract(epoch from now() - j.attempt_started_at) * 1000 as ms) age
        where j.worker_id = w.id and j.status_id = 4) r
     cross join lateral (select max(d.vram_total_bytes) as total from worker_devices d where d.worker_id = w.id) vram
      left join lateral (
        select j.workflow_version_id as version_id from job_attempts a join jobs j on j.id = a.job_id
         where a.worker_id = w.id order by a.id desc limit 1) last on true
      left join lateral (
        select n.vram_total_bytes - n.vram_used_bytes as free from worker_vitals n
         where n.worker_id = w.id and n.at > now() - interval '3 minutes' order by n.at desc limit 1) vitals on true
     where w.owner_node_id = ${nodeId}
       and not exists (select 1 from queue_pauses p where p.worker_id = w.id and ${isInForce(db)})
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
  const codes = await readCodes(db);
  const rows = await db<ClaimedRow[]>`
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
         and ${isHasty(db)}
         for update of j skip locked),
    claimed as (
      update jobs j set ${leaseColumns(db, nodeId)}, worker_id = a.worker_id
        from asked a where a.job_id = j.id and j.id = any(array(select p.id from picked p))
      returning j.*)
    select ${claimedColumns(db)} from claimed j`;
  return inOrder(rows.map((row) => claimedJob(row, codes)));
}

/**
 * The ids under which earlier attempts of a job may still run, or be done, on the same worker: those that this
 * process lost sight of. What failed for a reason of its own is not taken up again. The last ones, and those that began to
 * wait for the studio's disk: however often they were tried since, their prompt is the one that is done.
 */
export async function listEarlierPrompts(db: Queryable, job: ClaimedJob): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    with lost as (
      select a.id, a.number, f.code, lag(f.code) over (order by a.number) as before,
             row_number() over (order by a.number desc) as back
        from job_attempts a left join failure_class f on f.id = a.failure_class_id
       where a.job_id = ${job.id} and a.number < ${job.attempt} and a.worker_id = ${job.workerId}
         and (a.outcome_id in (4, 5)
              or (a.outcome_id = 2 and f.code in ('worker_gone', 'prompt_forgotten', 'thread_died', 'storage_full'))))
    select id from lost
     where back <= 20 or (code = 'storage_full' and before is distinct from 'storage_full')
     order by number desc limit 40`;
  return rows.map((row) => row.id);
}
