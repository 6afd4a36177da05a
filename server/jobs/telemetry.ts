import type { LogLevel } from "#server/core/log.ts";
import type { Json, Queryable } from "#server/db/db.ts";

export interface LogLine {
  readonly jobId: string;
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A run that ended well: what estimates are made of. */
export interface DurationSample {
  readonly kind: string;
  readonly workflowVersionId: string | null;
  readonly workerId: string | null;
  readonly ms: number;
  /** Megapixels × frames, where known. */
  readonly work: number | null;
  /** How many runs it stands for. */
  readonly runs: number;
}

/** How many run times are remembered for each kind of work. */
export const REMEMBERED_SAMPLES = 40;

/** Keeps the newest progress of running jobs, and forgets that of ended ones. */
export async function saveProgress(
  db: Queryable,
  progress: readonly { jobId: string; ratio: number; note: string }[],
  endedJobIds: readonly string[],
): Promise<void> {
  await db`
    with gone as (delete from job_progress where job_id = any(${endedJobIds as string[]}::uuid[]))
    insert into job_progress (job_id, ratio, note)
    select * from unnest(${progress.map((one) => one.jobId)}::uuid[], ${
    progress.map((one) => one.ratio)
  }::real[],
                         ${progress.map((one) => one.note.slice(0, 500))}::text[])
    on conflict (job_id) do update set ratio = excluded.ratio, note = excluded.note, updated_at = now()`;
}

/** Appends lines to the logs of jobs; lines of jobs that are gone are left out. */
export async function saveLogLines(db: Queryable, lines: readonly LogLine[]): Promise<void> {
  await db`
    insert into job_log_lines (job_id, at, level_id, message, fields)
    select g."jobId", g.at, v.id, left(g.message, 2000), g.fields
      from jsonb_to_recordset(${db.json(lines as unknown as Json)}) as g (
             "jobId" uuid, at timestamptz, level text, message text, fields jsonb)
      join log_level v on v.code = g.level
     where exists (select 1 from jobs j where j.id = g."jobId")`;
}

/** Adds run times, for the kind alone, with the workflow, and with the worker too. */
export async function saveDurations(db: Queryable, samples: readonly DurationSample[]): Promise<void> {
  await db`
    with given as (
      select k.id as kind_id, g."workflowVersionId" as workflow_version_id, g."workerId" as worker_id, g.ms, g.work, g.runs
        from jsonb_to_recordset(${db.json(samples as unknown as Json)}) as g (
               kind text, "workflowVersionId" uuid, "workerId" uuid, ms real, work real, runs integer)
        join job_kind k on k.code = g.kind),
    levels as (
      select distinct g.kind_id, l.workflow_version_id, l.worker_id, g.ms, g.work, g.runs
        from given g cross join lateral (values
          (null::uuid, null::uuid), (g.workflow_version_id, null), (g.workflow_version_id, g.worker_id))
          as l (workflow_version_id, worker_id)),
    fresh as (
      select kind_id, workflow_version_id, worker_id, sum(runs)::integer as runs, array_agg(ms) as ms,
             coalesce(array_agg(ms / work) filter (where work is not null), '{}') as ms_per_work
        from levels group by kind_id, workflow_version_id, worker_id),
    merged as (
      select f.kind_id, f.workflow_version_id, f.worker_id, coalesce(d.runs, 0) + f.runs as runs,
             (f.ms || coalesce(d.recent_ms, '{}'))[1:${REMEMBERED_SAMPLES}] as recent_ms,
             (f.ms_per_work || coalesce(d.recent_ms_per_work, '{}'))[1:${REMEMBERED_SAMPLES}] as recent_ms_per_work
        from fresh f
        left join job_durations d on d.kind_id = f.kind_id
         and d.workflow_version_id is not distinct from f.workflow_version_id
         and d.worker_id is not distinct from f.worker_id)
    insert into job_durations (kind_id, workflow_version_id, worker_id, runs, recent_ms, recent_ms_per_work, median_ms,
           median_ms_per_work)
    select m.kind_id, m.workflow_version_id, m.worker_id, m.runs, m.recent_ms, m.recent_ms_per_work,
           (select percentile_cont(0.5) within group (order by x) from unnest(m.recent_ms) x),
           (select percentile_cont(0.5) within group (order by x) from unnest(m.recent_ms_per_work) x)
      from merged m
    on conflict (kind_id, workflow_version_id, worker_id) do update
       set runs = excluded.runs, recent_ms = excluded.recent_ms, recent_ms_per_work = excluded.recent_ms_per_work,
           median_ms = excluded.median_ms, median_ms_per_work = excluded.median_ms_per_work, updated_at = now()`;
}

/** How many runs' memory is remembered for each workflow version. */
const REMEMBERED_RUNS = 20;

/**
 * Keeps the most GPU memory that the worker was seen to hold while these jobs ran, those that had it to themselves.
 * Of a run without vitals nothing is learned.
 */
export async function saveMemory(db: Queryable, jobIds: readonly string[]): Promise<void> {
  await db`
    with runs as (
      select j.workflow_version_id as version_id, max(v.vram_used_bytes) as bytes
        from jobs j
        join workers w on w.id = j.worker_id and w.max_parallel = 1
        join worker_vitals v on v.worker_id = j.worker_id
         and v.at between j.attempt_started_at and j.finished_at and v.vram_used_bytes > 0
       where j.id = any(${jobIds as string[]}::uuid[]) and j.status_id = 5 and j.workflow_version_id is not null
       group by j.id, j.workflow_version_id),
    learned as (select version_id, array_agg(bytes) as bytes from runs group by version_id)
    insert into workflow_memory as m (workflow_version_id, recent_bytes)
    select l.version_id, l.bytes[1:${REMEMBERED_RUNS}] from learned l order by l.version_id
    on conflict (workflow_version_id) do update
       set recent_bytes = (excluded.recent_bytes || m.recent_bytes)[1:${REMEMBERED_RUNS}], updated_at = now()`;
}

/** How far a user's ended jobs have got in a lane, in virtual microseconds. */
export interface ShareUsed {
  readonly lane: string;
  readonly userId: string | null;
  readonly fairEnd: number;
}

/** Keeps where ended jobs have brought their users' shares: what later submissions start from. */
export async function saveShares(db: Queryable, shares: readonly ShareUsed[]): Promise<void> {
  await db`
    insert into fair_accounts as a (lane_id, user_id, fair_end)
    select l.id, g."userId", max(g."fairEnd")
      from jsonb_to_recordset(${db.json(shares as unknown as Json)}) as g (
             lane text, "userId" uuid, "fairEnd" bigint)
      join lane l on l.code = g.lane
     where g."userId" is null or exists (select 1 from users u where u.id = g."userId")
     group by l.id, g."userId" order by l.id, g."userId"
    on conflict (lane_id, user_id) do update set fair_end = greatest(a.fair_end, excluded.fair_end)`;
}
