import type { Fragment, Json, Queryable } from "#server/db/db.ts";
import { isReady } from "./claim.ts";
import type { JobStatus } from "./contract.ts";

/*
 * The order of a lane. `order_key` and `fair_end` are virtual microseconds:
 *
 *   start     = max(V, the user's last fair_end)
 *   fair_end  = start + expected run time / the user's weight
 *   order_key = start − priority × 10 minutes
 *
 * V is where the lane has got to: the furthest start among running jobs, else that of the next queued one, else
 * (an idle lane) the last fair_end of what has ended, which fair_accounts keeps. This is start-time fair queueing (Goyal, Vin, Cheng 1996): each user with work
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

/** A job as it is sent to PostgreSQL: what is not named is null there, or as usual, and most of a job's fields are. */
export interface JobInsert {
  readonly id: string;
  readonly kind: string;
  readonly projectId: string | undefined;
  readonly userId: string | undefined;
  /** Unnamed, 0. */
  readonly priority: number | undefined;
  readonly input: unknown;
  readonly workflowVersionId: string | undefined;
  readonly pinnedWorkerId: string | undefined;
  readonly seedId: string | undefined;
  readonly takeId: string | undefined;
  readonly cutId: string | undefined;
  readonly masterId: string | undefined;
  readonly fileHash: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly runAt: string | undefined;
  readonly work: number | undefined;
  /** Unnamed, queued. */
  readonly status: "blocked" | "held" | undefined;
  readonly needs: readonly string[] | undefined;
}

/**
 * Inserts the jobs that are not there yet, by id or idempotency key, and returns the ids of the others. `areNew` says
 * that all their ids were just made and none has a key: then nothing is looked for.
 */
export async function insertJobs(
  db: Queryable,
  jobs: readonly JobInsert[],
  { areNew }: { areNew: boolean },
): Promise<string[]> {
  const [only, ...more] = jobs;
  if (only && more.length === 0) return await insertJob(db, only, { isNew: areNew }) ? [] : [only.id];
  const given = db`
    given as materialized (
      select g.*, k.id as kind_id, k.lane_id,
             ${costMs(db, db`g.work`)} as cost_ms
        from rows from (jsonb_to_recordset(${db.json(jobs as unknown as Json)}) as (
               id uuid, kind text, "projectId" uuid, "userId" uuid, priority smallint, input jsonb,
               "workflowVersionId" uuid, "pinnedWorkerId" uuid, "seedId" uuid, "takeId" uuid, "cutId" uuid, "masterId" uuid,
               "fileHash" text, "idempotencyKey" text, "runAt" timestamptz, work real, status text, needs uuid[]))
             with ordinality as g (
               id, kind, project_id, user_id, priority, input, workflow_version_id, pinned_worker_id, seed_id, take_id, cut_id,
               master_id, file_hash, idempotency_key, run_at, work, status, needs, n)
        join job_kind k on k.code = g.kind
        ${durations(db, db`g.workflow_version_id`)}),
    bases as materialized (${shareBases(db)})`;
  const making = db`
      insert into jobs (id, kind_id, lane_id, status_id, project_id, user_id, priority, order_key, fair_end, cost_ms,
             work, run_at, input, workflow_version_id, pinned_worker_id, seed_id, take_id, cut_id, master_id, file_hash, idempotency_key)
      select g.id, g.kind_id, g.lane_id, case g.status when 'blocked' then 1 when 'held' then 3 else 2 end, g.project_id, g.user_id, coalesce(g.priority, 0),
             g.fair_end - g.share - coalesce(g.priority, 0) * ${PRIORITY_STEP_US}::bigint, g.fair_end, g.cost_ms,
             g.work, coalesce(g.run_at, now()), g.input, g.workflow_version_id, g.pinned_worker_id, g.seed_id, g.take_id, g.cut_id,
             g.master_id, g.file_hash, g.idempotency_key
        from (select g.*, (g.cost_ms * 1000::float8 / b.weight)::bigint as share,
                     b.base + (sum(g.cost_ms * 1000::float8 / b.weight) over (
                       partition by g.lane_id, g.user_id order by g.n rows unbounded preceding))::bigint as fair_end
                from given g join bases b on b.lane_id = g.lane_id and b.user_id is not distinct from g.user_id) g`;
  const needed = jobs.some((job) => job.needs) ? neededStep(db) : undefined;
  if (areNew && !needed) {
    await db`with ${given} ${making}`;
    return [];
  }
  const rows = await db<{ id: string }[]>`
    with ${given},
    made as (${making} ${ifAbsent(db, areNew)} returning id)${needed ?? db``}
    select g.id from given g where not exists (select 1 from made where made.id = g.id)`;
  return rows.map((row) => row.id);
}

/** To look for what can't be there costs a tenth of an insert. */
const ifAbsent = (db: Queryable, isNew: boolean) => isNew ? db`` : db`on conflict do nothing`;

/** insertJobs() for one: without what only many need it takes three quarters of the time. False when it is there already. */
async function insertJob(
  db: Queryable,
  job: JobInsert,
  { isNew }: { isNew: boolean },
): Promise<boolean> {
  const rows = await db`
    with given as materialized (
      select k.id as kind_id, k.lane_id, ${job.userId ?? null}::uuid as user_id,
             ${costMs(db, db`${job.work ?? null}::real`)} as cost_ms
        from job_kind k
        ${durations(db, db`${job.workflowVersionId ?? null}::uuid`)}
       where k.code = ${job.kind}),
    bases as (${shareBases(db)}),
    made as (
      insert into jobs (id, kind_id, lane_id, status_id, project_id, user_id, priority, order_key, fair_end, cost_ms,
             work, run_at, input, workflow_version_id, pinned_worker_id, seed_id, take_id, cut_id, master_id, file_hash, idempotency_key)
      select ${job.id}, g.kind_id, g.lane_id, ${STATUS_ID[job.status ?? "queued"]}, ${
    job.projectId ?? null
  }, g.user_id, ${job.priority ?? 0},
             b.base - ${job.priority ?? 0}::bigint * ${PRIORITY_STEP_US}::bigint,
             b.base + (g.cost_ms * 1000::float8 / b.weight)::bigint, g.cost_ms,
             ${job.work ?? null}, coalesce(${job.runAt ?? null}::timestamptz, now()), ${
    db.json(job.input as Json)
  }, ${job.workflowVersionId ?? null}, ${job.pinnedWorkerId ?? null}, ${job.seedId ?? null}, ${
    job.takeId ?? null
  }, ${job.cutId ?? null}, ${job.masterId ?? null}, ${job.fileHash ?? null}, ${job.idempotencyKey ?? null}
        from given g cross join bases b
      ${ifAbsent(db, isNew)}
      returning id)${
    job.needs
      ? db`,
    needed as (
      insert into job_dependencies (job_id, needs_job_id)
      select made.id, x.need from made, unnest(${[...job.needs]}::uuid[]) as x (need) on conflict do nothing)`
      : db``
  }
    select id from made`;
  return rows.length > 0;
}

const STATUS_ID: Readonly<Record<NonNullable<JobInsert["status"]> | "queued", number>> = {
  blocked: 1,
  queued: 2,
  held: 3,
};

/** What a job counts for, of a kind `k` with its durations() and of that size. */
function costMs(db: Queryable, work: Fragment) {
  return db`
    greatest(1, coalesce(
      own.median_ms_per_work * ${work}, own.median_ms,
      d.median_ms_per_work * ${work}, d.median_ms, ${UNKNOWN_COST_MS}))::integer`;
}

/** How long jobs of the kind `k` took: `own` with that workflow, `d` with any. */
function durations(db: Queryable, workflowVersionId: Fragment) {
  return db`
    left join job_durations own
      on own.kind_id = k.id and own.workflow_version_id = ${workflowVersionId} and own.worker_id is null
    left join job_durations d
      on d.kind_id = k.id and d.workflow_version_id is null and d.worker_id is null`;
}

/** From `given`: for each lane and user the virtual time from which their next job starts, and their weight. */
function shareBases(db: Queryable) {
  // The whole key of jobs_waiting_share: max() would not use it for jobs that are nobody's. And the next queued job by
  // isReady(), so that it is read and not sought among all that wait.
  const byShare = db`m.lane_id desc, m.user_id desc, m.fair_end desc`;
  return db`
    select u.lane_id, u.user_id, coalesce(s.weight, 1) as weight, greatest(v.reached, v.last_end, 0) as base
      from (select distinct lane_id, user_id from given) u
      left join fair_shares s on s.lane_id = u.lane_id and s.user_id = u.user_id
      left join fair_accounts a on a.lane_id = u.lane_id and a.user_id is not distinct from u.user_id
     cross join lateral (
       select max(least(r.order_key, r.order_key + r.priority * ${PRIORITY_STEP_US}::bigint)) as reached,
              max(r.fair_end) filter (where r.user_id is not distinct from u.user_id) as last_end
         from jobs r where r.status_id = 4 and r.lane_id = u.lane_id) running
     cross join lateral (
       select coalesce(
                running.reached,
                (select least(q.order_key, q.order_key + q.priority * ${PRIORITY_STEP_US}::bigint) from jobs q
                  where ${isReady(db, db`q`)} and q.lane_id = u.lane_id order by q.order_key, q.id limit 1),
                (select max(i.fair_end) from fair_accounts i where i.lane_id = u.lane_id)) as reached,
              greatest(
                a.fair_end, running.last_end,
                case when u.user_id is null
                  then (select m.fair_end from jobs m
                         where m.lane_id = u.lane_id and m.user_id is null and m.status_id in (1, 2, 3)
                         order by ${byShare} limit 1)
                  else (select m.fair_end from jobs m
                         where m.lane_id = u.lane_id and m.user_id = u.user_id and m.status_id in (1, 2, 3)
                         order by ${byShare} limit 1)
                end) as last_end) v`;
}

function neededStep(db: Queryable) {
  return db`,
    needed as (
      insert into job_dependencies (job_id, needs_job_id)
      select g.id, x.need from given g join made on made.id = g.id, unnest(g.needs) as x (need) on conflict do nothing)`;
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
  job: { id: string; userId: string | undefined; idempotencyKey: string | undefined },
): Promise<{ id: string; kind: string; userId: string | null } | undefined> {
  const [row] = await db<{ id: string; kind: string; userId: string | null }[]>`
    select j.id, k.code as kind, j.user_id from jobs j join job_kind k on k.id = j.kind_id
     where j.id = ${job.id}
        or (j.idempotency_key = ${job.idempotencyKey ?? null}
            and j.user_id is not distinct from ${job.userId ?? null}::uuid)
     limit 1`;
  return row;
}
