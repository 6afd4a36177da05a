import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { AppError } from "#server/core/errors.ts";
import { silentLog } from "#server/core/log.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { migrate, readSqlFiles } from "./migrate.ts";

Deno.test("migrate() changes nothing the second time", async () => {
  await using database = await openTestDatabase();
  const before = await database.db`select name, run_at from schema_files order by name`;
  await migrate(database.db, silentLog);
  assertEquals(await database.db`select name, run_at from schema_files order by name`, before);
});

Deno.test("migrate() refuses a database that a newer studio made", async () => {
  await using database = await openTestDatabase();
  await database
    .db`insert into schema_files (name, content_hash) values ('migrations/9999_tomorrow.sql', 'x')`;
  await assertRejects(() => migrate(database.db, silentLog), AppError, "newer Seedloop");
});

Deno.test("migrate() refuses a migration that was edited after it ran", async () => {
  await using database = await openTestDatabase();
  const files = (await readSqlFiles()).map((file) =>
    file.name === "migrations/0002_people.sql" ? { ...file, text: `${file.text}\n-- edited` } : file
  );
  await assertRejects(() => migrate(database.db, silentLog, files), AppError, "was changed after it ran");
});

Deno.test("migrate() leaves nothing of a file that fails in the middle", async () => {
  await using database = await openTestDatabase();
  const files = [...await readSqlFiles(), {
    name: "migrations/9000_half.sql",
    text: "create table half (id integer); select no_such_function();",
  }];
  await assertRejects(() => migrate(database.db, silentLog, files), Error, "no_such_function");
  const [found] = await database.db`select to_regclass('half') as half`;
  assertEquals(found?.half, null);
});

Deno.test("migrate() by two processes at once runs each file once", async () => {
  await using database = await openTestDatabase();
  const files = [...await readSqlFiles(), {
    name: "migrations/9000_once.sql",
    text: "create table once (id integer);",
  }];
  await Promise.all([migrate(database.db, silentLog, files), migrate(database.db, silentLog, files)]);
  const [found] = await database
    .db`select count(*) as n from schema_files where name = 'migrations/9000_once.sql'`;
  assertEquals(found?.n, 1);
});

Deno.test("migrate() refuses a lookup whose list was changed in its middle, and keeps every code's id", async () => {
  await using database = await openTestDatabase();
  const files = (await readSqlFiles()).map((file) =>
    file.name === "lookups/06_events.sql"
      ? { ...file, text: file.text.replace("'user.create', ", "'user.create', 'user.greet', ") }
      : file
  );
  await assertRejects(() => migrate(database.db, silentLog, files), Error, "Add new codes at the end");
  const [second] = await database.db`select code from audit_action where id = 2`;
  assertEquals(second?.code, "user.change");
});
