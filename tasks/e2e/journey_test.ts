import { assertEquals } from "@std/assert/mod.js";
import { stagesOf, withJourney } from "./journey.ts";

Deno.test("a newcomer goes from the printed link to a final clip of six seconds, by keys", async (test) => {
  const look = () => Promise.resolve();
  await withJourney({ size: { width: 384, height: 256 }, look }, async (journey, said) => {
    for (const { name, walk } of stagesOf(journey)) {
      // What comes after a stage needs it.
      if (!await test.step(name, walk)) break;
    }
    assertEquals(said, []);
  });
});
