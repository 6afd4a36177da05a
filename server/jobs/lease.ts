import type { Lane } from "#server/core/job_kind.ts";
import type { Queryable } from "#server/db/db.ts";
import { type ClaimedJob, LEASE_MS, listClaimed } from "./claim.ts";

/** A process that runs jobs: a row of `server_nodes`. */
export interface ServerNode {
  readonly id: string;
  /** Where `pid` means something: two processes of one `host` can look each other's pid up. */
  readonly host: string;
  readonly pid: number;
  readonly version: string;
}

/** Makes the node known, or alive again after its queue thread was restarted. */
export async function enterNode(db: Queryable, node: ServerNode): Promise<void> {
  await db`
    insert into server_nodes (id, host, pid, version)
    values (${node.id}, ${node.host}, ${node.pid}, ${node.version})
    on conflict (id) do update set heartbeat_at = now(), stopped_at = null`;
}

/** The node has left, or is known to be dead; the other processes take its workers over at once. */
export async function leaveNode(db: Queryable, nodeId: string): Promise<void> {
  await db`
    with gone as (update server_nodes set stopped_at = now() where id = ${nodeId} and stopped_at is null returning 1)
    select pg_notify('seedloop_jobs', 'fleet') from gone`;
}

/** Nodes of this host that hold leases or workers: whether their process is alive can be looked up here. */
export async function listNodesOfHost(
  db: Queryable,
  host: string,
): Promise<{ id: string; pid: number; isStopped: boolean }[]> {
  return await db<{ id: string; pid: number; isStopped: boolean }[]>`
    select n.id, n.pid, n.stopped_at is not null as is_stopped from server_nodes n
     where n.host = ${host}
       and (exists (select 1 from jobs j where j.lease_node_id = n.id)
            or n.stopped_at is null and exists (select 1 from workers w where w.owner_node_id = n.id))`;
}

export interface Beat {
  /** Jobs of this node whose lease was renewed; what is missing was lost. */
  readonly held: { readonly id: string; readonly epoch: number; readonly isCancelAsked: boolean }[];
}

/** Renews the node and all its leases by the database's clock. */
export async function beat(db: Queryable, nodeId: string): Promise<Beat> {
  const [row] = await db<Beat[]>`
    with alive as (update server_nodes set heartbeat_at = now(), stopped_at = null where id = ${nodeId}),
    renewed as (
      update jobs j set lease_until = now() + ${LEASE_MS} * interval '1 millisecond'
       where j.lease_node_id = ${nodeId} and j.status_id = 4
      returning j.id, j.lease_epoch, j.cancel_asked_at)
    select coalesce(json_agg(json_build_object(
             'id', id, 'epoch', lease_epoch, 'isCancelAsked', cancel_asked_at is not null)), '[]') as held
      from renewed`;
  return row ?? { held: [] };
}

/**
 * Renews the lease of one run and says whether it still is this process's: false when another has claimed the job
 * since. Asked before what can't be taken back, so that a process that was frozen does not do it beside its successor.
 */
export async function renewLease(
  db: Queryable,
  job: Pick<ClaimedJob, "id" | "epoch" | "nodeId">,
): Promise<boolean> {
  const rows = await db`
    update jobs j set lease_until = now() + ${LEASE_MS} * interval '1 millisecond'
     where j.id = ${job.id} and j.lease_epoch = ${job.epoch} and j.lease_node_id = ${job.nodeId} and j.status_id = 4
    returning 1`;
  return rows.length > 0;
}

export interface Look {
  /** Lanes in which a job is ready. */
  readonly ready: readonly Lane[];
  /** Waiting jobs that were asked to be cancelled. */
  readonly toCancel: readonly string[];
  /** Running jobs of this node that were asked to be cancelled. */
  readonly toStop: readonly string[];
  /** Whether some lease has run out. */
  readonly hasSilent: boolean;
}

/** Everything that there may be to do, in one statement: the poll that backs up the notifications. */
export async function look(db: Queryable, nodeId: string): Promise<Look> {
  const [row] = await db<Look[]>`
    select array(select l.code from lane l
                  where exists (select 1 from jobs j
                                 where j.lane_id = l.id and j.status_id = 2 and j.run_at <= now())) as ready,
           array(select j.id from jobs j
                  where j.cancel_asked_at is not null and j.status_id < 4) as to_cancel,
           array(select j.id from jobs j
                  where j.cancel_asked_at is not null and j.status_id = 4 and j.lease_node_id = ${nodeId}) as to_stop,
           exists (select 1 from jobs j where j.status_id = 4 and j.lease_until < now()) as has_silent`;
  return row ?? { ready: [], toCancel: [], toStop: [], hasSilent: false };
}

/** A job that takes its process down each time it runs is given up after so many lost leases. */
const MAX_LOST = 30;

/**
 * Gives running jobs back whose lease has run out or whose node is known to be dead, without spending an attempt.
 * `keep` are the runs that this process has in its hands. Returns how many were given back, and those that have
 * been lost so often that they should fail.
 */
export async function rescue(
  db: Queryable,
  options: { deadNodeIds: readonly string[]; keep: readonly string[] },
): Promise<{ rescued: number; hopeless: ClaimedJob[] }> {
  const silent = db`
    j.status_id = 4 and (j.lease_until < now() or j.lease_node_id = any(${options
    .deadNodeIds as string[]}::uuid[]))
    and j.id <> all(${options.keep as string[]}::uuid[])`;
  const lost = db`(
    select count(*) from job_attempts a where a.job_id = j.id and a.number > j.retried_after and a.outcome_id = 4)`;
  const rows = await db`
    with silent as (
      select j.id, j.lease_node_id as node_id from jobs j where ${silent} and ${lost} < ${MAX_LOST}
         for update of j skip locked),
    ${freeSteps(db, 4)}`;
  const hopeless = await listClaimed(db, db`${silent} and ${lost} >= ${MAX_LOST}`);
  return { rescued: rows.length, hopeless };
}

/** Gives jobs that this process runs back to the queue, without spending an attempt. */
export async function handBack(
  db: Queryable,
  jobs: readonly { id: string; epoch: number }[],
): Promise<number> {
  if (jobs.length === 0) return 0;
  const rows = await db`
    with silent as (
      select j.id, j.lease_node_id as node_id
        from jobs j join unnest(${jobs.map((one) => one.id)}::uuid[], ${
    jobs.map((one) => one.epoch)
  }::integer[]) as g (id, epoch) on g.id = j.id and g.epoch = j.lease_epoch
       where j.status_id = 4 order by j.id for update of j),
    ${freeSteps(db, 5)}`;
  return rows.length;
}

/** From `silent`, locked: the jobs wait again and their attempts have ended so (a number of attempt_outcome). */
function freeSteps(db: Queryable, outcome: 4 | 5) {
  return db`
    freed as (
      update jobs j set status_id = 2, lease_until = null, lease_node_id = null, run_at = now()
        from silent s where j.id = s.id returning j.*, s.node_id)
    insert into job_attempts (id, job_id, number, worker_id, node_id, started_at, finished_at, outcome_id)
    select attempt_id, id, attempt, worker_id, node_id, attempt_started_at, now(), ${outcome} from freed
    returning 1`;
}
