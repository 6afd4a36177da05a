import type { Actor } from "#server/core/actor.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Json, Queryable } from "#server/db/db.ts";
import type { Workflow, WorkflowVersion } from "./contract.ts";
import type { WorkflowRole, WorkflowTemplate } from "./manifest.ts";

const selectWorkflow = (db: Queryable) =>
  db`
  select w.id, w.code, w.title, r.code as role, o.code as source, s.code as status, w.created_at,
         v.id as version_id, v.number, coalesce((v.manifest ->> 'cpuPreview')::boolean, false) as is_cpu_preview,
         array(select k.name from worker_capabilities c
                 join workers k on k.id = c.worker_id
                 join worker_status ks on ks.id = k.status_id
                where c.workflow_version_id = v.id and c.is_able and ks.code = 'online' order by k.name) as workers
    from workflows w
    join workflow_role r on r.id = w.role_id
    join workflow_source o on o.id = w.source_id
    join workflow_status s on s.id = w.status_id
    join lateral (select * from workflow_versions x where x.workflow_id = w.id order by x.number desc limit 1) v on true`;

export async function listWorkflows(
  db: Queryable,
  { limit, cursor, role }: PageQuery & { role?: WorkflowRole | undefined },
): Promise<Workflow[]> {
  return await db<Workflow[]>`
    ${selectWorkflow(db)}
     where true ${role ? db`and r.code = ${role}` : db``} ${cursor ? db`and w.id > ${cursor}` : db``}
     order by w.id
     limit ${limit + 1}`;
}

export async function findWorkflow(db: Queryable, workflowId: string): Promise<Workflow | undefined> {
  const [row] = await db<Workflow[]>`${selectWorkflow(db)} where w.id = ${workflowId}`;
  return row;
}

/**
 * Newest versions of the active workflows of a role, best first: those that an online worker can run, real models
 * before the CPU preview.
 */
export async function listRunnable(db: Queryable, role: WorkflowRole): Promise<Workflow[]> {
  return await db<Workflow[]>`
    select * from (${selectWorkflow(db)} where r.code = ${role} and s.code = 'active') as found
     order by cardinality(workers) = 0, is_cpu_preview, code`;
}

/** What each worker that could be asked lacks for a version; one that was never looked at is neither able nor not. */
export interface WorkerFitness {
  readonly name: string;
  readonly status: string;
  readonly isAble: boolean | null;
  readonly missing: readonly string[];
}

export async function listFitness(db: Queryable, versionId: string): Promise<WorkerFitness[]> {
  return await db<WorkerFitness[]>`
    select w.name, s.code as status, c.is_able, coalesce(c.missing, '{}') as missing
      from workers w
      join worker_status s on s.id = w.status_id and s.code <> 'disabled'
      left join worker_capabilities c on c.worker_id = w.id and c.workflow_version_id = ${versionId}
     order by s.code = 'online' desc, w.name`;
}

export async function findVersion(db: Queryable, versionId: string): Promise<WorkflowVersion | undefined> {
  const [row] = await db<WorkflowVersion[]>`
    select id, workflow_id, number, manifest, graph, created_at from workflow_versions where id = ${versionId}`;
  return row;
}

export async function setStatus(db: Queryable, workflowId: string, status: string): Promise<void> {
  await db`update workflows set status_id = (select id from workflow_status where code = ${status}) where id = ${workflowId}`;
}

/** The version of this content, made when there is none; `isNew` says which. */
export async function upsertTemplate(
  db: Queryable,
  template: WorkflowTemplate,
  made: {
    workflowId: string;
    versionId: string;
    contentHash: string;
    source: string;
    actor: Actor | undefined;
  },
): Promise<{ versionId: string; isNew: boolean }> {
  const { manifest, graph } = template;
  await db`
    insert into workflows (id, code, title, role_id, source_id, status_id)
    select ${made.workflowId}, ${manifest.code}, ${manifest.title}, r.id, o.id, s.id
      from workflow_role r, workflow_source o, workflow_status s
     where r.code = ${manifest.role} and o.code = ${made.source} and s.code = 'active'
    on conflict (code) do update set title = excluded.title`;
  const inserted = await db<{ id: string }[]>`
    insert into workflow_versions (id, workflow_id, number, graph, manifest, content_hash, created_by_id)
    select ${made.versionId}, w.id, coalesce((select max(number) from workflow_versions where workflow_id = w.id), 0) + 1,
           ${db.json(graph as Json)}, ${db.json(manifest as unknown as Json)}, ${made.contentHash}, ${
    made.actor?.userId ?? null
  }
      from workflows w where w.code = ${manifest.code}
    on conflict (workflow_id, content_hash) do nothing
    returning id`;
  if (inserted[0]) return { versionId: inserted[0].id, isNew: true };
  const [known] = await db<{ id: string }[]>`
    select v.id from workflow_versions v join workflows w on w.id = v.workflow_id
     where w.code = ${manifest.code} and v.content_hash = ${made.contentHash}`;
  return { versionId: known?.id ?? made.versionId, isNew: false };
}
