import type { Lane } from "#server/core/job_kind.ts";
import type { Queryable } from "#server/db/db.ts";
import { isInForce, modelsOf } from "./claim.ts";
import type { QueueState } from "./contract.ts";
import { type Forecast, forecast, type Samples, type Slot } from "./forecast.ts";
import { iso } from "./queries.ts";

/** Jobs of a lane beyond these are not foretold. */
const MOST_FORETOLD = 20_000;

interface LineJob {
  readonly id: string;
  readonly kindId: number;
  readonly versionId: string | null;
  readonly workerId: string | null;
  readonly pinnedWorkerId: string | null;
  readonly work: number | null;
  readonly costMs: number;
  readonly isRunning: boolean;
  readonly elapsedMs: number | null;
  readonly ratio: number | null;
}

interface Durations {
  readonly kindId: number;
  readonly versionId: string | null;
  readonly workerId: string | null;
  readonly recentMs: number[];
  readonly recentMsPerWork: number[];
}

interface Line {
  readonly jobs: LineJob[];
  readonly durations: Durations[];
  readonly workers: { readonly id: string; readonly slots: number; readonly able: string[] }[];
}

export interface LaneForecast extends Forecast {
  /** Jobs that wait, in order of their start: those that are foretold. */
  readonly order: readonly string[];
  /** Jobs of whose kind of work none was ever seen: their times are guesses. */
  readonly guessed: ReadonlySet<string>;
}

/**
 * When the jobs of a lane are to start and to end. Left out are those that wait for a person, a time or another job:
 * nobody can tell when that is over.
 */
export async function forecastLane(db: Queryable, lane: Lane): Promise<LaneForecast> {
  const line = await readLine(db, lane);
  const guessed = new Set<string>();
  const known = new Map<string, Samples>();
  const find = (job: LineJob, workerId: string | null): Samples => {
    const key = `${job.kindId} ${job.versionId} ${workerId} ${job.work}`;
    const samples = known.get(key) ?? samplesOf(line.durations, job, workerId);
    known.set(key, samples);
    if (samples.length > 0) return samples;
    guessed.add(job.id);
    return [job.costMs];
  };
  const running = line.jobs.filter(({ isRunning }) => isRunning);
  const waiting = line.jobs.filter(({ isRunning }) => !isRunning);
  const places = lane === "gpu"
    ? placesOfWorkers(line, running)
    : running.length > 0
    ? running.map((job) => ({ workerId: null, able: undefined, job }))
    : [{ workerId: null, able: undefined, job: undefined }];
  const slots = places.map(({ workerId, job }): Slot =>
    job
      ? {
        running: {
          id: job.id,
          samples: find(job, workerId),
          elapsedMs: job.elapsedMs ?? 0,
          ratio: job.ratio,
        },
      }
      : {}
  );
  const works = waiting.map((job) => ({
    id: job.id,
    options: places.flatMap(({ workerId, able }, slot) => {
      const fits = able === undefined || (job.pinnedWorkerId ?? workerId) === workerId &&
          (job.versionId === null || able.has(job.versionId));
      return fits ? [{ slot, samples: find(job, workerId) }] : [];
    }),
  }));
  return { ...forecast(slots, works), order: waiting.map(({ id }) => id), guessed };
}

/** Each slot of each worker that takes jobs, and those that run on one that takes none any more. */
function placesOfWorkers({ workers }: Line, running: readonly LineJob[]) {
  const left = new Set(running);
  const places = workers.flatMap(({ id: workerId, slots, able: list }) => {
    const here = running.filter((job) => job.workerId === workerId);
    for (const job of here) left.delete(job);
    const able = new Set(list);
    return Array.from(
      { length: Math.max(slots, here.length) },
      (_, nth) => ({ workerId, able, job: here[nth] }),
    );
  });
  const none = new Set<string>();
  return [...places, ...[...left].map((job) => ({ workerId: job.workerId, able: none, job }))];
}

/** The nearest to what this is: on that worker, of that workflow, of that kind; by its size where that is known. */
function samplesOf(durations: readonly Durations[], job: LineJob, workerId: string | null): Samples {
  const fits = (versionId: string | null, on: string | null) =>
    durations.find((one) => one.kindId === job.kindId && one.versionId === versionId && one.workerId === on);
  const found = (workerId !== null && fits(job.versionId, workerId)) || fits(job.versionId, null) ||
    fits(null, null);
  return found ? sized(found, job.work) : [];
}

function sized({ recentMs, recentMsPerWork }: Durations, work: number | null): Samples {
  return work !== null && recentMsPerWork.length > 0 ? recentMsPerWork.map((ms) => ms * work) : recentMs;
}

/** What each of the steps took lately on any worker; steps of equal kind and size have one list in common. */
export async function findSamples(
  db: Queryable,
  steps: readonly { kind: string; workflowVersionId?: string; work?: number | undefined }[],
): Promise<Samples[]> {
  const durations = await db<(Durations & { kind: string })[]>`
    select d.kind_id, k.code as kind, d.workflow_version_id as version_id, d.worker_id, d.recent_ms, d.recent_ms_per_work
      from job_durations d join job_kind k on k.id = d.kind_id
     where d.worker_id is null and k.code = any(${[...new Set(steps.map(({ kind }) => kind))]})`;
  const known = new Map<string, Samples>();
  return steps.map(({ kind, workflowVersionId, work }) => {
    const key = `${kind} ${workflowVersionId} ${work}`;
    const of = (versionId: string | null) =>
      durations.find((one) => one.kind === kind && one.versionId === versionId);
    // A generation's own workflow or nothing: others tell nothing of it.
    const found = workflowVersionId === undefined ? of(null) : of(workflowVersionId);
    const samples = known.get(key) ?? (found ? sized(found, work ?? null) : []);
    known.set(key, samples);
    return samples;
  });
}

async function readLine(db: Queryable, lane: Lane): Promise<Line> {
  const [jobs, durations, workers] = await Promise.all([
    db<LineJob[]>`
      select j.id, j.kind_id, j.workflow_version_id as version_id, j.worker_id, j.pinned_worker_id, j.work, j.cost_ms,
             j.status_id = 4 as is_running,
             (extract(epoch from now() - j.attempt_started_at) * 1000)::float8 as elapsed_ms, p.ratio
        from jobs j
        left join job_progress p on p.job_id = j.id and j.status_id = 4
       where j.lane_id = (select id from lane where code = ${lane}) and j.status_id in (2, 4)
         and (j.status_id = 4 or j.run_at <= now() and j.cancel_asked_at is null and not exists (
           select 1 from queue_pauses p where (p.lane_id = j.lane_id or p.user_id = j.user_id) and ${
      isInForce(db)
    }))
       order by j.order_key, j.id
       limit ${MOST_FORETOLD}`,
    db<Durations[]>`
      select d.kind_id, d.workflow_version_id as version_id, d.worker_id, d.recent_ms, d.recent_ms_per_work
        from job_durations d join job_kind k on k.id = d.kind_id
       where k.lane_id = (select id from lane where code = ${lane})`,
    lane === "gpu"
      ? db<Line["workers"]>`
        select w.id, w.max_parallel as slots,
               array(select c.workflow_version_id from worker_capabilities c where c.worker_id = w.id and c.is_able) as able
          from workers w join worker_status s on s.id = w.status_id and s.code = 'online'
         where w.removed_at is null
           and not exists (select 1 from queue_pauses p where p.worker_id = w.id and ${isInForce(db)})`
      : [],
  ]);
  return { jobs, durations, workers };
}

export async function findQueueState(db: Queryable): Promise<QueueState> {
  const [row] = await db<QueueState[]>`
    select (select json_agg(json_build_object(
                     'lane', l.code, 'label', l.label, 'queued', n.queued, 'running', n.running, 'blocked', n.blocked,
                     'held', n.held, 'isPaused', exists (
                       select 1 from queue_pauses p where p.lane_id = l.id and ${isInForce(db)}))
                     order by l.sort)
              from lane l cross join lateral (
                select count(*) filter (where j.status_id = 2) as queued,
                       count(*) filter (where j.status_id = 4) as running,
                       count(*) filter (where j.status_id = 1) as blocked,
                       count(*) filter (where j.status_id = 3) as held
                  from jobs j where j.lane_id = l.id and j.status_id in (1, 2, 3, 4)) n) as lanes,
           (select coalesce(json_agg(json_build_object(
                     'lane', l.code, 'userId', p.user_id, 'workerId', p.worker_id, 'pausedById', p.paused_by_id,
                     'pausedByName', b.display_name, 'afterJobId', p.after_job_id, 'isInForce', ${
    isInForce(db)
  },
                     'pausedAt', ${iso(db, "p.paused_at")}) order by p.paused_at), '[]')
              from queue_pauses p left join lane l on l.id = p.lane_id
              left join users b on b.id = p.paused_by_id) as paused,
           (select coalesce(json_agg(json_build_object(
                     'workerId', w.id, 'workflow', f.title, 'models', array(${
    modelsOf(db, "v")
  })) order by w.id), '[]')
              from workers w
             cross join lateral (
               select x.version_id
                 from (select j.attempt_id as id, j.workflow_version_id as version_id from jobs j
                        where j.worker_id = w.id and j.status_id = 4
                        union all
                       (select a.id, j.workflow_version_id from job_attempts a join jobs j on j.id = a.job_id
                         where a.worker_id = w.id order by a.id desc limit 1)) x
                order by x.id desc limit 1) last
              join workflow_versions v on v.id = last.version_id
              join workflows f on f.id = v.workflow_id
             where w.removed_at is null) as loaded`;
  if (!row) throw new Error("Cannot read the queue: PostgreSQL gave no row");
  return row;
}
