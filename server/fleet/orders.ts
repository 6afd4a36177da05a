import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import {
  workerChanged,
  type WorkerOrder,
  type WorkerOrderKind,
  type WorkerOrderOutcome,
} from "./contract.ts";
import { wakeFleet } from "./queries.ts";

/** How many of a worker's last orders are shown; older ones are in the audit. */
const SHOWN = 20;
/** An order that has not ended after this was lost with the process that had it. */
const LOST_MINUTES = 30;

const columns = (db: Queryable) =>
  db`o.id, k.code as "order", u.display_name as asked_by, o.asked_at, o.reason, o.begun_at, o.ended_at,
     c.code as outcome, o.note`;

const sources = (db: Queryable) =>
  db`worker_orders o join worker_order_kind k on k.id = o.kind_id
     left join users u on u.id = o.asked_by_id left join worker_order_outcome c on c.id = o.outcome_id`;

export async function listOrders(db: Queryable, workerId: string): Promise<WorkerOrder[]> {
  return await db<WorkerOrder[]>`
    select ${columns(db)} from ${sources(db)} where o.worker_id = ${workerId}
     order by o.asked_at desc, o.id desc limit ${SHOWN}`;
}

export interface OrderToDo {
  readonly id: string;
  readonly workerId: string;
  readonly kind: WorkerOrderKind;
  readonly reason: string;
}

/** Puts an order on the list; the process that drives the worker takes it. The same id again changes nothing. */
export async function placeOrder(
  db: Db,
  actor: Actor | undefined,
  order: Omit<OrderToDo, "id"> & { readonly id?: string | undefined },
): Promise<WorkerOrder> {
  const id = order.id ?? newId<"worker order">();
  return await transact(db, async (tx) => {
    const rows = await tx`
      insert into worker_orders (id, worker_id, kind_id, asked_by_id, reason)
      select ${id}, ${order.workerId}, k.id, ${actor?.userId ?? null}, ${order.reason}
        from worker_order_kind k where k.code = ${order.kind}
      on conflict (id) do nothing returning 1`;
    const [row] = await tx<WorkerOrder[]>`
      select ${columns(tx)} from ${sources(tx)} where o.id = ${id} and o.worker_id = ${order.workerId}`;
    if (!row) {
      throw new AppError("conflict", "Cannot take this order: its id belongs to another. Leave the id out");
    }
    if (rows.length > 0) {
      await tell(tx, actor, order.workerId, { order: order.kind, reason: order.reason });
      await wakeFleet(tx);
    }
    return row;
  });
}

/** The orders for workers of this node that nobody has taken yet; each is given out once. */
export async function takeOrders(db: Db, nodeId: string): Promise<OrderToDo[]> {
  await db`
    update worker_orders o
       set ended_at = now(), note = 'The studio was restarted meanwhile: look at the worker and ask again',
           outcome_id = (select id from worker_order_outcome where code = 'failed')
      from workers w
     where w.id = o.worker_id and w.owner_node_id = ${nodeId} and o.ended_at is null
       and o.begun_at < now() - ${LOST_MINUTES} * interval '1 minute'`;
  return await db<OrderToDo[]>`
    with taken as (
      update worker_orders o set begun_at = now()
        from workers w
       where w.id = o.worker_id and w.owner_node_id = ${nodeId} and o.begun_at is null and o.ended_at is null
      returning o.id, o.worker_id, o.kind_id, o.reason, o.asked_at)
    select t.id, t.worker_id, k.code as kind, t.reason
      from taken t join worker_order_kind k on k.id = t.kind_id order by t.asked_at, t.id`;
}

/** Records that the watch-dog does something by itself; an order that somebody gave is known already. */
export async function recordBegun(
  db: Db,
  order: OrderToDo & { readonly promptIds: readonly string[] },
): Promise<void> {
  await transact(db, async (tx) => {
    const rows = await tx`
      insert into worker_orders (id, worker_id, kind_id, reason, begun_at)
      select ${order.id}, w.id, k.id, ${order.reason}, now()
        from worker_order_kind k, workers w where k.code = ${order.kind} and w.id = ${order.workerId}
      on conflict (id) do nothing returning 1`;
    if (rows.length === 0) {
      return await announce(tx, workerChanged, "fleet", { workerId: order.workerId as never });
    }
    await tell(tx, undefined, order.workerId, {
      order: order.kind,
      reason: order.reason,
      prompts: order.promptIds,
    });
  });
}

/** Records how an order ended. A second end of the same order changes nothing. */
export async function recordEnded(
  db: Db,
  end: { id: string; workerId: string; outcome: WorkerOrderOutcome; note: string },
): Promise<void> {
  await transact(db, async (tx) => {
    const [row] = await tx<{ kind: string }[]>`
      update worker_orders o
         set ended_at = now(), note = ${end.note},
             outcome_id = (select id from worker_order_outcome where code = ${end.outcome})
        from worker_order_kind k
       where o.id = ${end.id} and o.worker_id = ${end.workerId} and o.ended_at is null and k.id = o.kind_id
      returning k.code as kind`;
    if (row) {
      await tell(tx, undefined, end.workerId, { order: row.kind, outcome: end.outcome, note: end.note });
    }
  });
}

async function tell(
  tx: Queryable,
  actor: Actor | undefined,
  workerId: string,
  facts: Record<string, unknown>,
): Promise<void> {
  await audit(tx, actor, "worker.order", { subject: ["worker", workerId], facts });
  // An id of a row that is there.
  await announce(tx, workerChanged, "fleet", { workerId: workerId as never });
}
