import type { Json, Queryable } from "#server/db/db.ts";
import type { Actor } from "#server/core/actor.ts";
import { newId } from "#server/core/id.ts";
import type { Job, JobDetail, JobFilter, JobStatus, PauseTarget, QueueState } from "./contract.ts";

/*
 * The order of a lane. `order_key` and `fair_end` are virtual microseconds:
 *
 *   start     = max(V, the user's last fair_end)
 *   fair_end  = start + expected run time / the user's weight
 *   order_key = start − priority × 10 minutes
 *
 * V is where the lane has got to: the furthest start among running jobs, else that of the next queued one, else
 * (an idle lane) the last fair_end. This is start-time fair queueing (Goyal, Vin, Cheng 1996): each user with work
 * waiting gets time in proportion to the weight, whoever submitted first; a user who was away neither gains nor
 * loses. Ageing follows from it: a key never changes while the lane's time moves on, so a job of one step lower
 * priority is overtaken by at most ten minutes of each user's work, and a job of any priority comes to its turn.
 *
 * Numbers of job_status are written out, since only constants let PostgreSQL use the partial indexes:
 * 1 blocked, 2 queued, 3 held, 4 running, 5 done, 6 failed, 7 cancelled.
 */

/** How far one step of priority moves a job ahead, in virtual microseconds. */
export const PRIORITY_STEP_US = 600_000_000;
/** What a job counts for as long as none of its kind has run. */
export const UNKNOWN_COST_MS = 10_000;

export interface JobInsert {
  readonly id: string;
  readonly kind: string;
  readonly projectId: string | null;
  readonly userId: string | null;
  readonly priority: number;
  readonly input: unknown;
  readonly workflowVersionId: string | null;
  readonly seedId: string | null;
  readonly takeId: string | null;
  readonly cutId: string | null;
  readonly masterId: string | null;
  readonly fileHash: string | null;
  readonly idempotencyKey: string | null;
  readonly runAt: string | null;
  readonly work: number | null;
  readonly status: "blocked" | "queued" | "held";
  readonly needs: readonly string[];
}

/** Inserts the jobs that are not there yet, by id or idempotency key, and returns the ids of those. */
export async function insertJobs(db: Queryable, jobs: readonly JobInsert[]): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    with given as (
      select g.*, k.id as kind_id, k.lane_id,
             greatest(1, coalesce(d.median_ms_per_work * g.work, d.median_ms, ${UNKNOWN_COST_MS}))::integer as cost_ms
        from rows from (jsonb_to_recordset(${db.json(jobs as unknown as Json)}) as (
               id uuid, kind text, "projectId" uuid, "userId" uuid, priority smallint, input jsonb,
               "workflowVersionId" uuid, "seedId" uuid, "takeId" uuid, "cutId" uuid, "masterId" uuid,
               "fileHash" text, "idempotencyKey" text, "runAt" timestamptz, work real, status text, needs uuid[]))
             with ordinality as g (
               id, kind, project_id, user_id, priority, input, workflow_version_id, seed_id, take_id, cut_id, master_id,
               file_hash, idempotency_key, run_at, work, status, needs, n)
        join job_kind k on k.code = g.kind
        left join lateral (
          select d.median_ms, d.median_ms_per_work from job_durations d
           where d.kind_id = k.id and d.worker_id is null
             and (d.workflow_version_id is null or d.workflow_version_id = g.workflow_version_id)
           order by d.workflow_version_id nulls last limit 1) d on true),
    bases as (
      select u.lane_id, u.user_id, coalesce(s.weight, 1) as weight, greatest(v.reached, v.last_end, 0) as base
        from (select distinct lane_id, user_id from given) u
        left join fair_shares s on s.lane_id = u.lane_id and s.user_id = u.user_id
       cross join lateral (
         select coalesce(
                  (select max(least(r.order_key, r.order_key + r.priority * ${PRIORITY_STEP_US}::bigint)) from jobs r
                    where r.lane_id = u.lane_id and r.status_id = 4),
                  (select least(q.order_key, q.order_key + q.priority * ${PRIORITY_STEP_US}::bigint) from jobs q
                    where q.lane_id = u.lane_id and q.status_id = 2 order by q.order_key, q.id limit 1),
                  (select max(i.fair_end) from jobs i where i.lane_id = u.lane_id)) as reached,
                case when u.user_id is null
                  then (select max(m.fair_end) from jobs m
                         where m.lane_id = u.lane_id and m.user_id is null and m.status_id <> 7)
                  else (select max(m.fair_end) from jobs m
                         where m.lane_id = u.lane_id and m.user_id = u.user_id and m.status_id <> 7)
                end as last_end) v),
    shared as (
      select g.*, b.base + (sum(g.cost_ms * 1000.0 / b.weight) over (
               partition by g.lane_id, g.user_id order by g.n))::bigint as fair_end,
             (g.cost_ms * 1000.0 / b.weight)::bigint as share
        from given g join bases b on b.lane_id = g.lane_id and b.user_id is not distinct from g.user_id),
    made as (
      insert into jobs (id, kind_id, lane_id, status_id, project_id, user_id, priority, order_key, fair_end, cost_ms,
             work, run_at, input, workflow_version_id, seed_id, take_id, cut_id, master_id, file_hash, idempotency_key)
      select g.id, g.kind_id, g.lane_id, t.id, g.project_id, g.user_id, g.priority,
             g.fair_end - g.share - g.priority * ${PRIORITY_STEP_US}::bigint, g.fair_end, g.cost_ms,
             g.work, coalesce(g.run_at, now()), g.input, g.workflow_version_id, g.seed_id, g.take_id, g.cut_id,
             g.master_id, g.file_hash, g.idempotency_key
        from shared g join job_status t on t.code = g.status
       order by g.n
      on conflict do nothing
      returning jobs.*),
    needed as (
      insert into job_dependencies (job_id, needs_job_id)
      select g.id, x.need from given g join made on made.id = g.id, unnest(g.needs) as x (need) on conflict do nothing),
    told as (
      insert into events (kind_id, topic, project_id, data)
      select e.id, coalesce('project:' || m.project_id, 'jobs'), m.project_id, job_facts(m)
        from made m join event_kind e on e.code = 'job.changed')
    select id from made`;
  return rows.map((row) => row.id);
}

/** The statuses of jobs that others need, locked so that none ends before this transaction does. */
export async function lockNeeded(db: Queryable, jobIds: readonly string[]): Promise<Map<string, JobStatus>> {
  const rows = await db<{ id: string; status: JobStatus }[]>`
    select j.id, s.code as status from jobs j join job_status s on s.id = j.status_id
     where j.id = any(${jobIds as string[]}::uuid[]) order by j.id for share of j`;
  return new Map(rows.map((row) => [row.id, row.status]));
}

/** The job that was submitted under this id or, by this user, under this key. */
export async function findSubmitted(
  db: Queryable,
  job: { id: string; userId: string | null; idempotencyKey: string | null },
): Promise<{ id: string; kind: string; userId: string | null } | undefined> {
  const [row] = await db<{ id: string; kind: string; userId: string | null }[]>`
    select j.id, k.code as kind, j.user_id from jobs j join job_kind k on k.id = j.kind_id
     where j.id = ${job.id}
        or (j.idempotency_key = ${job.idempotencyKey} and j.user_id is not distinct from ${job.userId}::uuid)
     limit 1`;
  return row;
}

const jobColumns = (db: Queryable) =>
  db`
  j.id, k.code as kind, k.label, l.code as lane, s.code as status, j.project_id, j.user_id, j.priority,
  j.seed_id, j.take_id, j.cut_id, j.master_id, j.file_hash, j.workflow_version_id, j.worker_id, j.attempt, j.failures,
  case when j.status_id = 4 then p.ratio when j.status_id = 5 then 1 end as progress_ratio,
  case when j.status_id = 4 then p.note end as progress_note,
  f.code as failure_class, j.error, j.cancel_asked_at is not null and j.status_id < 5 as is_cancel_asked,
  j.created_at, j.run_at, j.started_at, j.finished_at`;

const jobSources = (db: Queryable) =>
  db`
  jobs j
  join job_kind k on k.id = j.kind_id
  join lane l on l.id = j.lane_id
  join job_status s on s.id = j.status_id
  left join failure_class f on f.id = j.failure_class_id
  left join job_progress p on p.job_id = j.id`;

/** The job, if the actor may see it: their own, of a project they are in, or any for those who run the queue. */
export async function findJob(db: Queryable, actor: Actor, jobId: string): Promise<Job | undefined> {
  const [row] = await db<Job[]>`
    select ${jobColumns(db)} from ${jobSources(db)} where j.id = ${jobId} and ${mayRead(db, actor)}`;
  return row;
}

/** One more than asked for, so that the caller knows whether there is a next page. */
export async function listJobs(db: Queryable, actor: Actor, filter: JobFilter): Promise<Job[]> {
  const is = (column: string, value: string | undefined) =>
    value === undefined ? db`` : db`and j.${db(column)} = ${value}`;
  return await db<Job[]>`
    select ${jobColumns(db)} from ${jobSources(db)}
     where ${mayRead(db, actor)}
       ${filter.cursor ? db`and j.id < ${filter.cursor}::uuid` : db``}
       ${is("project_id", filter.projectId)} ${is("user_id", filter.userId)}
       ${is("seed_id", filter.seedId)} ${is("take_id", filter.takeId)}
       ${is("cut_id", filter.cutId)} ${is("master_id", filter.masterId)}
       ${filter.kind ? db`and k.code = ${filter.kind}` : db``}
       ${filter.lane ? db`and l.code = ${filter.lane}` : db``}
       ${filter.status ? db`and s.code = any(${filter.status})` : db``}
     order by j.id desc
     limit ${filter.limit + 1}`;
}

/** Whoever runs the queue sees all; others their own jobs and those of projects they are in. */
function mayRead(db: Queryable, actor: Actor) {
  if (actor.permissions.has("queue.admin")) return db`true`;
  return db`(j.user_id = ${actor.userId} or exists (
    select 1 from project_members m where m.project_id = j.project_id and m.user_id = ${actor.userId}))`;
}

type JobParts = Pick<JobDetail, "input" | "output" | "needs" | "dependents" | "attempts" | "log">;

export async function findJobParts(db: Queryable, jobId: string): Promise<JobParts | undefined> {
  const [row] = await db<JobParts[]>`
    select j.input, j.output,
           (select coalesce(json_agg(json_build_object('jobId', n.id, 'kind', k.code, 'status', s.code) order by n.id), '[]')
              from job_dependencies d join jobs n on n.id = d.needs_job_id
              join job_kind k on k.id = n.kind_id join job_status s on s.id = n.status_id
             where d.job_id = j.id) as needs,
           (select coalesce(json_agg(json_build_object('jobId', n.id, 'kind', k.code, 'status', s.code) order by n.id), '[]')
              from job_dependencies d join jobs n on n.id = d.job_id
              join job_kind k on k.id = n.kind_id join job_status s on s.id = n.status_id
             where d.needs_job_id = j.id) as dependents,
           (select coalesce(json_agg(json_build_object(
                     'id', a.id, 'number', a.number, 'workerId', a.worker_id, 'startedAt', ${
    iso(db, "a.started_at")
  },
                     'finishedAt', ${iso(db, "a.finished_at")}, 'outcome', o.code, 'failureClass', f.code,
                     'error', a.error) order by a.number desc), '[]')
              from (select * from job_attempts a where a.job_id = j.id order by a.number desc limit 50) a
              left join attempt_outcome o on o.id = a.outcome_id
              left join failure_class f on f.id = a.failure_class_id) as attempts,
           (select coalesce(json_agg(json_build_object(
                     'id', g.id, 'at', ${iso(db, "g.at")}, 'level', v.code, 'message', g.message,
                     'fields', g.fields) order by g.id), '[]')
              from (select * from job_log_lines g where g.job_id = j.id order by g.id desc limit 500) g
              join log_level v on v.id = g.level_id) as log
      from jobs j where j.id = ${jobId}`;
  return row;
}

/** Inside JSON PostgreSQL writes "+00:00"; the wire's instants end in Z. */
function iso(db: Queryable, column: string) {
  return db`to_char(${db(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

export interface Waiting {
  readonly aheadCount: number;
  readonly aheadMs: number;
  readonly runningMs: number;
  readonly slots: number;
  readonly p50: number;
  readonly p90: number;
  readonly elapsedMs: number | null;
  readonly ratio: number | null;
}

/** What an estimate is made of; undefined when such work has never been done before. */
export async function findWaiting(db: Queryable, jobId: string): Promise<Waiting | undefined> {
  const [row] = await db<Waiting[]>`
    select ahead.n::integer as ahead_count, ahead.ms::float8 as ahead_ms, running.ms::float8 as running_ms,
           greatest(1, running.n)::integer as slots, lately.p50 * lately.unit as p50, lately.p90 * lately.unit as p90,
           case when j.status_id = 4 then extract(epoch from now() - a.started_at) * 1000 end::float8 as elapsed_ms,
           case when j.status_id = 4 then p.ratio end as ratio
      from jobs j
      left join job_attempts a on a.job_id = j.id and a.number = j.attempt
      left join job_progress p on p.job_id = j.id
     cross join lateral (
       select count(*) as n, coalesce(sum(q.cost_ms), 0) as ms from jobs q
        where j.status_id = 2 and q.lane_id = j.lane_id and q.status_id = 2
          and (q.order_key, q.id) < (j.order_key, j.id)) ahead
     cross join lateral (
       select count(*) as n, coalesce(sum(r.cost_ms), 0) / 2 as ms from jobs r
        where r.lane_id = j.lane_id and r.status_id = 4) running
     cross join lateral (
       select percentile_cont(0.5) within group (order by x.ms) as p50,
              percentile_cont(0.9) within group (order by x.ms) as p90, d.unit
         from (select case when j.work is not null and cardinality(d.recent_ms_per_work) > 0 then j.work else 1 end as unit,
                      case when j.work is not null and cardinality(d.recent_ms_per_work) > 0
                        then d.recent_ms_per_work else d.recent_ms end as samples
                 from job_durations d
                where d.kind_id = j.kind_id
                  and (d.workflow_version_id is null or d.workflow_version_id = j.workflow_version_id)
                  and (d.worker_id is null or d.worker_id = j.worker_id)
                order by d.workflow_version_id nulls last, d.worker_id nulls last limit 1) d,
              unnest(d.samples) as x (ms)
        group by d.unit) lately
     where j.id = ${jobId} and j.status_id in (2, 4)`;
  return row;
}

export interface WaitReason {
  readonly status: JobStatus;
  readonly isDue: boolean;
  readonly runAt: string;
  readonly isCancelAsked: boolean;
  readonly isLanePaused: boolean;
  readonly isUserPaused: boolean;
  readonly needs: { readonly label: string; readonly status: JobStatus }[];
  /** For the gpu lane: each worker with what keeps it from running this. */
  readonly workers: {
    readonly name: string;
    readonly status: string;
    readonly isPaused: boolean;
    /** The job runs on it. */
    readonly isOwn: boolean;
    readonly isAble: boolean | null;
    readonly missing: string[];
  }[];
  readonly lane: string;
}

/** Everything that can keep a job waiting, as data. */
export async function findWaitReason(db: Queryable, jobId: string): Promise<WaitReason | undefined> {
  const [row] = await db<WaitReason[]>`
    select s.code as status, j.run_at <= now() as is_due, j.run_at, j.cancel_asked_at is not null as is_cancel_asked,
           l.code as lane,
           exists (select 1 from queue_pauses p where p.lane_id = j.lane_id) as is_lane_paused,
           exists (select 1 from queue_pauses p where p.user_id = j.user_id) as is_user_paused,
           (select coalesce(json_agg(json_build_object('label', k.label, 'status', t.code) order by n.id), '[]')
              from job_dependencies d join jobs n on n.id = d.needs_job_id and n.status_id <> 5
              join job_kind k on k.id = n.kind_id join job_status t on t.id = n.status_id
             where d.job_id = j.id) as needs,
           case when l.code <> 'gpu' then '[]'::json else
           (select coalesce(json_agg(json_build_object(
                     'name', w.name, 'status', t.code, 'isOwn', w.id is not distinct from j.worker_id,
                     'isPaused', exists (select 1 from queue_pauses p where p.worker_id = w.id),
                     'isAble', case when j.workflow_version_id is null then true else c.is_able end,
                     'missing', coalesce(c.missing, '{}')) order by w.name), '[]')
              from workers w join worker_status t on t.id = w.status_id
              left join worker_capabilities c
                on c.worker_id = w.id and c.workflow_version_id = j.workflow_version_id) end as workers
      from jobs j
      join job_status s on s.id = j.status_id
      join lane l on l.id = j.lane_id
     where j.id = ${jobId}`;
  return row;
}

export async function findQueueState(db: Queryable): Promise<QueueState> {
  const [row] = await db<QueueState[]>`
    select (select json_agg(json_build_object(
                     'lane', l.code, 'label', l.label, 'queued', n.queued, 'running', n.running, 'blocked', n.blocked,
                     'held', n.held, 'isPaused', exists (select 1 from queue_pauses p where p.lane_id = l.id))
                     order by l.sort)
              from lane l cross join lateral (
                select count(*) filter (where j.status_id = 2) as queued,
                       count(*) filter (where j.status_id = 4) as running,
                       count(*) filter (where j.status_id = 1) as blocked,
                       count(*) filter (where j.status_id = 3) as held
                  from jobs j where j.lane_id = l.id and j.status_id in (1, 2, 3, 4)) n) as lanes,
           (select coalesce(json_agg(json_build_object(
                     'lane', l.code, 'userId', p.user_id, 'workerId', p.worker_id, 'pausedById', p.paused_by_id,
                     'pausedAt', ${iso(db, "p.paused_at")}) order by p.paused_at), '[]')
              from queue_pauses p left join lane l on l.id = p.lane_id) as paused`;
  if (!row) throw new Error("Cannot read the queue: PostgreSQL gave no row");
  return row;
}

/** Marks jobs, and those that need them if asked, to be cancelled by the queue; returns how many were not ended. */
export async function askCancel(
  db: Queryable,
  jobIds: readonly string[],
  withDependents: boolean,
): Promise<number> {
  const rows = await db`
    with recursive doomed as (
      select unnest(${jobIds as string[]}::uuid[]) as id
      union
      select d.job_id from doomed x join job_dependencies d on d.needs_job_id = x.id where ${withDependents}),
    asked as (
      update jobs j set cancel_asked_at = coalesce(j.cancel_asked_at, now())
        from doomed where j.id = doomed.id and j.status_id < 5 returning j.*),
    told as (
      insert into events (kind_id, topic, project_id, data)
      select e.id, coalesce('project:' || a.project_id, 'jobs'), a.project_id, job_facts(a)
        from asked a join event_kind e on e.code = 'job.changed')
    select pg_notify('seedloop_jobs', 'cancel') from asked`;
  return rows.length;
}

/** Jobs that have not ended and work for one thing. */
export async function listOpenJobsOf(
  db: Queryable,
  subject: { column: "seed_id" | "take_id" | "cut_id" | "master_id"; id: string },
): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    select id from jobs where ${db(subject.column)} = ${subject.id} and status_id < 5`;
  return rows.map((row) => row.id);
}

/** Holds a waiting job; false when it is in no state for it. */
export async function holdJob(db: Queryable, jobId: string): Promise<boolean> {
  return await changeAndTell(
    db,
    db`update jobs j set status_id = 3 where j.id = ${jobId} and j.status_id in (1, 2)`,
  );
}

/** Lets held jobs wait again, at the end of their user's share: time spent held earns no burst. */
export async function releaseJob(db: Queryable, jobId: string): Promise<boolean> {
  return await changeAndTell(
    db,
    db`
    update jobs j
       set status_id = case when ${hasUnfinishedNeeds(db)} then 1 else 2 end,
           order_key = greatest(j.order_key, ${laneTime(db)} - j.priority * ${PRIORITY_STEP_US}::bigint)
     where j.id = ${jobId} and j.status_id = 3`,
  );
}

/** Queues an ended job again with a fresh retry budget; false when it is in no state for it. */
export async function retryJob(db: Queryable, jobId: string): Promise<boolean> {
  return await changeAndTell(
    db,
    db`
    update jobs j
       set status_id = 2, finished_at = null, output = null, failure_class_id = null, error = null, failures = 0,
           retried_after = j.attempt, cancel_asked_at = null, run_at = now(),
           order_key = greatest(j.order_key, ${laneTime(db)} - j.priority * ${PRIORITY_STEP_US}::bigint)
     where j.id = ${jobId} and j.status_id in (6, 7)`,
  );
}

/** Sends a queued job back to wait for what it needs; after retryJob(), which knows only "queued". */
export async function blockIfNeeded(db: Queryable, jobId: string): Promise<void> {
  await db`update jobs j set status_id = 1 where j.id = ${jobId} and j.status_id = 2 and ${
    hasUnfinishedNeeds(db)
  }`;
}

export async function setPriority(db: Queryable, jobId: string, priority: number): Promise<boolean> {
  return await changeAndTell(
    db,
    db`
    update jobs j
       set priority = ${priority}, order_key = j.order_key + (j.priority - ${priority}) * ${PRIORITY_STEP_US}::bigint
     where j.id = ${jobId} and j.status_id in (1, 2, 3)`,
  );
}

function hasUnfinishedNeeds(db: Queryable) {
  return db`exists (select 1 from job_dependencies d join jobs n on n.id = d.needs_job_id
    where d.job_id = j.id and n.status_id <> 5)`;
}

/** Where the lane of job `j` has got to. */
function laneTime(db: Queryable) {
  return db`coalesce(
    (select max(least(r.order_key, r.order_key + r.priority * ${PRIORITY_STEP_US}::bigint)) from jobs r
      where r.lane_id = j.lane_id and r.status_id = 4),
    (select least(q.order_key, q.order_key + q.priority * ${PRIORITY_STEP_US}::bigint) from jobs q
      where q.lane_id = j.lane_id and q.status_id = 2 order by q.order_key, q.id limit 1), 0)`;
}

async function changeAndTell(db: Queryable, change: ReturnType<Queryable>): Promise<boolean> {
  const rows = await db`
    with changed as (${change} returning j.*),
    told as (
      insert into events (kind_id, topic, project_id, data)
      select e.id, coalesce('project:' || c.project_id, 'jobs'), c.project_id, job_facts(c)
        from changed c join event_kind e on e.code = 'job.changed')
    select pg_notify('seedloop_jobs', '') from changed`;
  return rows.length > 0;
}

export interface Place {
  readonly id: string;
  readonly lane: string;
  readonly userId: string | null;
  readonly orderKey: number;
  readonly isWaiting: boolean;
}

/** Two jobs with their places in line, locked. */
export async function lockPlaces(db: Queryable, jobIds: readonly string[]): Promise<Map<string, Place>> {
  const rows = await db<Place[]>`
    select j.id, l.code as lane, j.user_id, j.order_key, j.status_id in (1, 2, 3) as is_waiting
      from jobs j join lane l on l.id = j.lane_id
     where j.id = any(${jobIds as string[]}::uuid[]) order by j.id for no key update of j`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** The waiting jobs of one user in a lane, in order: their places are theirs to permute. */
export async function listPlacesOfUser(db: Queryable, lane: string, userId: string): Promise<Place[]> {
  return await db<Place[]>`
    select j.id, l.code as lane, j.user_id, j.order_key, true as is_waiting
      from jobs j join lane l on l.id = j.lane_id
     where l.code = ${lane} and j.user_id = ${userId} and j.status_id in (1, 2, 3)
     order by j.order_key, j.id for no key update of j`;
}

/** The key of the next waiting job of the lane in the given direction from `place`, any user's. */
export async function findNeighbourKey(
  db: Queryable,
  place: Place,
  side: "before" | "after",
): Promise<number | undefined> {
  const [row] = await db<{ orderKey: number }[]>`
    select j.order_key from jobs j join lane l on l.id = j.lane_id
     where l.code = ${place.lane} and j.status_id in (1, 2, 3)
       and (j.order_key, j.id) ${
    side === "before" ? db`<` : db`>`
  } (${place.orderKey}::bigint, ${place.id}::uuid)
     order by ${side === "before" ? db`j.order_key desc, j.id desc` : db`j.order_key, j.id`} limit 1`;
  return row?.orderKey;
}

/** Makes room by two for one job, right before or right after `place`: all that wait behind move back. */
export async function shiftPlaces(db: Queryable, place: Place, side: "before" | "after"): Promise<void> {
  await db`
    update jobs j set order_key = j.order_key + 2
     where j.lane_id = (select id from lane where code = ${place.lane}) and j.status_id in (1, 2, 3)
       and (j.order_key, j.id) ${
    side === "before" ? db`>=` : db`>`
  } (${place.orderKey}::bigint, ${place.id}::uuid)`;
}

export async function setPlaces(
  db: Queryable,
  places: readonly { id: string; orderKey: number }[],
): Promise<void> {
  await db`
    update jobs j set order_key = g.order_key
      from unnest(${places.map((one) => one.id)}::uuid[], ${places.map((one) => one.orderKey)}::bigint[])
           as g (id, order_key)
     where j.id = g.id and j.order_key <> g.order_key`;
  await db`select pg_notify('seedloop_jobs', '')`;
}

export async function insertPause(db: Queryable, target: PauseTarget, actor: Actor): Promise<void> {
  const { laneId, userId, workerId } = pauseColumns(db, target);
  await db`
    insert into queue_pauses (id, lane_id, user_id, worker_id, paused_by_id)
    select ${newId<"pause">()}::uuid, ${laneId}, ${userId}, ${workerId}, ${actor.userId} on conflict do nothing`;
}

export async function deletePause(db: Queryable, target: PauseTarget): Promise<void> {
  const { laneId, userId, workerId } = pauseColumns(db, target);
  await db`
    with ended as (
      delete from queue_pauses
       where lane_id = ${laneId} or user_id = ${userId} or worker_id = ${workerId} returning 1)
    select pg_notify('seedloop_jobs', '') from ended`;
}

function pauseColumns(db: Queryable, target: PauseTarget) {
  return {
    laneId: db`(select id from lane where code = ${"lane" in target ? target.lane : null})`,
    userId: db`${"userId" in target ? target.userId : null}::uuid`,
    workerId: db`${"workerId" in target ? target.workerId : null}::uuid`,
  };
}
