import type { Actor } from "#server/core/actor.ts";
import type { Queryable } from "#server/db/db.ts";
import type { QueueJob, QueueJobFilter } from "./contract.ts";
import { describeWait } from "./eta.ts";
import type { WaitReason } from "./outlook.ts";

type Row = Omit<QueueJob, "waitsFor"> & {
  readonly isDue: boolean;
  readonly isLanePaused: boolean;
  readonly isUserPaused: boolean;
  readonly needs: WaitReason["needs"];
};

interface WorkerFacts {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly isPaused: boolean;
}

interface Capability {
  readonly workerId: string;
  readonly versionId: string;
  readonly isAble: boolean;
  readonly missing: string[];
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
  const [rows, workers, capabilities] = await Promise.all([
    readRows(db, actor, filter),
    db<WorkerFacts[]>`
      select w.id, w.name, s.code as status, exists (select 1 from queue_pauses p where p.worker_id = w.id) as is_paused
        from workers w join worker_status s on s.id = w.status_id where w.removed_at is null order by w.name`,
    db<Capability[]>`
      select c.worker_id, c.workflow_version_id as version_id, c.is_able, c.missing from worker_capabilities c`,
  ]);
  const able = new Map(capabilities.map((one) => [`${one.workerId} ${one.versionId}`, one]));
  const items = rows.map(({ isDue, isLanePaused, isUserPaused, needs, total: _, ...job }) => ({
    ...job,
    waitsFor: describeWait({
      status: job.status,
      isDue,
      runAt: job.runAt,
      isCancelAsked: job.isCancelAsked,
      isLanePaused,
      isUserPaused,
      lane: job.lane,
      needs,
      workers: job.lane === "gpu" ? workers.map((worker) => lookAt(worker, job, able)) : [],
    } as WaitReason), // Its worker states are codes of `worker_status`, which the database alone names here.
  }));
  return { items, total: rows[0]?.total ?? 0 };
}

function lookAt(
  worker: WorkerFacts,
  job: Pick<QueueJob, "workerId" | "workflowVersionId">,
  able: Map<string, Capability>,
) {
  const found = job.workflowVersionId === null
    ? undefined
    : able.get(`${worker.id} ${job.workflowVersionId}`);
  return {
    name: worker.name,
    status: worker.status,
    isOwn: worker.id === job.workerId,
    isPaused: worker.isPaused,
    isAble: job.workflowVersionId === null ? true : found?.isAble ?? null,
    missing: found?.missing ?? [],
  };
}

const OPEN = ["blocked", "queued", "held", "running"];

async function readRows(
  db: Queryable,
  actor: Actor,
  { limit, projectId, status, ids, lane }: QueueJobFilter,
): Promise<(Row & { total: number })[]> {
  const sees = actor.permissions.has("queue.admin") ? db`true` : db`(j.user_id = ${actor.userId} or exists (
    select 1 from project_members m where m.project_id = j.project_id and m.user_id = ${actor.userId}))`;
  return await db<(Row & { total: number })[]>`
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
      select q.id, (row_number() over (partition by q.lane_id order by q.order_key, q.id))::integer as place
        from jobs q where q.status_id = 2)
    select j.id, k.code as kind, k.label, l.code as lane, j.status, j.project_id, j.user_id, j.priority, j.seed_id,
           j.take_id, j.cut_id, j.master_id, j.file_hash, j.workflow_version_id, j.worker_id, j.attempt, j.failures,
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
           j.run_at <= now() as is_due,
           exists (select 1 from queue_pauses x where x.lane_id = j.lane_id) as is_lane_paused,
           exists (select 1 from queue_pauses x where x.user_id = j.user_id) as is_user_paused,
           case when j.status_id <> 1 then '[]'::json else
           (select coalesce(json_agg(json_build_object('label', nk.label, 'status', ns.code) order by n.id), '[]')
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
