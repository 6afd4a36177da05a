import { assertEquals } from "@std/assert/mod.js";
import type { FrameCurves } from "#server/clips/job_kinds.ts";
import { FrameMeter } from "./frame_meter.ts";
import { judgeSeams } from "./seam.ts";
import {
  type FloatImage,
  makeGrain,
  makeScene,
  scaleLight,
  shiftLeft,
  soften,
  toRgb,
  turnHue,
} from "./testing/clip_maker.ts";

const [WIDTH, HEIGHT, FRAMES, CUT] = [320, 180, 60, 30];
const draw = makeScene(WIDTH, HEIGHT);
const grain = makeGrain(0.8);
/** A slow pan behind a disc that swings: what the scene shows at one moment. */
const sceneAt = (time: number) =>
  draw({ pan: 0.7 * time, subject: WIDTH / 2 + 18 * Math.sin((2 * Math.PI * time) / 48) });

interface Fault {
  readonly time?: (frame: number) => number;
  readonly spoil?: (image: FloatImage, frame: number) => FloatImage;
  readonly repeats?: number;
}

const drawn = new Map<number, FloatImage>();
function frameOf(fault: Fault, frame: number): FloatImage {
  if (fault.repeats === frame) return frameOf(fault, frame - 1);
  const time = fault.time?.(frame) ?? frame;
  let image = drawn.get(time);
  if (!image) drawn.set(time, image = sceneAt(time));
  return grain(fault.spoil?.(image, frame) ?? image, frame);
}

function judge(fault: Fault, cut = CUT, frames = FRAMES) {
  const meter = new FrameMeter(WIDTH, HEIGHT);
  for (let frame = 0; frame < frames; frame++) meter.push(toRgb(frameOf(fault, frame)).data);
  const [seam] = judgeSeams(meter.curves(), [cut]);
  if (!seam) throw new Error("no seam was judged");
  return { ...seam, signals: seam.reasons.map((reason) => reason.split(":")[0]) };
}

const after = (spoil: (image: FloatImage) => FloatImage, from = CUT): Fault => ({
  spoil: (image, frame) => frame < from ? image : spoil(image),
});
const CASES: [name: string, fault: Fault, signals: string[], verdict?: string][] = [
  ["a clean seam", {}, []],
  ["a hue shift of 2 %", after((image) => turnHue(image, 0.02)), ["colour"]],
  ["a hue shift of 5 %", after((image) => turnHue(image, 0.05)), ["colour"], "fail"],
  ["3 % more light", after((image) => scaleLight(image, 1.03)), ["jump", "colour", "brightness"]],
  ["a shift of 2 pixels", after((image) => shiftLeft(image, 2)), ["jump"]],
  ["a shift of 6 pixels", after((image) => shiftLeft(image, 6)), ["jump"], "fail"],
  ["3 frames skipped", { time: (frame) => frame < CUT ? frame : frame + 3 }, ["jump"], "fail"],
  [
    "a frame twice",
    { time: (frame) => frame < CUT ? frame : frame - 1, repeats: CUT },
    ["duplicate"],
    "fail",
  ],
  ["softening by 0.8 pixels", after((image) => soften(image, 0.8)), ["softening"]],
  [
    "motion that turns back",
    { time: (frame) => frame < CUT ? frame : 2 * CUT - 2 - frame },
    ["reversal"],
    "fail",
  ],
  ["a hue pop 5 frames late", after((image) => turnHue(image, 0.05), CUT + 5), ["colour"], "fail"],
];

for (const [name, fault, signals, verdict] of CASES) {
  Deno.test(`judgeSeams finds ${signals.join(" and ") || "nothing"} at ${name}`, () => {
    const seam = judge(fault);
    assertEquals(seam.signals, signals);
    assertEquals(seam.verdict === "pass", signals.length === 0);
    if (verdict) assertEquals(seam.verdict, verdict);
  });
}

/** Curves of a clip whose motion is given, with everything else even. */
function curvesOf(motion: readonly number[], noiseFloor = 0.2): FrameCurves {
  return {
    motion: [...motion],
    motion2: motion.map((value, t) => t < 2 ? 0 : 0.75 * (value + motion[t - 1]!)),
    sharpness: motion.map(() => 100),
    meanLuma: motion.map(() => 110),
    meanLab: motion.map(() => [46, 2, 5]),
    noiseFloor,
  };
}

Deno.test("judgeSeams takes no rest for a duplicate and no slow turn for a reversal", () => {
  const restAt30 = Array.from({ length: 60 }, (_, t) => t === 0 ? 0 : 0.2 + 0.08 * Math.abs(t - 30));
  const curves = curvesOf(restAt30);
  // At rest two steps differ by grain alone, as one step does.
  curves.motion2[30] = curves.motion2[31] = 0.22;
  assertEquals(judgeSeams(curves, [30])[0]?.reasons, []);
});

Deno.test("judgeSeams takes a mean colour that moves steadily for no step", () => {
  const curves = curvesOf(Array.from({ length: 60 }, (_, t) => t === 0 ? 0 : 2 + 0.1 * (t % 3)));
  const walksIn = curves.meanLab.map(([l, a, b], t): [number, number, number] => [l + 1.2 * t, a, b]);
  assertEquals(
    judgeSeams({ ...curves, meanLab: walksIn, meanLuma: walksIn.map(([l]) => 2 * l) }, [30])[0]?.reasons,
    [],
  );
});

Deno.test("judgeSeams judges seams near a clip's ends and leaves out what is no seam", () => {
  const motion = Array.from({ length: 40 }, (_, t) => t === 0 ? 0 : 2 + 0.1 * (t % 3));
  motion[38] = 6;
  const seams = judgeSeams(curvesOf(motion), [0, 1, 38, 40, 99]);
  assertEquals(seams.map(({ frame, verdict }) => [frame, verdict]), [[1, "pass"], [38, "fail"]]);
});

Deno.test("judgeSeams says null, not 0, of a reversal that too little motion hides", () => {
  assertEquals(judgeSeams(curvesOf(Array.from({ length: 40 }, () => 0.21)), [20])[0]?.reversal, null);
});
