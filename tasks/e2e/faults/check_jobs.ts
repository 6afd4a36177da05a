import { join } from "node:path";
import { silentLog } from "#server/core/log.ts";
import { connect, type Db } from "#server/db/db.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { sweepOrphans } from "#server/storage/service.ts";
import { checkFiles } from "#tasks/e2e/check_truth.ts";

/** What was counted of the jobs of a studio at rest, and every breach of what the queue promises, as a sentence. */
export interface JobTruth {
  readonly counts: Readonly<Record<string, number>>;
  readonly breaches: readonly string[];
}

type Question = (db: Db) => Promise<readonly { what: string }[]>;

/** What was told of each job, one row each time. */
function told(db: Db) {
  return db`(
    select e.seq, t.job from events e join event_kind k on k.id = e.kind_id and k.code = 'job.changed'
     cross join lateral jsonb_array_elements(e.data->'jobs') as t (job))`;
}

/** Questions whose every row is a breach. */
const QUESTIONS: Readonly<Record<string, Question>> = {
  "job is not over": (db) =>
    db`select j.id || ' ' || k.code || ' ' || s.code as what from jobs j
         join job_kind k on k.id = j.kind_id join job_status s on s.id = j.status_id
        where s.code not in ('done', 'failed', 'cancelled')`,
  "job has not one done attempt though it is done, or has one though it is not": (db) =>
    db`select j.id || ' ' || s.code || ', done attempts ' || count(a.id) filter (where o.code = 'done') as what
         from jobs j join job_status s on s.id = j.status_id left join job_attempts a on a.job_id = j.id
         left join attempt_outcome o on o.id = a.outcome_id
        group by j.id, s.code
       having count(a.id) filter (where o.code = 'done') <> case when s.code = 'done' then 1 else 0 end`,
  "attempt is missing or numbered twice": (db) =>
    db`select j.id || ' attempt ' || j.attempt || ', rows ' || count(a.id) as what
         from jobs j left join job_attempts a on a.job_id = j.id
        group by j.id having count(a.id) <> j.attempt or coalesce(max(a.number), 0) <> j.attempt`,
  "change of state is not allowed": (db) =>
    db`with told as (
         select seq, job->>'jobId' as job, job->>'status' as now,
                lag(job->>'status') over (partition by job->>'jobId' order by seq) as before
           from ${told(db)} e)
       select job || ' ' || coalesce(before, 'nothing') || ' → ' || now as what from told t
        where before is distinct from now
          and not (before is null and now in ('blocked', 'queued', 'held'))
          and not exists (
            select 1 from job_status_transition x join job_status f on f.id = x.from_id
              join job_status s on s.id = x.to_id where f.code = before and s.code = now)`,
  "history does not end in the job's state, or has not as many runs": (db) =>
    db`with told as (
         select job->>'jobId' as job, (array_agg(job->>'status' order by seq desc))[1] as last,
                count(*) filter (where job->>'status' = 'done') as done
           from ${told(db)} e group by 1)
       select j.id || ' is ' || s.code || ', was told ' || coalesce(t.last, 'nothing') || ', done '
              || coalesce(t.done, 0) || ' times' as what
         from jobs j join job_status s on s.id = j.status_id left join told t on t.job = j.id::text
        where t.last is distinct from s.code or t.done <> case when s.code = 'done' then 1 else 0 end`,
  "lease is left": (db) =>
    db`select id::text as what from jobs where lease_until is not null or lease_node_id is not null`,
  // By the order of the events: times are when statements began, and a claim that began first may see what ended later.
  "job ran before what it needs was done": (db) =>
    db`with told as (
         select (job->>'jobId')::uuid as job, min(seq) filter (where job->>'status' = 'running') as ran,
                max(seq) filter (where job->>'status' = 'done') as done
           from ${told(db)} e group by 1)
       select d.job_id || ' needs ' || d.needs_job_id as what from job_dependencies d
         join told j on j.job = d.job_id left join told n on n.job = d.needs_job_id
        where j.ran is not null and (n.done is null or n.done > j.ran)`,
  "wish to cancel is left unanswered": (db) =>
    db`select id::text as what from jobs where cancel_asked_at is not null and status_id < 5`,
  "file of an output has no row": (db) =>
    db`with named as (
         select j.id, o.file->>'hash' as hash, (o.file->>'sizeBytes')::bigint as size
           from jobs j cross join lateral jsonb_path_query(j.output, '$.** ? (exists(@.hash) && exists(@.sizeBytes))')
                as o (file))
       select distinct n.id || ' ' || n.hash as what from named n
         left join files f on f.hash = n.hash where f.hash is null or f.size_bytes <> n.size`,
  "seed of a generation was made twice or not at all": (db) =>
    db`select s.id || ' ' || t.code || ', generations ' || count(*) filter (where k.code = 'comfy.generate')
              || ', inspections ' || count(*) filter (where k.code = 'media.inspect')
              || ', measurements ' || count(*) filter (where k.code = 'seeds.measure') as what
         from seeds s join seed_status t on t.id = s.status_id join jobs j on j.seed_id = s.id
         join job_kind k on k.id = j.kind_id
        group by s.id, t.code
       having (t.code = 'candidate') <> (count(*) = 3 and count(*) = count(distinct j.kind_id) and bool_and(j.status_id = 5))`,
  "generation has not one asset with its provenance": (db) =>
    db`select j.id || ' provenances ' || count(p.asset_id) as what from jobs j join job_kind k on k.id = j.kind_id
         left join provenance p on p.job_id = j.id where k.code = 'comfy.generate' and j.status_id = 5
        group by j.id having count(p.asset_id) <> 1`,
  "share reaches further than any job of it": (db) =>
    db`select l.code || ' ' || coalesce(a.user_id::text, 'nobody') as what from fair_accounts a join lane l on l.id = a.lane_id
        where a.fair_end > (select max(j.fair_end) from jobs j
                             where j.lane_id = a.lane_id and j.user_id is not distinct from a.user_id)`,
  "run times are not those of the runs": (db) =>
    db`select k.code || ' ' || d.runs as what from job_durations d join job_kind k on k.id = d.kind_id
        where cardinality(d.recent_ms) > 40 or d.runs < cardinality(d.recent_ms)
           or abs(d.median_ms - (select percentile_cont(0.5) within group (order by x) from unnest(d.recent_ms) x)) > 0.01
           or d.runs > (select count(*) from job_attempts a join jobs j on j.id = a.job_id
                         where j.kind_id = d.kind_id and a.outcome_id = 1
                           and (d.worker_id is null or a.worker_id = d.worker_id))`,
};

/** What the jobs were that are to be found: all, and those whose input can never work. */
export interface Submitted {
  readonly id: string;
  readonly isDoomed: boolean;
}

/** Reads a studio that is at rest, with the database alone running: rows, events, store and scratch folder. */
export async function checkJobs(
  databaseUrl: string,
  data: string,
  submitted: readonly Submitted[],
): Promise<JobTruth> {
  const db = connect({ url: databaseUrl, max: 2, statementTimeoutMs: 120_000 });
  try {
    const breaches: string[] = [];
    const lost = await db<{ id: string }[]>`
      select g.id from unnest(${submitted.map(({ id }) => id)}::uuid[]) as g (id)
       where not exists (select 1 from jobs j where j.id = g.id)`;
    for (const { id } of lost) breaches.push(`job was lost: ${id}`);
    const doomed = submitted.filter(({ isDoomed }) => isDoomed).map(({ id }) => id);
    const blamed = await db<{ what: string }[]>`
      select a.job_id || ': ' || a.error as what from job_attempts a
       where a.failure_class_id = 1 and a.job_id <> all(${doomed}::uuid[])`;
    for (const { what } of blamed) breaches.push(`a good input was blamed: ${what}`);
    for (const [sentence, ask] of Object.entries(QUESTIONS)) {
      for (const { what } of await ask(db)) breaches.push(`${sentence}: ${what}`);
    }
    const { orphanFiles } = await checkFiles(db, data, breaches);
    const swept = await sweepAll(db, data);
    if (swept > 0) breaches.push(`${swept} files have no row after the sweep`);
    for await (const entry of Deno.readDir(join(data, "work"))) breaches.push(`work/ keeps ${entry.name}`);
    return {
      counts: { ...await countJobs(db), orphanFilesBeforeSweep: orphanFiles ?? 0, orphanFiles: swept },
      breaches,
    };
  } finally {
    await db.end({ timeout: 2 });
  }
}

/** The sweep leaves what is younger than a day to those who may still name it: here a day has gone by. */
async function sweepAll(db: Db, data: string): Promise<number> {
  const store = await openLocalStore(join(data, "store"), { sweepOlderThanMs: 0 });
  const tomorrow = new Date(Date.now() + 25 * 3_600_000);
  await sweepOrphans(db, store, silentLog, tomorrow);
  const known = new Set((await db<{ hash: string }[]>`select hash from files`).map(({ hash }) => hash));
  let left = 0;
  for await (const { hash } of store.list()) if (!known.has(hash)) left++;
  return left;
}

async function countJobs(db: Db): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const states = await db<{ code: string; n: number }[]>`
    select s.code, count(*)::integer as n from jobs j join job_status s on s.id = j.status_id group by 1 order by 2 desc`;
  for (const { code, n } of states) counts[code] = n;
  const kinds = await db<{ code: string; n: number }[]>`
    select l.code || ' ' || k.code as code, count(*)::integer as n from jobs j join job_kind k on k.id = j.kind_id
      join lane l on l.id = j.lane_id group by 1 order by 2 desc`;
  for (const { code, n } of kinds) counts[code] = n;
  const outcomes = await db<{ code: string; n: number }[]>`
    select coalesce(o.code || ' ' || f.code, o.code) as code, count(*)::integer as n from job_attempts a
      join attempt_outcome o on o.id = a.outcome_id left join failure_class f on f.id = a.failure_class_id
     group by 1 order by 2 desc`;
  for (const { code, n } of outcomes) counts[`attempts ${code}`] = n;
  const [row] = await db<Record<string, number>[]>`
    select (select count(*)::integer from jobs) as jobs,
           (select count(*)::integer from job_dependencies) as dependencies,
           (select count(*)::integer from events) as events, (select count(*)::integer from files) as files,
           (select count(*)::integer from server_nodes) as starts,
           (select count(*)::integer from job_progress) as progress_left`;
  return { ...row, ...counts };
}
