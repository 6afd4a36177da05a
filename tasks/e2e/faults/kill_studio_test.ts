import { assert, assertEquals } from "@std/assert/mod.js";
import { killStudio, mulberry32 } from "./kill_studio.ts";

Deno.test("mulberry32 gives the same numbers in [0, 1) for the same seed and others for another", () => {
  const draw = (seed: number) => Array.from({ length: 100 }, mulberry32(seed));
  assertEquals(draw(7), draw(7));
  assert(draw(7).every((value) => value >= 0 && value < 1));
  assert(draw(7)[0] !== draw(8)[0]);
});

Deno.test("a studio killed again and again loses nothing finished and makes nothing twice", async () => {
  const data = await Deno.makeTempDir({ prefix: "seedloop_kill_" });
  await Deno.chmod(data, 0o755);
  const seed = Number(Deno.env.get("SEEDLOOP_TEST_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  try {
    const report = await killStudio(data, {
      kills: 3,
      seed,
      demo: ["--seconds", "1", "--size", "256x192"],
      longestLifeMs: 8_000,
    });
    const { truth, orphans, kills, journeys } = report;
    assertEquals(truth.breaches, [], `seed ${seed}`);
    assertEquals(orphans, [], `seed ${seed}`);
    assertEquals(kills.length, 3);
    assertEquals(journeys[0]?.frames, 24);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
