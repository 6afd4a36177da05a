import { assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { connect } from "./db.ts";
import { listen } from "./listen.ts";

/** Payloads as they come, to be waited for. */
function mailbox(): { put: (payload: string) => void; next: () => Promise<string> } {
  const kept: string[] = [];
  const waiting: ((payload: string) => void)[] = [];
  return {
    put: (payload) => {
      const first = waiting.shift();
      if (first) first(payload);
      else kept.push(payload);
    },
    next: () => {
      const first = kept.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}

Deno.test("listen() hears again after its connection was cut and the database refused it for a while", async () => {
  await using database = await openTestDatabase();
  const admin = connect({ url: new URL("/postgres", database.url).href, max: 1 });
  const name = new URL(database.url).pathname.slice(1);
  const { put, next } = mailbox();
  const listener = await listen(database.db, "trial", silentLog, put);
  assertEquals(await next(), "");
  await database.db`select pg_notify('trial', 'one')`;
  assertEquals(await next(), "one");
  await admin.unsafe(`alter database ${name} with allow_connections false`);
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  // Its first tries are refused; a role that is not superuser can't tell them from a database that is down.
  await delay(120);
  await admin.unsafe(`alter database ${name} with allow_connections true`);
  assertEquals(await next(), "");
  await admin`select 1`;
  await database.db`select pg_notify('trial', 'two')`.catch(() =>
    database.db`select pg_notify('trial', 'two')`
  );
  assertEquals(await next(), "two");
  await listener.close();
  await admin.end();
});

Deno.test("connect() refuses every query while nothing listens at the address, and waits for none", async () => {
  const nobody = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = nobody.addr;
  nobody.close();
  const db = connect({ url: `postgres://a:b@127.0.0.1:${port}/c`, max: 2 });
  for (let i = 0; i < 5; i++) {
    const answer = await db`select 1`.then(() => "answered", (error) => error.code);
    assertEquals(answer, "ECONNREFUSED");
  }
  await db.end({ timeout: 1 });
});
