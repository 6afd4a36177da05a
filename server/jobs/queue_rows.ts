import type { Actor } from "#server/core/actor.ts";
import type { Queryable } from "#server/db/db.ts";
import { isInForce, minVramBytes, needBytes } from "./claim.ts";
import type { QueueJob, QueueJobFilter } from "./contract.ts";
import { explainWait, type Pause, type WaitFacts, type WorkerFacts } from "./explain_wait.ts";
import { describeWait, type WaitReason } from "./wait_reason.ts";

type Row =
  & Omit<QueueJob, "wait" | "waitsFor">
  & Pick<WaitFacts, "isDue" | "needs" | "needBytes" | "aheadOfOthers">
  & { readonly total: number };

interface Capability {
  readonly workerId: string;
  readonly versionId: string;
  readonly isAble: boolean;
  readonly missing: string[];
}

interface Pauses extends Pause {
  readonly lane: string | null;
  readonly userId: string | null;
}

/**
 * Jobs as the queue's table shows them: running first, then those that wait in the order of their start, then ended
 * ones, newest first. With what each is for, by whom, where, and why it waits: one statement for all of them.
 */
export async function listQueueJobs(
  db: Queryable,
  actor: Actor,
  filter: QueueJobFilter,
): Promise<{ items: QueueJob[]; total: number }> {
  const [rows, workers, capabilities, pauses] = await Promise.all([
    readRows(db, actor, filter),
    readWorkers(db),
    db<Capability[]>`
      select c.worker_id, c.workflow_version_id as version_id, c.is_able, c.missing from worker_capabilities c`,
    db<Pauses[]>`
      select l.code as lane, p.user_id, u.display_name as by, p.paused_at as since
        from queue_pauses p left join lane l on l.id = p.lane_id left join users u on u.id = p.paused_by_id
       where ${isInForce(db)}`,
  ]);
  const able = new Map(capabilities.map((one) => [`${one.workerId} ${one.versionId}`, one]));
  const items = rows.map(({ isDue, needs, needBytes, aheadOfOthers, total: _, ...job }): QueueJob => {
    const facts = {
      ...job,
      isDue,
      needs,
      needBytes,
      aheadOfOthers,
      ahead: Math.max(0, (job.place ?? 1) - 1),
      lanePause: pauseOf(pauses.find(({ lane }) => lane === job.lane)),
      userPause: pauseOf(pauses.find(({ userId }) => userId !== null && userId === job.userId)),
    };
    const wait = explainWait(facts, workers, (workerId) => able.get(`${workerId} ${job.workflowVersionId}`));
    return { ...job, wait, waitsFor: sentenceOf(wait) };
  });
  return { items, total: rows[0]?.total ?? 0 };
}

/** Why one job waits, and whose jobs come before it. */
export async function findWait(
  db: Queryable,
  actor: Actor,
  jobId: string,
): Promise<Pick<QueueJob, "wait" | "waitsFor" | "place">> {
  const { items: [job] } = await listQueueJobs(db, actor, { ids: [jobId], limit: 1, status: undefined });
  if (!job) return { wait: null, waitsFor: null, place: null };
  const { wait, waitsFor, place } = job;
  if (wait?.code !== "in_line" || wait.ahead === 0) return { wait, waitsFor, place };
  return { wait: { ...wait, people: await listPeopleAhead(db, jobId) }, waitsFor, place };
}

/** Others in line is what a queue is: no sentence of its own. */
function sentenceOf(wait: WaitReason | null): string | null {
  return wait === null || wait.code === "in_line" ? null : describeWait(wait);
}

function pauseOf(found: Pauses | undefined): Pause | undefined {
  return found && { by: found.by, since: found.since };
}

async function listPeopleAhead(
  db: Queryable,
  jobId: string,
): Promise<{ name: string | null; jobs: number }[]> {
  return await db<{ name: string | null; jobs: number }[]>`
    select u.display_name as name, count(*)::integer as jobs
      from jobs j
      join jobs q on q.lane_id = j.lane_id and q.status_id = 2 and (q.order_key, q.id) < (j.order_key, j.id)
      left join users u on u.id = q.user_id
     where j.id = ${jobId}
     group by u.id, u.display_name order by jobs desc, name limit 5`;
}

async function readWorkers(db: Queryable): Promise<WorkerFacts[]> {
  return await db<WorkerFacts[]>`
    select w.id, w.name, s.code as status, w.last_error as problem, w.removed_at is not null as is_removed,
           exists (select 1 from queue_pauses p where p.worker_id = w.id and ${isInForce(db)}) as is_paused,
           w.max_parallel <= (select count(*) from jobs j where j.worker_id = w.id and j.status_id = 4) as is_full,
           (select max(d.vram_total_bytes)::float8 from worker_devices d where d.worker_id = w.id) as total_bytes
      from workers w join worker_status s on s.id = w.status_id order by w.name`;
}

const OPEN = ["blocked", "queued", "held", "running"];

async function readRows(
  db: Queryable,
  actor: Actor,
  { limit, projectId, status, ids, lane }: QueueJobFilter,
): Promise<Row[]> {
  const sees = actor.permissions.has("queue.admin") ? db`true` : db`(j.user_id = ${actor.userId} or exists (
    select 1 from project_members m where m.project_id = j.project_id and m.user_id = ${actor.userId}))`;
  return await db<Row[]>`
    with wanted as materialized (
      select j.*, s.code as status, count(*) over () as total
        from jobs j join job_status s on s.id = j.status_id
       where ${sees}
         ${ids ? db`and j.id = any(${ids as string[]}::uuid[])` : db`and s.code = any(${status ?? OPEN})`}
         ${projectId ? db`and j.project_id = ${projectId}` : db``}
         ${lane ? db`and j.lane_id = (select id from lane where code = ${lane})` : db``}
       order by (j.status_id = 4) desc, (j.status_id < 5) desc,
                case when j.status_id < 5 then j.lane_id end, case when j.status_id < 4 then j.order_key end,
                case when j.status_id < 5 then j.id end, j.id desc
       limit ${limit}),
    places as (
      select q.id, (row_number() over (partition by q.lane_id order by q.order_key, q.id))::integer as place,
             (row_number() over (partition by q.lane_id, q.user_id order by q.order_key, q.id))::integer as own_place
        from jobs q where q.status_id = 2)
    select j.id, k.code as kind, k.label, l.code as lane, j.status, j.project_id, j.user_id, j.priority, j.seed_id,
           j.take_id, j.cut_id, j.master_id, j.file_hash, j.workflow_version_id, j.worker_id, j.pinned_worker_id, j.attempt, j.failures,
           case when j.status_id = 4 then p.ratio when j.status_id = 5 then 1 end as progress_ratio,
           case when j.status_id = 4 then p.note end as progress_note, f.code as failure_class, j.error,
           j.cancel_asked_at is not null and j.status_id < 5 as is_cancel_asked,
           j.created_at, j.run_at, j.started_at, j.finished_at, j.total::integer as total,
           c.place, j.order_key::float8 as order_key, j.cost_ms as expected_ms, pr.name as project_name, u.display_name as user_name, w.name as worker_name,
           coalesce(seed_of.id, take_of.character_id, cut_of.character_id) as character_id,
           coalesce(take_of.clip_id, cut_of.clip_id) as clip_id,
           coalesce(take_of.scene_id, cut_of.scene_id, master_of.scene_id) as scene_id,
           coalesce(seed_of.subject, take_of.subject, cut_of.subject, master_of.subject) as subject,
           coalesce(seed_of.picture, take_of.picture, cut_of.picture, master_of.picture) as picture_asset_id,
           (select count(*)::integer from job_dependencies d join jobs n on n.id = d.job_id and n.status_id < 5
             where d.needs_job_id = j.id) as dependents,
           j.run_at <= now() as is_due, coalesce(c.place - c.own_place, 0) as ahead_of_others,
           greatest(${needBytes(db)}, ${minVramBytes(db)})::float8 as need_bytes,
           case when j.status_id <> 1 then '[]'::json else
           (select coalesce(json_agg(json_build_object(
                     'jobId', n.id, 'kind', nk.code, 'label', nk.label, 'status', ns.code) order by n.id), '[]')
              from job_dependencies d join jobs n on n.id = d.needs_job_id and n.status_id <> 5
              join job_kind nk on nk.id = n.kind_id join job_status ns on ns.id = n.status_id
             where d.job_id = j.id) end as needs
      from wanted j
      join job_kind k on k.id = j.kind_id
      join lane l on l.id = j.lane_id
      left join places c on c.id = j.id
      left join failure_class f on f.id = j.failure_class_id
      left join job_progress p on p.job_id = j.id
      left join projects pr on pr.id = j.project_id
      left join users u on u.id = j.user_id
      left join workers w on w.id = j.worker_id
      left join workflow_versions v on v.id = j.workflow_version_id
      left join workflow_memory m on m.workflow_version_id = j.workflow_version_id
      left join lateral (
        select ch.id, ch.name || ' · ' || sk.label as subject, coalesce(sd.asset_id, src.asset_id) as picture
          from seeds sd join characters ch on ch.id = sd.character_id join seed_kind sk on sk.id = sd.kind_id
          left join seeds src on src.id = sd.derived_from_seed_id
         where sd.id = j.seed_id) seed_of on true
      left join lateral (
        select cl.id as clip_id, cl.character_id, cl.scene_id,
               cl.name || ' · V' || sg.index || case when tk.number > 1 then ' · take ' || tk.number else '' end as subject,
               hero.asset_id as picture
          from takes tk join segments sg on sg.id = tk.segment_id join clips cl on cl.id = sg.clip_id
          left join seeds hero on hero.id = cl.hero_seed_id
         where tk.id = j.take_id) take_of on true
      left join lateral (
        select cl.id as clip_id, cl.character_id, cl.scene_id, cl.name || ' · cut ' || ct.number as subject,
               hero.asset_id as picture
          from cuts ct join clips cl on cl.id = ct.clip_id left join seeds hero on hero.id = cl.hero_seed_id
         where ct.id = j.cut_id) cut_of on true
      left join lateral (
        select sc.id as scene_id, sc.name || ' · master ' || ms.number as subject, ms.asset_id as picture
          from masters ms join scenes sc on sc.id = ms.scene_id
         where ms.id = j.master_id) master_of on true
     order by (j.status_id = 4) desc, (j.status_id < 5) desc,
              case when j.status_id < 5 then j.lane_id end, case when j.status_id < 4 then j.order_key end,
              case when j.status_id < 5 then j.id end, j.id desc`;
}
