import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { FleetKeeper } from "./fleet.ts";

Deno.test("FleetKeeper registers the CPU engine later when the database could not take it in at first", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "here", pid: 1, version: "test" });
  await db`
    create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$`;
  await db`create trigger full_disk before insert on workers execute function refuse()`;
  const told: string[] = [];
  const keeper = new FleetKeeper({
    db,
    log: silentLog,
    nodeId,
    host: "here",
    tell: (about) => void told.push(about),
    onReady: () => {},
    takeBack: () => {},
  });
  keeper.hear("engine_ready", { url: "http://127.0.0.1:9" });
  await keeper.keep();
  assertEquals((await db`select id from workers`).length, 0);
  await db`drop trigger full_disk on workers`;
  await keeper.keep();
  const workers = await db<{ url: string }[]>`select url from workers`;
  assertEquals(workers.map(({ url }) => url), ["http://127.0.0.1:9"]);
  assertEquals(told, ["watch"]);
});
