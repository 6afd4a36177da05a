import type { Actor } from "#server/core/actor.ts";
import type { Lane } from "#server/core/job_kind.ts";
import type { Json, Queryable } from "#server/db/db.ts";
import { mayRead } from "./queries.ts";
import type { SettledJob } from "./settle.ts";

/** One batch of a user at a time: the second sees the keys that the first has used. */
export async function lockBatches(db: Queryable, userId: string): Promise<void> {
  await db`select pg_advisory_xact_lock(hashtextextended(${`job batches of ${userId}`}, 0))`;
}

/** The jobs that a user has submitted under these keys. */
export async function listSubmittedKeys(
  db: Queryable,
  userId: string,
  keys: readonly string[],
): Promise<Map<string, { id: string; kind: string }>> {
  if (keys.length === 0) return new Map();
  const rows = await db<{ key: string; id: string; kind: string }[]>`
    select j.idempotency_key as key, j.id, k.code as kind from jobs j join job_kind k on k.id = j.kind_id
     where j.user_id = ${userId} and j.idempotency_key = any(${keys as string[]})`;
  return new Map(rows.map((row) => [row.key, row]));
}

/** Those of the files that neither are an asset of the project nor were computed from one. */
export async function listFilesElsewhere(
  db: Queryable,
  projectId: string,
  hashes: readonly string[],
): Promise<string[]> {
  if (hashes.length === 0) return [];
  const rows = await db<{ hash: string }[]>`
    select h as hash from unnest(${hashes as string[]}::text[]) as h
     where not exists (select 1 from assets a where a.file_hash = h and a.project_id = ${projectId})
       and not exists (
         select 1 from derivatives d join assets a on a.file_hash = d.source_hash
          where d.file_hash = h and a.project_id = ${projectId})`;
  return rows.map((row) => row.hash);
}

/** Workers that were not removed, by id or by name. */
export async function findUsableWorkers(
  db: Queryable,
  { id, name }: { id?: string; name?: string },
): Promise<{ id: string; name: string }[]> {
  return await db<{ id: string; name: string }[]>`
    select w.id, w.name from workers w
     where w.removed_at is null and (w.id = ${id ?? null}::uuid or w.name = ${name ?? null})`;
}

/** A waiting job as it is exported. */
export interface ExportRow {
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly projectId: string | null;
  readonly priority: number;
  readonly isHeld: boolean;
  readonly isDue: boolean;
  readonly runAt: string;
  readonly input: Json;
  readonly workflowVersionId: string | null;
  readonly workflowHash: string | null;
  readonly pinnedWorker: string | null;
  readonly subjectKind: "seed" | "take" | "cut" | "master" | "file" | null;
  readonly subjectId: string | null;
  readonly needs: string[];
}

/** More than these are a matter for a backup. */
const MOST_EXPORTED = 5_000;

/** The first waiting jobs that the actor may see, in the order of their turn. */
export async function listExportRows(
  db: Queryable,
  actor: Actor,
  { projectId, lane }: { projectId?: string | undefined; lane?: Lane | undefined },
): Promise<ExportRow[]> {
  return await db<ExportRow[]>`
    select j.id, k.code as kind, k.label, j.project_id, j.priority, j.status_id = 3 as is_held, j.run_at <= now() as is_due,
           j.run_at, j.input, j.workflow_version_id, v.content_hash as workflow_hash, w.name as pinned_worker,
           case when j.seed_id is not null then 'seed' when j.take_id is not null then 'take'
                when j.cut_id is not null then 'cut' when j.master_id is not null then 'master'
                when j.file_hash is not null then 'file' end as subject_kind,
           coalesce(j.seed_id::text, j.take_id::text, j.cut_id::text, j.master_id::text, j.file_hash) as subject_id,
           array(select d.needs_job_id::text from job_dependencies d join jobs n on n.id = d.needs_job_id and n.status_id < 5
                  where d.job_id = j.id order by d.needs_job_id) as needs
      from jobs j
      join job_kind k on k.id = j.kind_id
      left join workflow_versions v on v.id = j.workflow_version_id
      left join workers w on w.id = j.pinned_worker_id
     where j.status_id in (1, 2, 3) and j.cancel_asked_at is null and ${mayRead(db, actor)}
       ${projectId ? db`and j.project_id = ${projectId}` : db``}
       ${lane ? db`and j.lane_id = (select id from lane where code = ${lane})` : db``}
     order by j.lane_id, j.order_key, j.id
     limit ${MOST_EXPORTED}`;
}

/** The newest version with that content. */
export async function findVersionByHash(db: Queryable, hash: string): Promise<string | undefined> {
  const [row] = await db<{ id: string }[]>`
    select id from workflow_versions where content_hash = ${hash} order by id desc limit 1`;
  return row?.id;
}

/** The newest job of a kind for one thing of a project, whatever became of it. */
export async function findEndedTwin(
  db: Queryable,
  about: { jobKind: string; projectId: string; subjectKind: string; subjectId: string },
): Promise<(SettledJob & { kind: string; status: string }) | undefined> {
  const column = about.subjectKind === "file" ? "file_hash" : `${about.subjectKind}_id`;
  const [row] = await db<(SettledJob & { kind: string; status: string })[]>`
    select j.id, k.code as kind, s.code as status, j.project_id, j.user_id, j.seed_id, j.take_id, j.cut_id, j.master_id,
           j.file_hash, j.worker_id, j.workflow_version_id, j.attempt, j.input
      from jobs j join job_kind k on k.id = j.kind_id join job_status s on s.id = j.status_id
     where j.${
    db(column)
  }::text = ${about.subjectId} and k.code = ${about.jobKind} and j.project_id = ${about.projectId}
     order by j.id desc limit 1`;
  return row;
}
