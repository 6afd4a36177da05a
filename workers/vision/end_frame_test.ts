import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import type { FrameCurves } from "#server/clips/job_kinds.ts";
import { chooseEndFrame, type EndFaceFact, findSceneCut } from "./end_frame.ts";
import { FrameMeter } from "./frame_meter.ts";
import { makeGrain, makeScene, toRgb } from "./testing/clip_maker.ts";

/** A clip of 100 frames whose motion falls to a rest at `restAt`, over a noise floor of 1. */
function restingCurves(restAt: number, change: Partial<FrameCurves> = {}): FrameCurves {
  const frames = Array.from({ length: 100 }, (_, t) => t);
  return {
    motion: frames.map((t) => t === 0 ? 0 : 1 + 3 * Math.min(1, Math.abs(t - restAt) / 12)),
    motion2: frames.map(() => 4),
    sharpness: frames.map(() => 200),
    meanLuma: frames.map(() => 110),
    meanLab: frames.map(() => [46, 2, 5]),
    noiseFloor: 1,
    ...change,
  };
}

const within = (target: number, window: number) => ({ target, window, exact: false });

Deno.test("chooseEndFrame ends on the rest that lies in the window", () => {
  for (const restAt of [74, 80, 83, 88]) {
    const choice = chooseEndFrame(restingCurves(restAt), within(80, 10));
    assert(Math.abs(choice.frame - restAt) <= 1, `rest at ${restAt}, chose ${choice.frame}`);
    assert(choice.stability > 0.8);
    assertEquals(choice.rejected, []);
  }
});

Deno.test("chooseEndFrame subtracts the noise floor, so that grain does not hide a rest", () => {
  const calm = restingCurves(84);
  const grainy = restingCurves(84, { motion: calm.motion.map((d) => d + 20), noiseFloor: 21 });
  const clean = chooseEndFrame(calm, within(80, 10));
  const other = chooseEndFrame(grainy, within(80, 10));
  assertEquals(other.frame, clean.frame);
  assertAlmostEquals(other.score, clean.score, 1e-9);
});

Deno.test("chooseEndFrame takes the target as it is when exact, and still says what is wrong with it", () => {
  const choice = chooseEndFrame(restingCurves(84), { target: 99, window: 10, exact: true });
  assertEquals(choice.frame, 99);
  assertEquals(choice.rejected, []);
  assert(choice.stability < 0.1);
  const frozen = restingCurves(84);
  frozen.motion.fill(0, 90);
  assertEquals(chooseEndFrame(frozen, { target: 99, window: 0, exact: true }).rejected.map((r) => r.frame), [
    99,
  ]);
});

Deno.test("chooseEndFrame leaves the last 4 frames, flashes, freezes and what follows a cut", () => {
  const reasons = (curves: FrameCurves, target = 80, window = 10) =>
    chooseEndFrame(curves, within(target, window)).rejected;
  assertEquals(reasons(restingCurves(99), 95, 4).map((r) => r.frame), [96, 97, 98, 99]);

  const flash = restingCurves(80);
  flash.meanLuma[80] = 140;
  assertEquals(reasons(flash).map((r) => [r.frame, r.reason]), [[80, "a flash"]]);

  const frozen = restingCurves(60);
  frozen.motion.fill(0, 78, 86);
  assertEquals(reasons(frozen).map((r) => r.frame), [77, 78, 79, 80, 81, 82, 83, 84, 85]);

  const cut = restingCurves(80);
  cut.motion[86] = 60;
  cut.meanLuma.fill(60, 86);
  assertEquals(findSceneCut(cut), 86);
  assertEquals(reasons(cut).map((r) => r.frame), [83, 84, 85, 86, 87, 88, 89, 90]);
});

Deno.test("chooseEndFrame wants a face where one is required, open eyes and kept likeness", () => {
  const facts = (change: (frame: number) => Partial<EndFaceFact>): EndFaceFact[] =>
    Array.from(
      { length: 100 },
      (_, frame) => ({ frame, hasFace: true, likeness: 0.95, eyesOpen: 1, ...change(frame) }),
    );
  const curves = restingCurves(80);
  const blink = chooseEndFrame(
    curves,
    within(80, 10),
    facts((t) => Math.abs(t - 80) < 2 ? { eyesOpen: 0 } : {}),
  );
  assertEquals(blink.rejected.map((r) => r.frame), [79, 80, 81]);
  assert([78, 82].includes(blink.frame));
  const lost = chooseEndFrame(curves, within(80, 10), facts((t) => t > 77 ? { likeness: 0.3 } : {}));
  assert(lost.frame <= 77, `chose ${lost.frame}`);
  const gone = facts((t) => t > 75 ? { hasFace: false, likeness: null, eyesOpen: null } : {});
  assert(chooseEndFrame(curves, within(80, 10), gone, true).frame <= 75);
  assertEquals(chooseEndFrame(curves, within(80, 10), gone, false).frame, 80);
});

Deno.test("chooseEndFrame prefers a sharp frame and one in the clip's own colour", () => {
  const blurred = restingCurves(80);
  for (let t = 79; t <= 81; t++) blurred.sharpness[t] = 60;
  assertEquals(Math.abs(chooseEndFrame(blurred, within(80, 10)).frame - 80), 2);
  const drifted = restingCurves(80);
  for (let t = 80; t < 100; t++) drifted.meanLab[t] = [46, 12, 5];
  assertEquals(chooseEndFrame(drifted, within(80, 10)).frame, 79);
});

Deno.test("chooseEndFrame names the best of the rejected with stability 0 when no frame may be taken", () => {
  const nobody = Array.from(
    { length: 100 },
    (_, frame) => ({ frame, hasFace: false, likeness: null, eyesOpen: null }),
  );
  const choice = chooseEndFrame(restingCurves(82), within(80, 10), nobody, true);
  assertEquals([choice.stability, choice.rejected.length], [0, 21]);
  assert(Math.abs(choice.frame - 82) <= 1);
});

Deno.test("chooseEndFrame finds where a swinging subject turns, from pixels", () => {
  const [width, height, turn] = [240, 136, 58];
  const draw = makeScene(width, height);
  const grain = makeGrain(2);
  const meter = new FrameMeter(width, height);
  for (let t = 0; t < 76; t++) {
    const swing = Math.cos((2 * Math.PI * (t - turn)) / 50);
    meter.push(toRgb(grain(draw({ pan: 0.15 * t, subject: width / 2 + 30 * swing }), t)).data);
  }
  const { frame } = chooseEndFrame(meter.curves(), within(56, 10));
  assert(Math.abs(frame - turn) <= 1, `the subject turns at ${turn}, chose ${frame}`);
});
