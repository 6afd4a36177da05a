import { connect, type Db } from "#server/db/db.ts";
import { findProgram } from "./children.ts";
import { runPgbench } from "./pgbench.ts";
import { preciseNow } from "./queue_job.ts";

/** The least that a durable queue on PostgreSQL can do: insert with NOTIFY, heard and claimed on other connections. */
export interface Floor extends AsyncDisposable {
  add(dueMs: number): Promise<void>;
  /** How late each was claimed since the last call. */
  take(): number[];
}

export async function openFloor(url: string): Promise<Floor> {
  const db = connect({ url, max: 4 });
  await db`create table todo (id bigint generated always as identity primary key, due float8 not null, taken_at timestamptz)`;
  await db`create index on todo (id) where taken_at is null`;
  let late: number[] = [];
  const listening = await db.listen("todo", async () => {
    const rows = await db<{ due: number }[]>`
      update todo set taken_at = now() where id in (
        select id from todo where taken_at is null order by id limit 10 for update skip locked) returning due`;
    const now = preciseNow();
    for (const { due } of rows) late.push(now - due);
  });
  return {
    async add(due) {
      await db`with made as (insert into todo (due) values (${due})) select pg_notify('todo', '')`;
    },
    take() {
      const taken = late;
      late = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await listening.unlisten();
      await db.end({ timeout: 1 });
    },
  };
}

/** Jobs of a bare table, taken and deleted one at a time by two statements: nothing is kept, and nothing is said. */
export interface BareQueue extends AsyncDisposable {
  /** Fills it with so many and gives how many a second were done. */
  drain(count: number): Promise<number>;
}

/** Undefined where pgbench is missing, which drains it. */
export async function openBareQueue(url: string, clients: number): Promise<BareQueue | undefined> {
  const pgbench = await findProgram("pgbench");
  if (!pgbench) return undefined;
  const db = connect({ url, max: 1, statementTimeoutMs: 60_000 });
  await db`create table todo (id bigint primary key, input jsonb not null, taken_at timestamptz)`;
  await db`create index on todo (id) where taken_at is null`;
  // Each transaction finds one, as there are as many jobs as transactions.
  const script = [
    "update todo set taken_at = now() where id = (select id from todo where taken_at is null order by id limit 1 for update skip locked) returning id \\gset",
    "delete from todo where id = :id;",
  ].join("\n");
  return {
    async drain(count) {
      const each = Math.floor(count / clients);
      await db`truncate todo`;
      await db`
        insert into todo select n, jsonb_build_object('act', 'double', 'count', n) from generate_series(1, ${
        each * clients
      }::int) n`;
      await db`vacuum analyze todo`;
      const options = ["--transactions", String(each)];
      return await runPgbench(pgbench, { url, script: `${script}\n`, clients, options });
    },
    [Symbol.asyncDispose]: () => db.end({ timeout: 1 }),
  };
}

/**
 * Takes all queued jobs through their life by two plain statements a batch, without threads, leases to keep, fair
 * share, pauses or results that differ: what writing the same rows costs under the same constraints and triggers.
 */
export async function drainRaw(
  db: Db,
  { clients, batch }: { clients: number; batch: number },
): Promise<void> {
  const [node] = await db<{ id: string }[]>`select id from server_nodes limit 1`;
  if (!node) throw new Error("Cannot drain: open a queue first, which has a node");
  await Promise.all(Array.from({ length: clients }, async () => {
    for (;;) {
      const claimed = await db<{ id: string }[]>`
        update jobs set status_id = 4, attempt = attempt + 1, lease_epoch = lease_epoch + 1, started_at = now(),
               lease_until = now() + interval '15 seconds', lease_node_id = ${node.id}, attempt_id = new_attempt_id(), attempt_started_at = now()
         where id = any(array(
                 select id from jobs where status_id = 2 order by lane_id, order_key, id limit ${batch}
                    for update skip locked))
        returning id`;
      if (claimed.length === 0) return;
      await db`
        with ended as (
          update jobs set status_id = 5, output = '{}', finished_at = now(), lease_until = null, lease_node_id = null
           where id = any(${claimed.map(({ id }) => id)}::uuid[])
          returning *)
        insert into job_attempts (id, job_id, number, node_id, started_at, finished_at, outcome_id)
        select attempt_id, id, attempt, ${node.id}, attempt_started_at, now(), 1 from ended`;
    }
  }));
}
