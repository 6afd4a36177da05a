import type { Queryable } from "#server/db/db.ts";
import type { JobStatus, QueueState } from "./contract.ts";
import { iso } from "./queries.ts";

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
           case when j.status_id = 4 then extract(epoch from now() - j.attempt_started_at) * 1000 end::float8 as elapsed_ms,
           case when j.status_id = 4 then p.ratio end as ratio
      from jobs j
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
                on c.worker_id = w.id and c.workflow_version_id = j.workflow_version_id
             where w.removed_at is null) end as workers
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
