import { assert } from "@std/assert/assert.js";
import { assertEquals } from "@std/assert/equals.js";
import { resampleBox, resizePicture } from "./resample.ts";
import { matchSharpness, renderedSharpness, sharpeningLift, sharpnessOf } from "./sharpness.ts";
import { emptyField, openWarper } from "./spline_warp.ts";
import { drawNoise, drawPerson } from "./testing.ts";

function render(
  picture: { width: number; height: number; rgb: Uint8Array },
  dx: number,
  dy: number,
): Float32Array {
  const { width, height } = picture;
  const warper = openWarper(picture.rgb, width, height);
  const field = emptyField(width, height);
  field.dx.fill(dx);
  field.dy.fill(dy);
  const out = new Float32Array(width * height * 3);
  warper.render(field, 0, 0, height, (row, y) => out.set(row, y * width * 3));
  return out;
}

Deno.test("openWarper gives back the very picture when nothing moves, and shifts whole pixels exactly", () => {
  const picture = drawNoise(50, 37, 4);
  const still = render(picture, 0, 0);
  const shifted = render(picture, 3, 2);
  for (let y = 0; y < 37 - 2; y++) {
    for (let i = 0; i < (50 - 3) * 3; i++) {
      assert(Math.abs(still[y * 150 + i]! - picture.rgb[y * 150 + i]!) < 1e-3);
      assert(Math.abs(shifted[y * 150 + i]! - picture.rgb[(y + 2) * 150 + i + 9]!) < 1e-3);
    }
  }
});

Deno.test("matchSharpness restores what half a pixel of interpolation takes", () => {
  const { picture } = drawPerson(192, 128);
  const warper = openWarper(picture.rgb, 192, 128);
  const field = emptyField(192, 128);
  field.dx.fill(0.5);
  field.dy.fill(0.5);
  const target = sharpnessOf(Float32Array.from(picture.rgb), 192, 128);
  const soft = renderedSharpness(warper, field, 0) / target;
  const amount = matchSharpness(warper, field, target, sharpeningLift(warper, field));
  const mended = renderedSharpness(warper, field, amount) / target;
  assert(soft < 0.9 && Math.abs(mended - 1) < 0.08, `${soft} mended to ${mended}`);
});

Deno.test("resizePicture keeps flat colour flat, at any ratio", () => {
  for (const [from, to] of [[3, 700], [900, 7], [64, 64], [1, 5]] as const) {
    const flat = { width: from, height: from, rgb: new Uint8Array(from * from * 3).fill(131) };
    assertEquals(new Set(resizePicture(flat, to, to).rgb), new Set([131]));
  }
});

Deno.test("resampleBox reads the part it is given", () => {
  const picture = drawNoise(40, 40, 8);
  const part = resampleBox(picture, { x: 10, y: 20, width: 8, height: 6 }, 8, 6);
  for (let y = 0; y < 6; y++) {
    const from = ((y + 20) * 40 + 10) * 3;
    assertEquals(part.rgb.slice(y * 24, y * 24 + 24), picture.rgb.slice(from, from + 24));
  }
});
