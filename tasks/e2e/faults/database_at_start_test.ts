import { assertEquals } from "@std/assert/mod.js";
import { until } from "#server/testing/until.ts";
import { StudioUnderFire } from "./fire.ts";

Deno.test("a studio whose database is killed while it starts waits until that is back, and is up then", async () => {
  const data = await Deno.makeTempDir({ prefix: "seedloop_fire_" });
  await Deno.chmod(data, 0o755);
  const studio = new StudioUnderFire(data);
  try {
    // Before it is ready, and when the first file of the schema has run.
    await until("the database's process", () => studio.kill("postgres", Math.random));
    await until("a schema file", () => studio.said.includes("schema file ran"));
    assertEquals(await studio.kill("postgres", Math.random), true);
    await studio.untilUp();
    assertEquals(studio.ownEnds, { starting: 0, running: 0 }, studio.said);
  } finally {
    await studio.stop();
    await Deno.remove(data, { recursive: true });
  }
});
