import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { findCatalogFaults } from "./catalog.ts";

Deno.test("findCatalogFaults() finds none in the schema", async () => {
  await using database = await openTestDatabase();
  assertEquals(await findCatalogFaults(database.db), []);
});

Deno.test("findCatalogFaults() names a text status column", async () => {
  await using database = await openTestDatabase();
  await database.db`alter table clips add column review_status text`;
  assertEquals(await findCatalogFaults(database.db), [
    "clips.review_status is named like a status, role, kind or type, but is no foreign key to a lookup",
  ]);
});

Deno.test("findCatalogFaults() names a foreign key without an index and one without a delete rule", async () => {
  await using database = await openTestDatabase();
  await database.db`create table scratch (id uuid primary key, clip_id uuid references clips)`;
  assertEquals(await findCatalogFaults(database.db), [
    "scratch.clip_id is a foreign key without an index",
    "scratch.clip_id is a foreign key without a stated delete rule",
  ]);
});

Deno.test("enforce_transition() refuses a change that is no row, also by plain SQL", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  await db`insert into users (id, login, display_name, role_id, status_id)
           values ('01900000-0000-7000-8000-000000000001', 'ada', 'Ada', 1, 3)`;
  await assertRejects(
    () => db`update users set status_id = 1`.execute(),
    Error,
    'Cannot change users from "disabled" to "invited"',
  );
  await db`update users set status_id = 2`;
});
