import type { Actor } from "#server/core/actor.ts";
import { newId } from "#server/core/id.ts";
import type { Json, Queryable } from "#server/db/db.ts";
import { isInForce } from "./claim.ts";
import type { PauseTarget } from "./contract.ts";
import { PRIORITY_STEP_US } from "./submit.ts";

/** Marks jobs, and those that need them if asked, to be cancelled by the queue; returns how many were not ended. */
export async function askCancel(
  db: Queryable,
  jobIds: readonly string[],
  withDependents: boolean,
): Promise<number> {
  const rows = await db`
    with recursive doomed as (
      select unnest(${jobIds as string[]}::uuid[]) as id
      union
      select d.job_id from doomed x join job_dependencies d on d.needs_job_id = x.id where ${withDependents}),
    asked as (
      update jobs j set cancel_asked_at = coalesce(j.cancel_asked_at, now())
        from doomed where j.id = doomed.id and j.status_id < 5 returning 1)
    select pg_notify('seedloop_jobs', 'cancel') from asked`;
  return rows.length;
}

/** Jobs that have not ended and work for one thing. */
export async function listOpenJobsOf(
  db: Queryable,
  subject: { column: "seed_id" | "take_id" | "cut_id" | "master_id"; id: string },
): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    select id from jobs where ${db(subject.column)} = ${subject.id} and status_id < 5`;
  return rows.map((row) => row.id);
}

/** Holds a waiting job; false when it is in no state for it. */
export async function holdJob(db: Queryable, jobId: string): Promise<boolean> {
  return await isDone(
    db,
    db`update jobs j set status_id = 3 where j.id = ${jobId} and j.status_id in (1, 2)`,
  );
}

/** Lets held jobs wait again, at the end of their user's share: time spent held earns no burst. */
export async function releaseJob(db: Queryable, jobId: string): Promise<boolean> {
  return await isDone(
    db,
    db`
    update jobs j
       set status_id = case when ${hasUnfinishedNeeds(db)} then 1 else 2 end,
           order_key = greatest(j.order_key, ${laneTime(db)} - j.priority * ${PRIORITY_STEP_US}::bigint)
     where j.id = ${jobId} and j.status_id = 3`,
  );
}

/** Queues an ended job again with a fresh retry budget; false when it is in no state for it. */
export async function retryJob(db: Queryable, jobId: string): Promise<boolean> {
  return await isDone(
    db,
    db`
    update jobs j
       set status_id = 2, finished_at = null, output = null, failure_class_id = null, error = null, failures = 0,
           retried_after = j.attempt, cancel_asked_at = null, run_at = now(),
           order_key = greatest(j.order_key, ${laneTime(db)} - j.priority * ${PRIORITY_STEP_US}::bigint)
     where j.id = ${jobId} and j.status_id in (6, 7)`,
  );
}

/** Sends a queued job back to wait for what it needs; after retryJob(), which knows only "queued". */
export async function blockIfNeeded(db: Queryable, jobId: string): Promise<void> {
  await db`update jobs j set status_id = 1 where j.id = ${jobId} and j.status_id = 2 and ${
    hasUnfinishedNeeds(db)
  }`;
}

export async function setPriority(db: Queryable, jobId: string, priority: number): Promise<boolean> {
  return await isDone(
    db,
    db`
    update jobs j
       set priority = ${priority}, order_key = j.order_key + (j.priority - ${priority}) * ${PRIORITY_STEP_US}::bigint
     where j.id = ${jobId} and j.status_id in (1, 2, 3)`,
  );
}

/** An instant before which it does not start. */
export async function setRunAt(db: Queryable, jobId: string, runAt: string): Promise<void> {
  await db`update jobs set run_at = ${runAt} where id = ${jobId} and status_id in (1, 2, 3)`;
}

/** Whoever may run it now is woken: no place in line has changed. */
export async function setPin(db: Queryable, jobId: string, workerId: string | null): Promise<void> {
  await db`
    with pinned as (
      update jobs set pinned_worker_id = ${workerId} where id = ${jobId} and status_id in (1, 2, 3)
      returning lane_id, order_key)
    select wake_queue(lane_id, order_key) from pinned`;
}

export async function setInput(
  db: Queryable,
  jobId: string,
  input: Json,
  work: number | null,
): Promise<void> {
  await db`
    update jobs set input = ${db.json(input)}, work = ${work} where id = ${jobId} and status_id in (1, 2, 3)`;
}

/** The status of a job that stays what it is until this transaction ends; undefined when there is none. */
export async function lockStatus(db: Queryable, jobId: string): Promise<string | undefined> {
  const [row] = await db<{ status: string }[]>`
    select s.code as status from jobs j join job_status s on s.id = j.status_id
     where j.id = ${jobId} for no key update of j`;
  return row?.status;
}

function hasUnfinishedNeeds(db: Queryable) {
  return db`exists (select 1 from job_dependencies d join jobs n on n.id = d.needs_job_id
    where d.job_id = j.id and n.status_id <> 5)`;
}

/** Where the lane of job `j` has got to. */
function laneTime(db: Queryable) {
  return db`coalesce(
    (select max(least(r.order_key, r.order_key + r.priority * ${PRIORITY_STEP_US}::bigint)) from jobs r
      where r.status_id = 4 and r.lane_id = j.lane_id),
    (select least(q.order_key, q.order_key + q.priority * ${PRIORITY_STEP_US}::bigint) from jobs q
      where q.lane_id = j.lane_id and q.status_id = 2 order by q.order_key, q.id limit 1), 0)`;
}

async function isDone(db: Queryable, change: ReturnType<Queryable>): Promise<boolean> {
  return (await db`${change} returning 1`).length > 0;
}

export interface Place {
  readonly id: string;
  readonly lane: string;
  readonly userId: string | null;
  readonly orderKey: number;
  readonly isWaiting: boolean;
}

/** Two jobs with their places in line, locked. */
export async function lockPlaces(db: Queryable, jobIds: readonly string[]): Promise<Map<string, Place>> {
  const rows = await db<Place[]>`
    select j.id, l.code as lane, j.user_id, j.order_key, j.status_id in (1, 2, 3) as is_waiting
      from jobs j join lane l on l.id = j.lane_id
     where j.id = any(${jobIds as string[]}::uuid[]) order by j.id for no key update of j`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** The waiting jobs of one user in a lane, in order: their places are theirs to permute. */
export async function listPlacesOfUser(db: Queryable, lane: string, userId: string): Promise<Place[]> {
  return await db<Place[]>`
    select j.id, l.code as lane, j.user_id, j.order_key, true as is_waiting
      from jobs j join lane l on l.id = j.lane_id
     where l.code = ${lane} and j.user_id = ${userId} and j.status_id in (1, 2, 3)
     order by j.order_key, j.id for no key update of j`;
}

/** The key of the next waiting job of the lane in the given direction from `place`, any user's. */
export async function findNeighbourKey(
  db: Queryable,
  place: Place,
  side: "before" | "after",
): Promise<number | undefined> {
  const [row] = await db<{ orderKey: number }[]>`
    select j.order_key from jobs j join lane l on l.id = j.lane_id
     where l.code = ${place.lane} and j.status_id in (1, 2, 3)
       and (j.order_key, j.id) ${
    side === "before" ? db`<` : db`>`
  } (${place.orderKey}::bigint, ${place.id}::uuid)
     order by ${side === "before" ? db`j.order_key desc, j.id desc` : db`j.order_key, j.id`} limit 1`;
  return row?.orderKey;
}

/** Makes room by two for one job, right before or right after `place`: all that wait behind move back. */
export async function shiftPlaces(db: Queryable, place: Place, side: "before" | "after"): Promise<void> {
  await db`
    update jobs j set order_key = j.order_key + 2
     where j.lane_id = (select id from lane where code = ${place.lane}) and j.status_id in (1, 2, 3)
       and (j.order_key, j.id) ${
    side === "before" ? db`>=` : db`>`
  } (${place.orderKey}::bigint, ${place.id}::uuid)`;
}

export async function setPlaces(
  db: Queryable,
  places: readonly { id: string; orderKey: number }[],
): Promise<void> {
  await db`
    update jobs j set order_key = g.order_key
      from unnest(${places.map((one) => one.id)}::uuid[], ${places.map((one) => one.orderKey)}::bigint[])
           as g (id, order_key)
     where j.id = g.id and j.order_key <> g.order_key`;
}

/** Of a target that is paused already nothing changes; a pause that was yet to begin gives way to this one. */
export async function insertPause(
  db: Queryable,
  target: PauseTarget,
  actor: Actor,
  afterJobId: string | null,
): Promise<void> {
  const { laneId, userId, workerId } = pauseColumns(db, target);
  await db`
    delete from queue_pauses p
     where (p.lane_id = ${laneId} or p.user_id = ${userId} or p.worker_id = ${workerId}) and not ${
    isInForce(db)
  }`;
  await db`
    insert into queue_pauses (id, lane_id, user_id, worker_id, paused_by_id, after_job_id)
    select ${newId<"pause">()}::uuid, ${laneId}, ${userId}, ${workerId}, ${actor.userId}, ${afterJobId}::uuid
        on conflict do nothing`;
}

export async function deletePause(db: Queryable, target: PauseTarget): Promise<void> {
  const { laneId, userId, workerId } = pauseColumns(db, target);
  await db`
    with ended as (
      delete from queue_pauses
       where lane_id = ${laneId} or user_id = ${userId} or worker_id = ${workerId} returning 1)
    select pg_notify('seedloop_jobs', '') from ended`;
}

function pauseColumns(db: Queryable, target: PauseTarget) {
  return {
    laneId: db`(select id from lane where code = ${"lane" in target ? target.lane : null})`,
    userId: db`${"userId" in target ? target.userId : null}::uuid`,
    workerId: db`${"workerId" in target ? target.workerId : null}::uuid`,
  };
}
