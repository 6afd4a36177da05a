import { assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { nativeFrames, planConform, projectFrame } from "./conform.ts";
import { EDIT_RATES, type Rate } from "./media_time.ts";

const fps = (num: number, den = 1): Rate => ({ num, den });
const anyRate: fc.Arbitrary<Rate> = fc.oneof(
  fc.constantFrom(...EDIT_RATES),
  fc.record({ num: fc.integer({ min: 1, max: 1_000_000 }), den: fc.integer({ min: 1, max: 20_000 }) })
    .filter(({ num, den }) => num / den >= 1 && num / den <= 240),
);

Deno.test("planConform takes the project's rate where the template makes any", () => {
  assertEquals(planConform(fps(48000, 2002), "any"), {
    rate: fps(24000, 1001),
    nativeRate: fps(24000, 1001),
    method: "none",
    relabelled: false,
  });
});

Deno.test("planConform chooses the nearest native rate, and counts 24 as 23.976", () => {
  assertEquals(planConform(fps(24), [fps(16)]).method, "interpolate");
  assertEquals(planConform(fps(25), [fps(16), fps(24), fps(30)]).nativeRate, fps(24));
  const relabelled = planConform(fps(24000, 1001), [fps(16), fps(24)]);
  assertEquals([relabelled.method, relabelled.relabelled, relabelled.nativeRate], [
    "none",
    true,
    fps(24000, 1001),
  ]);
  assertEquals(planConform(fps(24), [fps(24)]).relabelled, false);
  assertThrows(() => planConform(fps(24), []), RangeError, "no native rate");
});

Deno.test("nativeFrames counts what 16 fps needs for 24 and the other way round", () => {
  const up = planConform(fps(24), [fps(16)]);
  // Project frame 143 shows generated position 95.33, so frame 96 must exist: 97 frames.
  assertEquals(nativeFrames(144, up), 97);
  assertEquals(nativeFrames(1, up), 1);
  assertEquals(nativeFrames(144, planConform(fps(24), [fps(48)])), 288);
  assertEquals(nativeFrames(144, planConform(fps(24), [fps(24)])), 144);
});

Deno.test("nativeFrames is enough by position and by duration, and less would not be", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), anyRate, anyRate, (frames, rate, native) => {
      const conform = planConform(rate, [native]);
      const made = BigInt(nativeFrames(frames, conform));
      const up = BigInt(conform.nativeRate.num) * BigInt(conform.rate.den);
      const down = BigInt(conform.nativeRate.den) * BigInt(conform.rate.num);
      const enough = (count: bigint) =>
        BigInt(frames - 1) * up <= (count - 1n) * down && count * down >= BigInt(frames) * up;
      return enough(made) && !enough(made - 1n);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("projectFrame never runs backwards and starts at 0", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), anyRate, anyRate, (frame, rate, native) => {
      const conform = planConform(rate, [native]);
      return projectFrame(0, conform) === 0 &&
        projectFrame(frame + 1, conform) >= projectFrame(frame, conform);
    }),
    { numRuns: 1000 },
  );
});
