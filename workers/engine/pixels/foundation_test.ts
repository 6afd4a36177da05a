import { assert } from "@std/assert/assert.js";
import { assertEquals } from "@std/assert/equals.js";
import { assertNotEquals } from "@std/assert/not_equals.js";
import { assertThrows } from "@std/assert/throws.js";
import { BACKGROUNDS, type FoundationRequest, makeFoundation } from "./foundation.ts";
import { FRAMINGS } from "./framing.ts";
import { LIGHTS } from "./light.ts";
import { lumaOf, type Picture } from "./picture.ts";
import { cutPortrait } from "./portrait.ts";
import { drawNoise, drawPerson, frameDifference } from "./testing.ts";

const { picture: PERSON, face: FACE } = drawPerson(400, 400);

function given(change: Partial<FoundationRequest> = {}): FoundationRequest {
  return {
    ...{ portrait: PERSON, faces: [FACE], seed: 1, strength: 0.7, width: 288, height: 192 },
    ...{ framing: "auto", light: "auto", background: "auto", grain: 0.7 },
    ...change,
  };
}

Deno.test("makeFoundation gives the same bytes for a seed and another picture for another", async () => {
  const one = await makeFoundation(given());
  assertEquals(one, await makeFoundation(given()));
  const others = await Promise.all([2, 3, 4, 5].map((seed) => makeFoundation(given({ seed }))));
  for (const other of others) assert(frameDifference(one, other) > 4, "two seeds look alike");
});

Deno.test("makeFoundation keeps the face: as tall against its width, its eyes dark in bright skin", async () => {
  for (const seed of [1, 2, 3]) {
    const made = await makeFoundation(given({ seed, framing: "close", width: 384, height: 256 }));
    const eyes = darkSpots(made);
    assertEquals(eyes.length, 2, `seed ${seed}: ${eyes.length} eyes`);
    for (const eye of eyes) assert(Math.abs(eye.width / eye.height - 1) < 0.25, "an eye was stretched");
  }
});

/** Dark roundish spots among skin: connected pixels darker than 70 with skin on all sides. */
function darkSpots(picture: Picture): { width: number; height: number }[] {
  const { width, height, data } = lumaOf(picture);
  const seen = new Uint8Array(data.length);
  const spots: { width: number; height: number }[] = [];
  const skin = (i: number) => data[i]! > 95 && picture.rgb[i * 3]! > picture.rgb[i * 3 + 2]! * 1.15;
  for (let start = 0; start < data.length; start++) {
    if (seen[start] || data[start]! > 70) continue;
    const heap = [start];
    const box = { left: width, right: 0, top: height, bottom: 0 };
    let edge = false;
    while (heap.length > 0) {
      const i = heap.pop()!;
      if (i < 0 || i >= data.length || seen[i] || data[i]! > 70) continue;
      seen[i] = 1;
      const x = i % width;
      const y = (i - x) / width;
      edge ||= x === 0 || y === 0 || x === width - 1 || y === height - 1;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y);
      heap.push(i - 1, i + 1, i - width, i + width);
    }
    const size = { width: box.right - box.left + 1, height: box.bottom - box.top + 1 };
    const middle = Math.round((box.top + box.bottom) / 2) * width + Math.round((box.left + box.right) / 2);
    const reach = Math.ceil(size.width * 0.8) + 2;
    if (edge || size.width < 6 || size.width > width / 8) continue;
    if (skin(middle - reach * width) && skin(middle + reach * width)) spots.push(size);
  }
  return spots;
}

Deno.test("makeFoundation takes every option and any size, without black bars", async () => {
  for (const framing of FRAMINGS) await expectFilled(given({ framing, background: "keep", light: "none" }));
  for (const light of LIGHTS) await expectFilled(given({ light, background: "soft" }));
  for (const background of BACKGROUNDS) await makeFoundation(given({ background }));
  const tall = drawPerson(120, 300);
  await expectFilled(
    given({ portrait: tall.picture, faces: [tall.face], background: "soft", light: "none" }),
  );
  for (const [width, height] of [[1, 1], [20, 20], [2000, 9], [1600, 1200]] as const) {
    const made = await makeFoundation(
      given({ portrait: drawNoise(width, height, 2), faces: [], height: 96 }),
    );
    assertEquals(made.rgb.length, 288 * 96 * 3);
  }
});

async function expectFilled(request: FoundationRequest): Promise<void> {
  const made = await makeFoundation(request);
  const { width, height, data } = lumaOf(made);
  const dark = (from: number, step: number, count: number) =>
    Array.from({ length: count }, (_, i) => data[from + i * step]!).reduce((sum, v) => sum + v, 0) / count;
  for (
    const [from, step, count] of [[0, 1, width], [0, width, height], [width - 1, width, height]] as const
  ) {
    assert(dark(from, step, count) > 12, "an edge is black");
  }
}

Deno.test("makeFoundation at strength 0 only reframes", async () => {
  const made = await makeFoundation(
    given({
      strength: 0,
      background: "keep",
      light: "none",
      grain: 0,
      width: 400,
      height: 400,
      framing: "wide",
    }),
  );
  const brightest = (picture: Picture) => picture.rgb.reduce((most, value) => Math.max(most, value), 0);
  assert(Math.abs(brightest(made) - brightest(PERSON)) < 12, "the light changed");
});

Deno.test("cutPortrait turns a tilted face upright and refuses a picture without one", () => {
  const tilt = 0.4;
  const centre = { x: FACE.box.x + FACE.box.width / 2, y: FACE.box.y + FACE.box.height / 2 };
  const turned = { ...PERSON, rgb: new Uint8Array(PERSON.rgb.length) };
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)];
  for (let y = 0; y < 400; y++) {
    for (let x = 0; x < 400; x++) {
      const u = Math.round(centre.x + cos * (x - centre.x) + sin * (y - centre.y));
      const v = Math.round(centre.y - sin * (x - centre.x) + cos * (y - centre.y));
      const from = (Math.min(399, Math.max(0, v)) * 400 + Math.min(399, Math.max(0, u))) * 3;
      turned.rgb.set(PERSON.rgb.subarray(from, from + 3), (y * 400 + x) * 3);
    }
  }
  const points = FACE.points.map((p) => ({
    x: centre.x + cos * (p.x - centre.x) - sin * (p.y - centre.y),
    y: centre.y + sin * (p.x - centre.x) + cos * (p.y - centre.y),
  }));
  const request = { foundation: turned, width: 256, height: 256, margin: 0.3 };
  const made = cutPortrait({ ...request, faces: [{ box: FACE.box, points }] });
  const upright = cutPortrait({ ...request, foundation: PERSON, faces: [FACE] });
  assert(frameDifference(made, upright) < 8, `${frameDifference(made, upright)} from upright`);
  assertNotEquals(made.rgb, upright.rgb);
  assertThrows(() => cutPortrait({ ...request, faces: [] }), RangeError, "no face was found");
});
