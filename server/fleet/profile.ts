import { newId } from "#server/core/id.ts";
import { type Db, type Json, type Queryable, transact } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { workerChanged, type WorkerProfile } from "./contract.ts";

/** How many looks back "what had changed" is kept. */
const KEPT_CHANGES = 20;

export interface SeenProfile {
  readonly workerId: string;
  readonly version: string | null;
  /** Class and a digest of its description. */
  readonly nodes: readonly (readonly [string, string])[];
  readonly models: readonly { folder: string; name: string; sizeBytes: number | null }[];
  readonly devices: readonly { name: string; vramTotalBytes: number | null }[];
}

/**
 * Keeps what a worker is made of, and what had changed since it was last looked at; the first look changes nothing.
 * True when it was the first look or something had changed.
 */
export async function recordProfile(db: Db, seen: SeenProfile): Promise<boolean> {
  const { workerId } = seen;
  return await transact(db, async (tx) => {
    const [worker] = await tx<{ isKnown: boolean; before: string | null }[]>`
      select exists (select 1 from worker_nodes n where n.worker_id = w.id) as is_known,
             (select c.version_after from worker_changes c where c.worker_id = w.id order by c.at desc, c.id desc limit 1)
               as before
        from workers w where w.id = ${workerId} and w.removed_at is null for no key update`;
    if (!worker) return false;
    const changes = worker.isKnown ? await findChanges(tx, seen) : [];
    const isNew = !worker.isKnown || changes.length > 0 || worker.before !== seen.version;
    if (isNew) await saveChange(tx, seen, worker.before, changes);
    await replaceProfile(tx, seen);
    if (isNew) await announce(tx, workerChanged, "fleet", { workerId: workerId as never });
    return isNew;
  });
}

interface Item {
  readonly kind: string;
  readonly name: string;
}

const json = (db: Queryable, value: unknown) => db.json(value as Json);

async function findChanges(db: Queryable, seen: SeenProfile): Promise<Item[]> {
  const nodes = seen.nodes.map(([name, digest]) => ({ name, digest }));
  return await db<Item[]>`
    with nodes as (select * from jsonb_to_recordset(${json(db, nodes)}) as g (name text, digest text)),
    models as (select g.folder, g.name, g."sizeBytes" as size_bytes
                 from jsonb_to_recordset(${
    json(db, seen.models)
  }) as g (folder text, name text, "sizeBytes" bigint))
    select case when o.class_name is null then 'node_added' when n.name is null then 'node_removed'
                else 'node_changed' end as kind, coalesce(n.name, o.class_name) as name
      from nodes n full join (select * from worker_nodes where worker_id = ${seen.workerId}) o
        on o.class_name = n.name
     where n.digest is distinct from o.digest
    union all
    select case when o.name is null then 'model_added' when m.name is null then 'model_removed'
                else 'model_changed' end, coalesce(m.folder || '/' || m.name, o.folder || '/' || o.name)
      from models m full join (select * from worker_models where worker_id = ${seen.workerId}) o
        on o.folder = m.folder and o.name = m.name
     where o.name is null or m.name is null
        -- A server that tells no sizes says nothing of a change.
        or (m.size_bytes is not null and o.size_bytes is not null and m.size_bytes <> o.size_bytes)
     order by 1, 2`;
}

/** The first look leaves a change without items, so that the next one knows the version before. */
async function saveChange(
  db: Queryable,
  seen: SeenProfile,
  before: string | null,
  items: readonly Item[],
): Promise<void> {
  const id = newId<"worker change">();
  await db`
    insert into worker_changes (id, worker_id, version_before, version_after)
    values (${id}, ${seen.workerId}, ${before}, ${seen.version})`;
  await db`
    insert into worker_change_items (change_id, kind_id, name)
    select ${id}, k.id, g.name from jsonb_to_recordset(${json(db, items)}) as g (kind text, name text)
      join worker_change_kind k on k.code = g.kind`;
  await db`
    delete from worker_changes where worker_id = ${seen.workerId} and id not in (
      select id from worker_changes where worker_id = ${seen.workerId} order by at desc, id desc limit ${KEPT_CHANGES})`;
}

async function replaceProfile(db: Queryable, seen: SeenProfile): Promise<void> {
  const { workerId } = seen;
  for (const table of ["worker_nodes", "worker_models", "worker_devices"]) {
    await db`delete from ${db(table)} where worker_id = ${workerId}`;
  }
  await db`
    insert into worker_nodes (worker_id, class_name, digest)
    select ${workerId}::uuid, g.name, g.digest
      from jsonb_to_recordset(${
    json(db, seen.nodes.map(([name, digest]) => ({ name, digest })))
  }) as g (name text, digest text)
    on conflict do nothing`;
  await db`
    insert into worker_models (worker_id, folder, name, size_bytes)
    select ${workerId}::uuid, g.folder, g.name, g."sizeBytes"
      from jsonb_to_recordset(${json(db, seen.models)}) as g (folder text, name text, "sizeBytes" bigint)
    on conflict do nothing`;
  await db`
    insert into worker_devices (worker_id, position, name, vram_total_bytes)
    select ${workerId}::uuid, row_number() over () - 1, g.name, g."vramTotalBytes"
      from jsonb_to_recordset(${json(db, seen.devices)}) as g (name text, "vramTotalBytes" bigint)`;
}

export async function findProfile(db: Queryable, workerId: string): Promise<WorkerProfile> {
  const [row] = await db<WorkerProfile[]>`
    select (select count(*)::integer from worker_nodes where worker_id = ${workerId}) as nodes,
           (select coalesce(json_agg(json_build_object('folder', folder, 'name', name, 'sizeBytes', size_bytes)
                     order by folder, name), '[]') from worker_models where worker_id = ${workerId}) as models,
           (select coalesce(json_agg(json_build_object('name', name, 'vramTotalBytes', vram_total_bytes)
                     order by position), '[]') from worker_devices where worker_id = ${workerId}) as devices,
           (select coalesce(json_agg(json_build_object(
                     'at', to_char(c.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                     'versionBefore', c.version_before, 'versionAfter', c.version_after,
                     'items', (select coalesce(json_agg(json_build_object('kind', k.code, 'name', i.name)
                                        order by k.id, i.name), '[]')
                                 from worker_change_items i join worker_change_kind k on k.id = i.kind_id
                                where i.change_id = c.id)) order by c.at desc, c.id desc), '[]')
              from worker_changes c
             where c.worker_id = ${workerId}
               and (exists (select 1 from worker_change_items i where i.change_id = c.id)
                    or c.version_before <> c.version_after)) as changes`;
  if (!row) throw new Error("Cannot read the profile: PostgreSQL gave no row");
  return row;
}
