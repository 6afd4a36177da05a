import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { CutLine } from "#server/testing/cut_line.ts";
import { until } from "#server/testing/until.ts";
import { connect, transact, type Tx } from "./db.ts";
import { isPassing } from "./sql_error.ts";

Deno.test("instants come as ISO-8601 to the millisecond, as Date reads them, from any year", async () => {
  await using database = await openTestDatabase();
  const texts = [
    "2026-11-22 21:00:00+00",
    "2026-11-22 21:00:00.1+00",
    "2026-11-22 21:00:00.123456+00",
    "2026-11-22 21:00:00.9999+00",
    "1969-12-31 23:59:59.999+00",
    "2026-07-01 00:00:00+05:30",
  ];
  for (const text of texts) {
    const [row] = await database.db<{ at: string }[]>`select ${text}::text::timestamptz as at`;
    assertEquals(row?.at, new Date(text).toISOString(), text);
  }
});

Deno.test("a pool reaches the embedded database by its socket file as by loopback", async () => {
  await using database = await openTestDatabase();
  const [row] = await database.db<{ peer: string | null }[]>`select inet_client_addr()::text as peer`;
  const isBySocket = new URL(database.url).searchParams.has("host");
  assertEquals(row?.peer === null, isBySocket);
});

Deno.test("no statement is compiled, whatever the database would do by itself", async () => {
  await using database = await openTestDatabase();
  const queue = connect({ url: database.url, max: 1, isPlannedOnce: true });
  for (const db of [database.db, queue]) {
    const [row] = await db<{ jit: string }[]>`select current_setting('jit') as jit`;
    assertEquals(row?.jit, "off");
  }
  await queue.end();
});

Deno.test("no statement is planned to read a whole table because it is empty yet", async () => {
  await using database = await openTestDatabase();
  await database.db`vacuum analyze jobs`;
  const queue = connect({ url: database.url, max: 1, isPlannedOnce: true });
  for (const db of [database.db, queue]) {
    const rows = await db`explain select from jobs where id = ${crypto.randomUUID()}`;
    assertMatch(rows.map((row) => Object.values(row)[0]).join("\n"), /Index Only Scan using jobs_pkey/);
  }
  await queue.end();
});

Deno.test("transact() throws what passes when its connection is cut, whatever it was at, and never asks it again", async () => {
  await using database = await openTestDatabase();
  await using line = new CutLine(database.url);
  // One, so that the next statement must open it again.
  const db = connect({ url: line.url, max: 1 });
  const works: Record<string, (tx: Tx) => Promise<unknown>> = {
    "between two statements": async (tx) => {
      const [own] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      line.cut();
      await until("the session's end", async () => {
        const rows = await database.db`select from pg_stat_activity where pid = ${own?.pid ?? 0}`;
        return rows.length === 0;
      });
      return await tx`select 1`;
    },
    "in a statement": async (tx) => {
      const late = tx`select pg_sleep(60)`.execute();
      line.cut();
      return await late;
    },
    "in a savepoint": async (tx) =>
      await tx.savepoint(async (inner) => {
        const late = inner`select pg_sleep(60)`.execute();
        line.cut();
        return await late;
      }),
  };
  try {
    for (const [where, work] of Object.entries(works)) {
      const lost = await transact(db, async (tx) => {
        await tx`select 1`;
        return await work(tx);
      }).then(() => undefined, (error) => error);
      assertEquals(isPassing(lost), true, `${where}: ${lost}`);
      const [row] = await db<{ n: number }[]>`select 7 as n`;
      assertEquals(row?.n, 7, where);
    }
  } finally {
    await db.end({ timeout: 1 });
  }
});

Deno.test("isPassing() knows a lost connection from a broken pipe or a missing file of something else", () => {
  const lost = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });
  assertEquals(
    [
      lost("EPIPE", "write"),
      lost("EPIPE"),
      lost("ENOENT", "connect"),
      lost("ETIMEDOUT"),
      lost("CONNECTION_CLOSED"),
    ].map(
      isPassing,
    ),
    [true, true, true, true, true],
  );
  const other = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  assertEquals([other, lost("ENOENT", "open")].map(isPassing), [false, false]);
});
