import { connect } from "#server/db/db.ts";
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
