import { assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import { connect, type Db } from "./db.ts";
import { startEmbeddedPostgres } from "./embedded.ts";

const UNTIL_MS = 90_000;

/** The number, read again and again until the database answers. */
async function readNumber(db: Db): Promise<number | undefined> {
  for (;;) {
    try {
      const [row] = await db<{ n: number }[]>`select n from kept`;
      return row?.n;
    } catch {
      await delay(20);
    }
  }
}

Deno.test("a database that is killed comes back at the same address with all that was committed", async () => {
  const root = await Deno.makeTempDir({ prefix: "seedloop_pg_" });
  await Deno.chmod(root, 0o755);
  const dir = `${root}/pg`;
  const server = await startEmbeddedPostgres({ dir, log: silentLog });
  const db = connect({ url: server.url, max: 2 });
  try {
    await db`create table kept as select 7 as n`;
    for (let kill = 0; kill < 2; kill++) {
      const [pid] = (await Deno.readTextFile(`${dir}/postmaster.pid`)).split("\n");
      // A statement that would go on for long after its server is gone.
      const busy = db`select pg_sleep(10)`.catch(() => {});
      Deno.kill(Number(pid), "SIGKILL");
      const late = () => new Error("The database did not come back");
      assertEquals(await deadline(readNumber(db), UNTIL_MS, late), 7);
      await busy;
      const [again] = (await Deno.readTextFile(`${dir}/postmaster.pid`)).split("\n");
      assertEquals(again === pid, false);
    }
  } finally {
    await db.end({ timeout: 1 });
    await server.stop();
  }
  assertEquals(await Deno.stat(`${dir}/postmaster.pid`).then(() => true, () => false), false);
  await Deno.remove(root, { recursive: true });
});
