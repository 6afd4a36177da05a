import { assert } from "@std/assert/assert.js";
import { assertEquals } from "@std/assert/equals.js";
import { assertNotEquals } from "@std/assert/not_equals.js";
import { findGrain } from "./find_grain.ts";
import { patternFor, removeGrain, snapLevel, writeGrainyRow } from "./grain.ts";
import type { Picture } from "./picture.ts";
import { drawNoise, drawPerson } from "./testing.ts";

const { picture: PERSON } = drawPerson(320, 240);

function withGrain(picture: Picture, pattern: number, level: number): Picture {
  const { width, height } = picture;
  const out = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = Float32Array.from(picture.rgb.subarray(y * width * 3, (y + 1) * width * 3));
    writeGrainyRow(row, y, pattern, level, out);
  }
  return { width, height, rgb: new Uint8Array(out.buffer) };
}

Deno.test("findGrain reads pattern and level of grain that was laid on, and none where there is none", () => {
  for (const level of [0.55, 1, 2].map(snapLevel)) {
    assertEquals(findGrain(withGrain(PERSON, 421, level)), { pattern: 421, level });
  }
  assertEquals(findGrain(PERSON), undefined);
  assertEquals(findGrain(drawNoise(200, 200, 5)), undefined);
});

Deno.test("removeGrain leaves the picture as it was, but for rounding", () => {
  const grainy = withGrain(PERSON, 77, snapLevel(2));
  const clean = removeGrain(grainy, findGrain(grainy));
  const error = (values: ArrayLike<number>) =>
    Math.sqrt(PERSON.rgb.reduce((sum, value, i) => sum + (value - values[i]!) ** 2, 0) / PERSON.rgb.length);
  assert(error(grainy.rgb) > 1.2 && error(clean) < 0.5, `${error(grainy.rgb)} left ${error(clean)}`);
});

Deno.test("patternFor never shows a pattern twice running", () => {
  for (let frame = 1; frame < 500; frame++) {
    assertNotEquals(patternFor(9, frame, 3), patternFor(9, frame - 1, 3));
    assertNotEquals(patternFor(9, frame, 3), 3);
  }
});
