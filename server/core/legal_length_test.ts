import { assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { isLegal, longest, shortest, smallestHolding } from "./legal_length.ts";

Deno.test("legal lengths of the known families", () => {
  const wan = { step: 4, offset: 1, min: 5, max: 81 };
  assertEquals([shortest(wan), longest(wan), smallestHolding(wan, 50), smallestHolding(wan, 1)], [
    5,
    81,
    53,
    5,
  ]);
  const framePack = { step: 4, offset: -3, min: 1, max: 34 };
  assertEquals([shortest(framePack), longest(framePack)], [1, 33]);
  const h3 = { step: 17, offset: 5, min: 10, max: 100 };
  assertEquals([shortest(h3), longest(h3), isLegal(h3, 39), isLegal(h3, 40), isLegal(h3, 5)], [
    22,
    90,
    true,
    false,
    false,
  ]);
  assertEquals(
    shortest({ step: 8, offset: 1, min: 2, max: 8 }) > longest({ step: 8, offset: 1, min: 2, max: 8 }),
    true,
  );
});

Deno.test("smallestHolding is legal in form, holds what is asked and wastes less than one step", () => {
  const family = fc.record({
    step: fc.integer({ min: 1, max: 20 }),
    offset: fc.integer({ min: -5, max: 20 }),
    min: fc.integer({ min: 1, max: 40 }),
    max: fc.constant(1000),
  });
  fc.assert(
    fc.property(family, fc.integer({ min: 1, max: 900 }), (lengths, frames) => {
      const found = smallestHolding(lengths, frames);
      return isLegal(lengths, found) && found >= frames &&
        (found === shortest(lengths) || found - frames < lengths.step);
    }),
    { numRuns: 2000 },
  );
});
