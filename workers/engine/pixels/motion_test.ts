import { assert } from "@std/assert/assert.js";
import { assertEquals } from "@std/assert/equals.js";
import { assertNotEquals } from "@std/assert/not_equals.js";
import { CAMERA_MOVES } from "./camera_path.ts";
import { findGrain } from "./find_grain.ts";
import { type MotionRequest, planShot } from "./motion.ts";
import type { Picture } from "./picture.ts";
import { drawNoise, drawPerson, frameDifference, laplacianVariance, meanColour, median } from "./testing.ts";

const [WIDTH, HEIGHT] = [288, 192];
const { picture: PERSON, face: FACE } = drawPerson(WIDTH, HEIGHT);

function given(change: Partial<MotionRequest> = {}): MotionRequest {
  return {
    ...{ picture: PERSON, face: FACE, frames: 40, rate: 12, seed: 7, move: "auto" },
    ...{ amount: 1, breathing: 1, grain: 0.7 },
    ...change,
  };
}

function renderAll(request: MotionRequest): Picture[] {
  const shot = planShot(request);
  const { width, height } = shot;
  return Array.from({ length: shot.frames }, (_, i) => ({ width, height, rgb: shot.render(i) }));
}

function differences(frames: readonly Picture[]): number[] {
  return frames.slice(1).map((frame, i) => frameDifference(frame, frames[i]!));
}

Deno.test("planShot begins with the very start frame and repeats itself for the same seed only", () => {
  const shot = planShot(given());
  assertEquals(shot.render(0), PERSON.rgb);
  assertEquals(planShot(given()).render(23), shot.render(23));
  assertNotEquals(planShot(given({ seed: 8 })).render(23), shot.render(23));
});

Deno.test("planShot never stands still nor jumps, with grain and without, whatever the move", () => {
  for (const move of CAMERA_MOVES) {
    for (const grain of move === "push_in" || move === "orbit" ? [0, 0.7] : [0.7]) {
      const steps = differences(renderAll(given({ move, grain, frames: 36 })));
      const middle = median(steps);
      assert(Math.min(...steps) > 0.2 * middle, `${move}, grain ${grain}: ${Math.min(...steps) / middle}`);
      assert(grain === 0 || Math.min(...steps) > 0.35 * middle, `${move}: ${Math.min(...steps) / middle}`);
      const jump = Math.max(...steps.slice(1).map((step, i) => Math.abs(step - steps[i]!)));
      assert(jump < 1.2 * middle, `${move}, grain ${grain}: speeds change by ${jump / middle} at once`);
    }
  }
});

Deno.test("planShot rests near its end", () => {
  const steps = differences(renderAll(given({ move: "push_in", frames: 48 })));
  const rest = median(steps.slice(39, 46));
  assert(rest < 0.8 * median(steps), `${rest} against ${median(steps)}`);
});

Deno.test("planShot moves by the second, not by the frame", () => {
  const slow = planShot(given({ move: "pan_left", frames: 25, rate: 12, grain: 0, breathing: 0 }));
  const fast = planShot(given({ move: "pan_left", frames: 49, rate: 24, grain: 0, breathing: 0 }));
  const at = (shot: { render(index: number): Uint8Array }, index: number) => ({
    width: WIDTH,
    height: HEIGHT,
    rgb: shot.render(index),
  });
  const same = frameDifference(at(slow, 12), at(fast, 24));
  const other = frameDifference(at(slow, 12), at(fast, 12));
  assert(same < 0.25 && other > 4 * same, `${same} and ${other}`);
});

Deno.test("planShot keeps sharpness, grain and colour over ten hops, and its seams pass the detector", () => {
  const kept = [39, 31, 36, 29, 34];
  let current = { ...PERSON };
  const frames: Picture[] = [current];
  const seams: number[] = [];
  let grain: number | undefined;
  for (let hop = 0; hop < 10; hop++) {
    const shot = planShot(given({ picture: current, seed: 100 + hop }));
    const last = kept[hop % kept.length]!;
    if (hop > 0) seams.push(frames.length);
    for (let i = 1; i <= last; i++) frames.push({ width: WIDTH, height: HEIGHT, rgb: shot.render(i) });
    current = frames.at(-1)!;
    const level = findGrain(current)?.level;
    grain ??= level;
    assertEquals(level, grain, `grain changed at hop ${hop}`);
  }
  const ratio = laplacianVariance(current) / laplacianVariance(PERSON);
  assert(ratio > 0.85 && ratio < 1.2, `sharpness ${ratio}`);
  // Framing and light change how bright a part is, but the wall's paint has one hue.
  const [before, after] = [PERSON, current].map((picture) => meanColour(picture, 0.03, 0.18));
  const [red, green, blue] = [0, 1, 2].map((c) => after![c]! / before![c]!) as [number, number, number];
  assert(
    Math.abs(green / red - 1) < 0.006 && Math.abs(blue / red - 1) < 0.006,
    `cast ${green / red} ${blue / red}`,
  );
  for (const seam of seams) checkSeam(frames, seam);
});

/** The four signals of continuity.md E.5 around frame `seam`. */
function checkSeam(frames: readonly Picture[], seam: number): void {
  const around = frames.slice(seam - 15, seam + 16);
  const [from, to] = [9, 26];
  const step = [0, ...differences(around)];
  const rho = around.map((_, t) =>
    t === 0 || t + 1 >= around.length
      ? 0
      : frameDifference(around[t + 1]!, around[t - 1]!) / ((step[t]! + step[t + 1]!) / 2)
  );
  for (let t = from; t <= to; t++) {
    const others = (values: number[]) =>
      values.slice(Math.max(1, t - 12), t + 13).filter((value) => value > 0);
    const middle = median(others(step));
    const spread = Math.max(median(others(step).map((value) => Math.abs(value - middle))), 0.02 * middle);
    const z = (step[t]! - middle) / (1.4826 * spread);
    assert(Math.abs(z) < 6, `seam ${seam}, ${t - 15}: jump z ${z}`);
    assert(t !== 15 || Math.abs(z) < 4, `seam ${seam}: jump z ${z}`);
    const turn = rho[t]! / median(others(rho));
    assert(turn > 0.7, `seam ${seam}, ${t - 15}: reversal ${turn}`);
  }
  const sharp = around.map(laplacianVariance);
  const change = median(sharp.slice(15, 21)) / median(sharp.slice(9, 15));
  assert(change > 0.85 && change < 1.18, `seam ${seam}: sharpness ${change}`);
}

Deno.test("planShot reaches a last image exactly and without a jump", () => {
  const end = drawPerson(WIDTH, HEIGHT);
  const moved: Picture = { width: WIDTH, height: HEIGHT, rgb: new Uint8Array(end.picture.rgb.length) };
  const shift = 24;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const from = (y * WIDTH + Math.min(WIDTH - 1, x + shift)) * 3;
      for (let c = 0; c < 3; c++) moved.rgb[(y * WIDTH + x) * 3 + c] = end.picture.rgb[from + c]! * 0.8 + 10;
    }
  }
  const face = {
    box: { ...FACE.box, x: FACE.box.x - shift },
    points: FACE.points.map((p) => ({ ...p, x: p.x - shift })),
  };
  const frames = renderAll(given({ last: { picture: moved, face }, frames: 33 }));
  assertEquals(frames[0]!.rgb, PERSON.rgb);
  assertEquals(frames[32]!.rgb, moved.rgb);
  const steps = differences(frames);
  assert(Math.max(...steps) < 3 * median(steps), `jump ${Math.max(...steps)} against ${median(steps)}`);
  assert(Math.min(...steps) > 0.2 * median(steps), `stands still: ${Math.min(...steps) / median(steps)}`);
  const direct = frameDifference(PERSON, moved);
  assert(Math.max(...steps) < direct / 3, `a cut, not a crossing: ${Math.max(...steps)} of ${direct}`);
  // Half way the eyes are one pair, half way between: a plain dissolve would show two grey pairs.
  const half = frames[16]!;
  const eye = FACE.points[0]!;
  const at = (x: number) => half.rgb[(Math.round(eye.y) * WIDTH + Math.round(x)) * 3]!;
  const darkest = Math.min(...Array.from({ length: 13 }, (_, i) => at(eye.x - shift / 2 - 6 + i)));
  assert(darkest < 75, `the eye is ${darkest} half way`);
});

Deno.test("planShot works on any size and on pictures without a face", () => {
  for (const [width, height] of [[1, 1], [20, 20], [17, 70], [64, 64], [640, 32]] as const) {
    const picture = drawNoise(width, height, 3);
    const shot = planShot(given({ picture, face: undefined, frames: 3 }));
    assertEquals(shot.render(2).length, width * height * 3);
  }
});

Deno.test("planShot shows no black or repeated border when it pulls out", () => {
  const bright: Picture = { ...PERSON, rgb: PERSON.rgb.map((value) => Math.max(90, value)) };
  const last = renderAll(given({ picture: bright, face: undefined, move: "pull_out", amount: 2, grain: 0 }))
    .at(-1)!;
  for (let y = 0; y < HEIGHT; y++) {
    for (const x of [0, 1, WIDTH - 1]) assert(last.rgb[(y * WIDTH + x) * 3]! > 70, `dark edge at ${x},${y}`);
  }
});
