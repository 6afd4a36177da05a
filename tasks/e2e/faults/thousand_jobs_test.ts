import { assertEquals } from "@std/assert/mod.js";
import { setFire } from "./thousand_jobs.ts";

Deno.test("jobs under kills of the server, a thread and the database are all done, once each, as their files say", async () => {
  const data = await Deno.makeTempDir({ prefix: "seedloop_fire_" });
  await Deno.chmod(data, 0o755);
  const seed = Number(Deno.env.get("SEEDLOOP_TEST_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  try {
    const report = await setFire(data, {
      seed,
      jobs: 24,
      generations: 3,
      kills: 3,
      victims: ["server", "postgres", "media"],
      longestLullMs: 1_500,
    });
    assertEquals(report.breaches, [], `seed ${seed}`);
    assertEquals(report.counts["jobs"], 24, `seed ${seed}`);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
