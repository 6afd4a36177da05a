import type { Json, Queryable } from "#server/db/db.ts";
import type {
  Worker,
  WorkerCommandKind,
  WorkerDetail,
  WorkerImpact,
  WorkerInput,
  WorkerKind,
  WorkerRules,
  WorkerStatus,
} from "./contract.ts";

const columns = (db: Queryable) =>
  db`
  w.id, w.name, k.code as kind, s.code as status, w.url, w.software, w.version, w.max_parallel,
  (select count(*)::integer from jobs j where j.worker_id = w.id and j.status_id = 4) as running,
  exists (select 1 from queue_pauses p where p.worker_id = w.id) as is_paused,
  w.last_seen_at, w.last_error, w.created_at`;

/** Without those that were removed, which only what they made still names. */
const sources = (db: Queryable) =>
  db`workers w join worker_kind k on k.id = w.kind_id and w.removed_at is null join worker_status s on s.id = w.status_id`;

export async function listWorkers(db: Queryable): Promise<Worker[]> {
  return await db<Worker[]>`select ${columns(db)} from ${sources(db)} order by w.name`;
}

export async function findWorker(db: Queryable, workerId: string): Promise<Worker | undefined> {
  const [row] = await db<Worker[]>`select ${columns(db)} from ${sources(db)} where w.id = ${workerId}`;
  return row;
}

const ruleColumns = (db: Queryable) =>
  db`
  (select o.code from worker_order_kind o where o.id = w.watch_up_to_id) as watch_up_to, w.pause_at_celsius,
  w.resume_at_celsius, w.min_free_vram_bytes::float8 as min_free_vram_bytes`;

/** What the watch-dog may do, which ComfyUI-Manager is there, and whether the studio keeps the worker running. */
export async function findCare(
  db: Queryable,
  workerId: string,
): Promise<Pick<WorkerDetail, "rules" | "manager" | "isWanted"> | undefined> {
  const [row] = await db<(WorkerRules & Pick<WorkerDetail, "manager" | "isWanted">)[]>`
    select ${ruleColumns(db)}, w.manager,
           (select c.is_wanted from worker_commands c join worker_command_kind k on k.id = c.kind_id
             where c.worker_id = w.id and k.code = 'start') as is_wanted
      from workers w where w.id = ${workerId}`;
  if (!row) return undefined;
  const { manager, isWanted, ...rules } = row;
  return { rules, manager, isWanted };
}

export async function saveRules(db: Queryable, workerId: string, rules: WorkerRules): Promise<void> {
  await db`
    update workers
       set watch_up_to_id = (select id from worker_order_kind where code = ${rules.watchUpTo}),
           pause_at_celsius = ${rules.pauseAtCelsius}, resume_at_celsius = ${rules.resumeAtCelsius},
           min_free_vram_bytes = ${rules.minFreeVramBytes}
     where id = ${workerId}`;
}

export async function listCapabilities(
  db: Queryable,
  workerId: string,
): Promise<WorkerDetail["capabilities"]> {
  return await db<WorkerDetail["capabilities"]>`
    select c.workflow_version_id, f.code as workflow_code, f.title as workflow_title, c.is_able, c.missing, c.checked_at
      from worker_capabilities c
      join workflow_versions v on v.id = c.workflow_version_id
      join workflows f on f.id = v.workflow_id
     where c.worker_id = ${workerId}
     order by f.code, v.number`;
}

/** The newest version of each workflow in use. */
export async function listActiveGraphs(
  db: Queryable,
): Promise<{ code: string; title: string; graph: Json }[]> {
  return await db<{ code: string; title: string; graph: Json }[]>`
    select f.code, f.title, v.graph
      from workflows f
      join workflow_status s on s.id = f.status_id and s.code = 'active'
      join lateral (select x.graph from workflow_versions x where x.workflow_id = f.id
                     order by x.number desc limit 1) v on true
     order by f.title`;
}

export type QueueImpact = Pick<WorkerImpact, "running" | "waiting" | "waitingOnlyHere">;

export async function findImpact(db: Queryable, workerId: string): Promise<QueueImpact> {
  const [row] = await db<QueueImpact[]>`
    select (select coalesce(json_agg(json_build_object('jobId', j.id, 'label', k.label, 'userName', u.display_name)
                     order by j.id), '[]')
              from jobs j join job_kind k on k.id = j.kind_id left join users u on u.id = j.user_id
             where j.worker_id = ${workerId} and j.status_id = 4) as running,
           count(*)::integer as waiting,
           (count(*) filter (where not exists (
             select 1 from workers w join worker_status s on s.id = w.status_id
              where w.id <> ${workerId} and s.code in ('online', 'unknown', 'offline', 'unhealthy', 'suspect', 'resting')
                and (j.workflow_version_id is null or exists (
                  select 1 from worker_capabilities c
                   where c.worker_id = w.id and c.workflow_version_id = j.workflow_version_id and c.is_able)))
           ))::integer as waiting_only_here
      from jobs j join lane l on l.id = j.lane_id and l.code = 'gpu'
     where j.status_id in (1, 2, 3)`;
  if (!row) throw new Error("Cannot read the queue: PostgreSQL gave no row");
  return row;
}

export interface WorkerInsert extends WorkerInput {
  readonly id: NonNullable<WorkerInput["id"]>;
  readonly kind: WorkerKind;
  readonly createdById: string | null;
}

/** The name of another ComfyUI server that is registered under this address. */
export async function findWorkerAt(
  db: Queryable,
  url: string,
  exceptId: string,
): Promise<string | undefined> {
  const [row] = await db<{ name: string }[]>`
    select w.name from ${sources(db)} where w.url = ${url} and k.code = 'comfyui' and w.id <> ${exceptId}`;
  return row?.name;
}

/** False when there is a worker of this id already. */
export async function insertWorker(db: Queryable, worker: WorkerInsert): Promise<boolean> {
  const rows = await db`
    insert into workers (id, name, kind_id, status_id, url, max_parallel, created_by_id)
    select ${worker.id}, ${worker.name}, k.id, s.id, ${worker.url}, ${worker.maxParallel}, ${worker.createdById}
      from worker_kind k, worker_status s where k.code = ${worker.kind} and s.code = 'unknown'
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export async function updateWorker(
  db: Queryable,
  workerId: string,
  change: { name?: string | undefined; url?: string | undefined; maxParallel?: number | undefined },
): Promise<void> {
  await db`
    update workers
       set name = coalesce(${change.name ?? null}, name),
           url = coalesce(${change.url ?? null}, url),
           max_parallel = coalesce(${change.maxParallel ?? null}, max_parallel)
     where id = ${workerId}`;
}

export async function setWorkerStatus(db: Queryable, workerId: string, status: WorkerStatus): Promise<void> {
  await db`update workers set status_id = (select id from worker_status where code = ${status}) where id = ${workerId}`;
}

/** Takes a worker out of the fleet, but leaves its row to what names it; false while something runs on it. */
export async function retireWorker(db: Queryable, workerId: string): Promise<boolean> {
  const rows = await db`
    with pauses as (delete from queue_pauses where worker_id = ${workerId}),
    commands as (delete from worker_commands where worker_id = ${workerId}),
    capabilities as (delete from worker_capabilities where worker_id = ${workerId})
    update workers w
       set removed_at = now(), owner_node_id = null, status_id = (select id from worker_status where code = 'disabled')
     where w.id = ${workerId} and not exists (select 1 from jobs j where j.worker_id = w.id and j.status_id = 4)
    returning 1`;
  return rows.length > 0;
}

/**
 * The CPU engine of this process, under the first of `names` that is no other living process's; its address is
 * another at each start. Undefined when all are taken.
 */
export async function upsertCpuEngine(
  db: Queryable,
  engine: { id: string; names: readonly string[]; url: string; nodeId: string },
): Promise<string | undefined> {
  for (const name of engine.names) {
    const [row] = await db<{ id: string }[]>`
      insert into workers as w (id, name, kind_id, status_id, url, owner_node_id)
      select ${engine.id}, ${name}, k.id, s.id, ${engine.url}, ${engine.nodeId}
        from worker_kind k, worker_status s where k.code = 'cpu_engine' and s.code = 'unknown'
      on conflict (name) where removed_at is null
        do update set url = excluded.url, owner_node_id = excluded.owner_node_id, owner_epoch = w.owner_epoch + 1
         where w.kind_id = excluded.kind_id and (w.owner_node_id = excluded.owner_node_id or not ${
      isDriven(db)
    })
      returning id`;
    if (row) return row.id;
  }
  return undefined;
}

export interface OwnedWorker extends WorkerRules {
  readonly id: string;
  readonly name: string;
  readonly kind: WorkerKind;
  readonly status: WorkerStatus;
  readonly url: string;
  readonly capabilityHash: string | null;
  /** Of this machine: how it is started, and started anew. */
  readonly commands: readonly OwnedCommand[];
}

export interface OwnedCommand {
  readonly kind: WorkerCommandKind;
  readonly args: string[];
  readonly folder: string | null;
  readonly environment: string[];
  readonly isWanted: boolean;
}

/** How long a node may be silent before its workers are driven by another. */
const SILENT_MS = 20_000;

/** Whether the worker `w` has an owner that lives. */
function isDriven(db: Queryable) {
  return db`exists (
    select 1 from server_nodes n
     where n.id = w.owner_node_id and n.stopped_at is null
       and n.heartbeat_at > now() - ${SILENT_MS} * interval '1 millisecond')`;
}

/**
 * Takes over workers that nobody drives, ends drains that are through, and returns all that this node drives.
 * A CPU engine listens on its own machine's loopback and ends with its process: no other node takes it, it is offline.
 */
export async function adoptWorkers(db: Queryable, nodeId: string, host?: string): Promise<OwnedWorker[]> {
  return await db<OwnedWorker[]>`
    with adopted as (
      update workers w
         set owner_node_id = ${nodeId}, owner_epoch = w.owner_epoch + 1
       where w.kind_id <> (select id from worker_kind where code = 'cpu_engine')
         and w.removed_at is null
         -- What a machine starts is driven from there.
         and not exists (
           select 1 from worker_commands c
            where c.worker_id = w.id and c.host <> coalesce(${
    host ?? null
  }, (select host from server_nodes where id = ${nodeId})))
         and w.owner_node_id is distinct from ${nodeId}::uuid
         and not ${isDriven(db)}
      returning w.id),
    ended as (
      update workers w
         set status_id = (select id from worker_status where code = 'offline'), last_error = 'The process that it belongs to has ended'
       where w.kind_id = (select id from worker_kind where code = 'cpu_engine')
         and w.removed_at is null
         and w.status_id in (select id from worker_status where code in ('online', 'unhealthy'))
         and w.owner_node_id is distinct from ${nodeId}::uuid
         and not ${isDriven(db)}
      returning w.id),
    drained as (
      update workers w set status_id = (select id from worker_status where code = 'disabled')
       where w.status_id = (select id from worker_status where code = 'draining')
         and w.owner_node_id = ${nodeId}
         and not exists (select 1 from jobs j where j.worker_id = w.id and j.status_id = 4)
      returning w.id),
    told as (
      insert into events (kind_id, topic, data)
      select e.id, 'fleet', jsonb_build_object('workerId', d.id)
        from (select id from drained union all select id from ended) d join event_kind e on e.code = 'worker.changed')
    select w.id, w.name, k.code as kind, s.code as status, w.url, w.capability_hash, ${ruleColumns(db)},
           (select coalesce(json_agg(json_build_object(
                     'kind', x.code, 'args', c.args, 'folder', c.folder, 'environment', c.environment,
                     'isWanted', c.is_wanted) order by x.id), '[]')
              from worker_commands c join worker_command_kind x on x.id = c.kind_id
             where c.worker_id = w.id and c.host = coalesce(${
    host ?? null
  }, (select host from server_nodes where id = ${nodeId}))) as commands
      from ${sources(db)}
     where w.owner_node_id = ${nodeId} or w.id in (select id from adopted)
     order by w.id`;
}

/** Workers of this node that are online and were not checked for some version of an active workflow. */
export async function listWorkersToCheck(db: Queryable, nodeId: string): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    select w.id
      from workers w join worker_status s on s.id = w.status_id and s.code = 'online'
     where w.owner_node_id = ${nodeId} and w.capability_hash is not null
       and exists (
         select 1 from workflow_versions v
           join workflows f on f.id = v.workflow_id
           join workflow_status t on t.id = f.status_id and t.code = 'active'
          where not exists (
            select 1 from worker_capabilities c where c.worker_id = w.id and c.workflow_version_id = v.id))`;
  return rows.map((row) => row.id);
}

/** Lets the process that drives the fleet look at the rows again. */
export async function wakeFleet(db: Queryable): Promise<void> {
  await db`select pg_notify('seedloop_jobs', 'fleet')`;
}

export interface SeenWorker {
  readonly workerId: string;
  readonly isReachable: boolean;
  readonly health: "well" | "resting" | "suspect" | "unhealthy";
  readonly software: string | null;
  readonly version: string | null;
  readonly manager: string | null;
  readonly problem: string | null;
  /** Whose word it is: taken only from the process that drives the worker. Undefined is not checked. */
  readonly ownerNodeId?: string | undefined;
}

/** Writes what was seen of a worker; true when its state changed. Disabled and draining ones stay so. */
export async function saveSeen(db: Queryable, seen: SeenWorker): Promise<boolean> {
  // A worker that is being started anew is away for a while: it stays suspect until it is well.
  const isTrouble = seen.health === "suspect" || seen.health === "unhealthy";
  const status: WorkerStatus = isTrouble
    ? seen.health
    : !seen.isReachable
    ? "offline"
    : seen.health === "resting"
    ? "resting"
    : "online";
  const [row] = await db<{ hasChanged: boolean }[]>`
    with old as (select id, status_id, version, last_error from workers where id = ${seen.workerId} and removed_at is null
                   and owner_node_id is not distinct from coalesce(${
    seen.ownerNodeId ?? null
  }::uuid, owner_node_id) for no key update)
    update workers w
       set status_id = case when s.code in ('draining', 'disabled') then w.status_id
                            else (select id from worker_status where code = ${status}) end,
           software = coalesce(${seen.software}, w.software), version = coalesce(${seen.version}, w.version),
           last_seen_at = case when ${seen.isReachable} then now() else w.last_seen_at end,
           last_error = ${seen.problem}, manager = ${seen.manager}
      from old join worker_status s on s.id = old.status_id
     where w.id = old.id
    returning w.status_id <> old.status_id or w.version is distinct from old.version
           or (${isTrouble} and w.last_error is distinct from old.last_error) as has_changed`;
  return row?.hasChanged ?? false;
}

export interface VersionToCheck {
  readonly id: string;
  readonly manifest: Json;
  readonly graph: Json;
}

/** Versions of active workflows that this worker was not checked for; all of them with `anew`. */
export async function listVersionsToCheck(
  db: Queryable,
  workerId: string,
  anew: boolean,
): Promise<VersionToCheck[]> {
  return await db<VersionToCheck[]>`
    select v.id, v.manifest, v.graph
      from workflow_versions v
      join workflows f on f.id = v.workflow_id
      join workflow_status s on s.id = f.status_id and s.code = 'active'
     where ${anew} or not exists (
       select 1 from worker_capabilities c where c.worker_id = ${workerId} and c.workflow_version_id = v.id)
     order by v.id`;
}

/** Saves what a worker lacks for each version, and which description of its nodes that was told from. */
export async function saveCapabilities(
  db: Queryable,
  workerId: string,
  capabilityHash: string,
  found: readonly { versionId: string; missing: readonly string[] }[],
): Promise<void> {
  await db`
    insert into worker_capabilities (worker_id, workflow_version_id, is_able, missing)
    select w.id, v.id, jsonb_array_length(g.missing) = 0, array(select jsonb_array_elements_text(g.missing))
      from jsonb_to_recordset(${db.json(found as unknown as Json)}) as g ("versionId" uuid, missing jsonb)
      join workflow_versions v on v.id = g."versionId"
      join workers w on w.id = ${workerId}
    on conflict (worker_id, workflow_version_id) do update
       set is_able = excluded.is_able, missing = excluded.missing, checked_at = now()`;
  await db`update workers set capability_hash = ${capabilityHash} where id = ${workerId}`;
}
