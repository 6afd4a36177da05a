import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { colorDistance, linearToLab, measureColor } from "./color.ts";
import { differenceHash, hashDistance } from "./dhash.ts";
import { FrameMeter } from "./frame_meter.ts";
import { measureGrain } from "./grain.ts";
import { framesToLookAt, sampledFrames, summarizeLikeness } from "./likeness.ts";
import { LumaScaler, meanLuma } from "./luma.ts";
import { measureMotion } from "./motion.ts";
import { applyAffine, fitSimilarity } from "./pixels.ts";
import { laplacianVariance } from "./sharpness.ts";
import { makeGrain, makeScene, makeTexture, scaleLight, soften, toRgb } from "./testing/clip_maker.ts";

const texture = makeTexture(256, 5, [6, 20, 60]);
const rgb = toRgb(texture);
const luma = new LumaScaler(256, 256).scale(rgb.data);

Deno.test("LumaScaler keeps the mean and shrinks by area", () => {
  const wide = {
    width: 960,
    height: 4,
    data: new Uint8Array(960 * 4 * 3).map((_, i) => (i % 2880) < 1440 ? 200 : 40),
  };
  const small = new LumaScaler(960, 4).scale(wide.data);
  assertEquals([small.width, small.height], [480, 2]);
  assertAlmostEquals(meanLuma(small), 120, 0.01);
  assertAlmostEquals(small.data[239]!, 200, 0.01);
  assertAlmostEquals(small.data[240]!, 40, 0.01);
  const odd = new LumaScaler(700, 300).scale(new Uint8Array(700 * 300 * 3).fill(90));
  assertAlmostEquals(Math.min(...odd.data), 90, 0.05);
  assertAlmostEquals(Math.max(...odd.data), 90, 0.05);
});

Deno.test("measureMotion tells grain from motion by the quietest blocks", () => {
  const grain = makeGrain(3);
  const scale = (seed: number) => new LumaScaler(256, 256).scale(toRgb(grain(texture, seed)).data);
  const still = measureMotion(scale(1), scale(2));
  // Two frames of independent grain differ by 2σ/√π.
  assertAlmostEquals(still.whole, 3.39, 0.2);
  assertAlmostEquals(still.quiet, still.whole, 0.5);
  assertEquals(measureMotion(scale(1), scale(1)), { whole: 0, quiet: 0 });
});

Deno.test("laplacianVariance falls with blur and measureGrain rises with grain", () => {
  const soft = new LumaScaler(256, 256).scale(toRgb(soften(texture, 1)).data);
  assert(laplacianVariance(soft) < 0.7 * laplacianVariance(luma));
  const flat = makeTexture(256, 5, [3]);
  const grainy = (sigma: number) =>
    measureGrain(new LumaScaler(256, 256).scale(toRgb(makeGrain(sigma)(flat, 1)).data));
  assertAlmostEquals(grainy(4) / grainy(2), 2, 0.25);
});

Deno.test("measureColor gives CIE Lab and its spread", () => {
  assertEquals(linearToLab(1, 1, 1).map((value) => Math.abs(Math.round(value * 10) / 10)), [100, 0, 0]);
  const red = measureColor(new Uint8Array(300).map((_, i) => i % 3 === 0 ? 255 : 0), 10, 10);
  assertEquals(red.meanLab.map(Math.round), [53, 80, 67]);
  assertAlmostEquals(red.sigmaL, 0, 1e-3);
  const bright = measureColor(toRgb(scaleLight(texture, 1.03)).data, 256, 256);
  const own = measureColor(rgb.data, 256, 256);
  const step = colorDistance(bright.meanLab, own.meanLab);
  assert(step > 1 && step < 2, `3 % more light is ΔE ${step}`);
});

Deno.test("differenceHash stays near under blur and light, and far for another picture", () => {
  const own = differenceHash(rgb);
  assert(/^[0-9a-f]{16}$/.test(own));
  assert(hashDistance(own, differenceHash(toRgb(scaleLight(soften(texture, 2), 0.8)))) <= 6);
  assert(hashDistance(own, differenceHash(toRgb(makeTexture(256, 6, [6, 20, 60])))) > 16);
});

Deno.test("fitSimilarity finds a turn, a scale and a shift", () => {
  const from = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 3, y: 8 }];
  const to = from.map(({ x, y }) => ({ x: 5 - 2 * y, y: 7 + 2 * x }));
  const map = fitSimilarity(from, to);
  const { x, y } = applyAffine(map, 4, 4);
  assertAlmostEquals(x, -3, 1e-9);
  assertAlmostEquals(y, 15, 1e-9);
});

Deno.test("framesToLookAt leaves out what is known or near it, but never the frames that meet at a seam", () => {
  const rate = { num: 24, den: 1 };
  const wanted = sampledFrames(96, rate, [48]);
  const look = (...known: number[]) => [...framesToLookAt(wanted, new Set(known), rate, [48])];
  assertEquals(new Set(look()), wanted, "nothing is known");
  const sparse = Array.from({ length: 16 }, (_, n) => n * 6);
  assertEquals(look(...sparse), [47], "48 is known");
  assertEquals(look(...sparse, 47), []);
  const half = look(...sparse.filter((frame) => frame < 48));
  assert(half.every((frame) => frame >= 47) && half.includes(48) && half.includes(90), half.join());
});

Deno.test("sampledFrames looks at least 4 times a second and closer at seams", () => {
  const plain = [...sampledFrames(48, { num: 24, den: 1 })].toSorted((a, b) => a - b);
  assertEquals(plain, [0, 6, 12, 18, 24, 30, 36, 42, 47]);
  const rate = { num: 24000, den: 1001 };
  assertEquals(sampledFrames(48, rate).has(5), true);
  const seam = sampledFrames(200, { num: 24, den: 1 }, [100]);
  for (const frame of [92, 94, 98, 99, 100, 102, 108]) assert(seam.has(frame), `frame ${frame}`);
  assertEquals(sampledFrames(3, { num: 2, den: 1 }).size, 3);
});

Deno.test("summarizeLikeness keeps N/A apart from 0", () => {
  const model = { name: "m", hash: "h", metric: "x" };
  const nothing = summarizeLikeness(model, [{ frame: 0, score: null, reason: "no face was found" }]);
  assertEquals([nothing.median, nothing.min, nothing.coverage], [null, null, 0]);
  const some = summarizeLikeness(model, [
    { frame: 6, score: 0.5 },
    { frame: 0, score: 0.9 },
    { frame: 12, score: null, reason: "the face is blurred" },
    { frame: 18, score: 0.8 },
  ]);
  assertEquals([some.median, some.min, some.coverage], [0.8, 0.5, 0.75]);
  assertEquals(some.points.map((point) => point.frame), [0, 6, 12, 18]);
});

Deno.test("findNoiseFloor is what is left at rest, though grain is weaker in the dark, and no steady pan", () => {
  const [width, height] = [240, 136];
  const draw = makeScene(width, height);
  const grain = makeGrain(2);
  const floorOf = (panAt: (frame: number) => number) => {
    const meter = new FrameMeter(width, height);
    for (let t = 0; t < 40; t++) {
      const image = draw({ pan: panAt(t), subject: 120 });
      const noisy = grain(image, t);
      // The upper half is dark and nearly free of grain, as film is.
      for (let i = 0; i < noisy.data.length / 2; i++) {
        noisy.data[i] = 0.15 * image.data[i]! + 0.2 * (noisy.data[i]! - image.data[i]!);
      }
      meter.push(toRgb(noisy).data);
    }
    return meter.curves();
  };
  const resting = floorOf((t) => 20 - 1.2 * Math.max(0, 20 - t));
  const atRest = resting.motion.slice(-10).reduce((sum, value) => sum + value, 0) / 10;
  assert(
    resting.noiseFloor > 0.85 * atRest && resting.noiseFloor < 1.1 * atRest,
    `${resting.noiseFloor} of ${atRest}`,
  );
  const panning = floorOf((t) => 3 * t);
  assert(panning.noiseFloor < 0.5 * panning.motion[20]!, `${panning.noiseFloor} of ${panning.motion[20]}`);
});
