import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { connect } from "#server/db/db.ts";
import { listOrders } from "#server/fleet/orders.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { CutLine } from "#server/testing/cut_line.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { until } from "#server/testing/until.ts";
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

Deno.test("FleetKeeper writes down an order that began and ended while the database was away", async () => {
  await using database = await openTestDatabase();
  await using line = new CutLine(database.url);
  const db = connect({ url: line.url, max: 2 });
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "here", pid: 1, version: "test" });
  const isWarned = Promise.withResolvers<void>();
  const takenBack: string[] = [];
  const keeper = new FleetKeeper({
    db,
    log: { ...silentLog, warn: () => isWarned.resolve() },
    nodeId,
    host: "here",
    tell: () => {},
    onReady: () => {},
    takeBack: (workerId) => void takenBack.push(workerId),
  });
  try {
    keeper.hear("engine_ready", { url: "http://127.0.0.1:9" });
    await keeper.keep();
    const [worker] = await database.db<{ id: string }[]>`select id from workers`;
    const workerId = worker?.id ?? "";
    line.isDown = true;
    line.cut();
    const order = { id: newId<"worker order">(), workerId, kind: "restart", reason: "It hangs" };
    keeper.hear("order_begun", { ...order, promptIds: [] });
    keeper.hear("order_ended", { id: order.id, workerId, outcome: "worked", note: "It is back" });
    await isWarned.promise;
    assertEquals(takenBack, [workerId]);
    line.isDown = false;
    const ended = await until("the order's end", async () => {
      const [one] = await listOrders(database.db, workerId);
      return one?.endedAt ? one : undefined;
    });
    assertEquals([ended.order, ended.reason, ended.outcome, ended.note], [
      "restart",
      "It hangs",
      "worked",
      "It is back",
    ]);
  } finally {
    keeper.stop();
    await db.end({ timeout: 1 });
  }
});
