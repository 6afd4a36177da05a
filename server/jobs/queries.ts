import type { Actor } from "#server/core/actor.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Job, JobDetail, JobFilter } from "./contract.ts";

const jobColumns = (db: Queryable) =>
  db`
  j.id, k.code as kind, k.label, l.code as lane, s.code as status, j.project_id, j.user_id, j.priority,
  j.seed_id, j.take_id, j.cut_id, j.master_id, j.file_hash, j.workflow_version_id, j.worker_id,
  j.pinned_worker_id, j.attempt, j.failures,
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

/** Those of the jobs that the actor may see, in no order. */
export async function findJobs(db: Queryable, actor: Actor, jobIds: readonly string[]): Promise<Job[]> {
  if (jobIds.length === 0) return [];
  return await db<Job[]>`
    select ${jobColumns(db)} from ${jobSources(db)}
     where j.id = any(${jobIds as string[]}::uuid[]) and ${mayRead(db, actor)}`;
}

/** Which of the jobs, of one project where one is named, the actor may see. */
export async function findVisible(
  db: Queryable,
  actor: Actor,
  jobIds: readonly string[],
  projectId: string | undefined,
): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set();
  const rows = await db<{ id: string }[]>`
    select j.id from jobs j
     where j.id = any(${jobIds as string[]}::uuid[]) and ${mayRead(db, actor)}
       ${projectId ? db`and j.project_id = ${projectId}` : db``}`;
  return new Set(rows.map((row) => row.id));
}

/** Its size in megapixels × frames; null where that is not known. */
export async function findWork(db: Queryable, jobId: string): Promise<number | null> {
  const [row] = await db<{ work: number | null }[]>`select work from jobs where id = ${jobId}`;
  return row?.work ?? null;
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
export function mayRead(db: Queryable, actor: Actor) {
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
              from (select a.id, a.number, a.worker_id, a.started_at, a.finished_at, a.outcome_id, a.failure_class_id, a.error
                      from job_attempts a where a.job_id = j.id
                     union all
                    select j.attempt_id, j.attempt, j.worker_id, j.attempt_started_at, null, null, null, null
                     where j.status_id = 4
                     order by number desc limit 50) a
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
export function iso(db: Queryable, column: string) {
  return db`to_char(${db(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
