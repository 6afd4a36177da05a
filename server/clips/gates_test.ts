import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { gateCut, gateTake, leastBad, likenessSlope, type TakeFacts } from "./gates.ts";
import type { EndChoice, FrameCurves, LikenessTrack, Seam } from "./job_kinds.ts";
import { referenceOf } from "./judge_take.ts";

const MODEL = { name: "blazeface+facemesh+dlib-resnet", hash: "0".repeat(64), metric: "test" };

function curvesOf(frames: number, change: Partial<FrameCurves> = {}): FrameCurves {
  return {
    motion: Array.from({ length: frames }, (_, t) => (t === 0 ? 0 : 1)),
    motion2: Array.from({ length: frames }, (_, t) => (t < 2 ? 0 : 1.5)),
    sharpness: Array(frames).fill(100),
    meanLuma: Array(frames).fill(120),
    meanLab: Array.from({ length: frames }, (): [number, number, number] => [50, 5, 5]),
    noiseFloor: 0.2,
    ...change,
  };
}

function trackOf(scores: readonly (number | null)[], name = MODEL.name): LikenessTrack {
  const known = scores.filter((score) => score !== null).toSorted((a, b) => a - b);
  return {
    model: { ...MODEL, name },
    points: scores.map((score, index) => ({ frame: index * 6, score })),
    median: known[known.length >> 1] ?? null,
    min: known[0] ?? null,
    coverage: known.length / scores.length,
  };
}

const CALM: EndChoice = { frame: 47, score: 0.2, stability: 0.9, rejected: [] };

function take(change: Partial<TakeFacts> = {}): TakeFacts {
  return {
    segment: 1,
    curves: curvesOf(60),
    keepFrames: 48,
    end: CALM,
    exact: false,
    likeness: trackOf(Array(10).fill(0.95)),
    requireFace: true,
    reference: referenceOf(curvesOf(60), trackOf(Array(10).fill(0.96))),
    rerolls: 0,
    ...change,
  };
}

/** Verdict and what spoke, as "gate level". */
function judged(change: Partial<TakeFacts>): string[] {
  const { verdict, findings } = gateTake(take(change));
  return [verdict, ...findings.map(({ gate, level }) => `${gate} ${level}`)];
}

Deno.test("gateTake passes a good take", () => {
  assertEquals(gateTake(take()), { verdict: "pass", findings: [], segment: null, sentence: "Passed." });
});

Deno.test("gateTake judges the end: rest, rejection, and exact ends by rejection only", () => {
  assertEquals(judged({ end: { ...CALM, stability: 0.3 } }), ["pass", "end warn"]);
  assertEquals(judged({ end: { ...CALM, stability: 0.05 } }), ["reroll", "end fail"]);
  assertEquals(judged({ end: { ...CALM, stability: 0.05 }, exact: true }), ["pass", "end warn"]);
  const shut = { ...CALM, stability: 0, rejected: [{ frame: 47, reason: "eyes closed" }] };
  assertEquals(judged({ end: shut }), ["reroll", "end fail"]);
  assertEquals(judged({ end: { ...CALM, rejected: [{ frame: 40, reason: "a flash" }] } }), ["pass"]);
  assertEquals(
    gateTake(take({ end: shut, exact: true })).sentence,
    "Segment 2 is made again with a new seed: the end frame 47 is unusable: eyes closed.",
  );
});

Deno.test("gateTake makes again at most twice by itself, then asks", () => {
  const bad = { end: { ...CALM, stability: 0 } };
  assertEquals([0, 1, 2, 3].map((rerolls) => judged({ ...bad, rerolls })[0]), [
    "reroll",
    "reroll",
    "ask",
    "ask",
  ]);
  assertEquals(
    gateTake(take({ ...bad, rerolls: 2 })).sentence,
    "Segment 2 needs a decision: the end is not at rest (stability 0.00, wanted 0.1). " +
      "Keep the take, make it again or change its prompt.",
  );
});

Deno.test("gateTake finds frozen pictures and flashes inside the kept frames only", () => {
  const still = (from: number, to: number) =>
    curvesOf(60).motion.map((value, t) => (t >= from && t < to ? 0 : value));
  assertEquals(judged({ curves: curvesOf(60, { motion: still(10, 17) }) }), ["reroll", "frozen fail"]);
  assertEquals(judged({ curves: curvesOf(60, { motion: still(10, 15) }) }), ["pass"]);
  assertEquals(judged({ curves: curvesOf(60, { motion: still(48, 60) }) }), ["pass"]);
  const luma = (values: readonly number[]) =>
    curvesOf(60).meanLuma.map((value, t) => values[t - 20] ?? value);
  assertEquals(judged({ curves: curvesOf(60, { meanLuma: luma([160, 160]) }) }), ["reroll", "flash fail"]);
  assertEquals(judged({ curves: curvesOf(60, { meanLuma: luma(Array(40).fill(160)) }) }), ["pass"]);
});

Deno.test("gateTake judges likeness by the model's own limits, and takes no score for no fault", () => {
  assertEquals(judged({ likeness: trackOf(Array(10).fill(0.3)) }), ["reroll", "likeness fail", "drift fail"]);
  assertEquals(judged({ likeness: trackOf(Array(10).fill(0.3)), reference: null }), [
    "reroll",
    "likeness fail",
  ]);
  assertEquals(judged({ likeness: trackOf(Array(10).fill(0.7)) }), ["pass", "likeness warn", "drift warn"]);
  assertEquals(judged({ likeness: trackOf(Array(10).fill(0.1), "another model") }), ["pass"]);
  assertEquals(judged({ likeness: trackOf([null, null]), requireFace: false }), ["pass"]);
  assertEquals(judged({ likeness: trackOf([null, null]) }), ["reroll", "face fail"]);
  assertEquals(judged({ likeness: trackOf([0.95, 0.95, null, null]) }), ["pass", "face warn"]);
  assertEquals(judged({ likeness: null, requireFace: false }), ["pass"]);
});

Deno.test("gateTake sees drift of colour and sharpness at the end of the kept part", () => {
  const late = <T>(usual: T, other: T) =>
    Array.from({ length: 60 }, (_, t) => (t < 40 || t >= 48 ? usual : other));
  const lab = (b: number) =>
    curvesOf(60, { meanLab: late<[number, number, number]>([50, 5, 5], [50, 5, 5 + b]) });
  assertEquals(judged({ curves: lab(4) }), ["pass"]);
  assertEquals(judged({ curves: lab(6) }), ["pass", "colour warn"]);
  assertEquals(judged({ curves: lab(13) }), ["reroll", "colour fail"]);
  assertEquals(judged({ curves: lab(13), reference: null }), ["pass"]);
  assertEquals(judged({ curves: curvesOf(60, { sharpness: late(100, 60) }) }), ["pass", "sharpness warn"]);
  assertEquals(judged({ curves: curvesOf(60, { sharpness: late(100, 30) }) }), ["reroll", "sharpness fail"]);
});

Deno.test("gateTake passes two warnings and not three", () => {
  const two = { likeness: trackOf(Array(10).fill(0.7)) };
  assertEquals(judged(two)[0], "pass");
  assertEquals(judged({ ...two, end: { ...CALM, stability: 0.3 } })[0], "reroll");
});

const SEAM: Seam = {
  frame: 48,
  jump: 0.5,
  reversal: 1,
  colorStep: 0.1,
  lumaStep: 0.1,
  sharpnessRatio: 1,
  verdict: "pass",
  reasons: [],
};
const CUT = { boundaries: [0, 48, 96], likeness: null, rerolls: [0, 0, 0] };

Deno.test("gateCut names the segment after a bad join and heals before it makes again", () => {
  const jump: Seam = { ...SEAM, frame: 96, verdict: "fail", reasons: ["jump: the picture jumps"] };
  const gate = gateCut({ ...CUT, seams: [SEAM, jump] });
  assertEquals([gate.verdict, gate.segment], ["reroll", 2]);
  assertEquals(
    gate.sentence,
    "Segment 3 is made again with a new seed: at the join on frame 96, jump: the picture jumps.",
  );
  assertEquals(gateCut({ ...CUT, seams: [jump], canHeal: () => true }).verdict, "heal");
  assertEquals(gateCut({ ...CUT, seams: [jump], rerolls: [0, 0, 2] }).verdict, "ask");
  assertEquals(gateCut({ ...CUT, seams: [SEAM, { ...SEAM, frame: 96, verdict: "warn" }] }).verdict, "pass");
  const warned: Seam = { ...SEAM, verdict: "warn", reasons: ["colour: steps"] };
  assertEquals(gateCut({ ...CUT, seams: [warned, { ...warned, frame: 96 }] }).verdict, "reroll");
});

Deno.test("gateCut alarms when likeness falls from segment to segment", () => {
  const falling = trackOf([...Array(8).fill(0.97), ...Array(8).fill(0.9), ...Array(8).fill(0.5)]);
  const gate = gateCut({ ...CUT, seams: [], likeness: falling });
  assertEquals([gate.verdict, gate.segment, gate.findings[0]?.gate], ["reroll", 2, "drift"]);
});

Deno.test("leastBad prefers warnings to failures and the latest of equals", () => {
  const failed = gateTake(take({ end: { ...CALM, stability: 0 } }));
  const warned = gateTake(take({ end: { ...CALM, stability: 0.3 } }));
  assertEquals(leastBad([failed, warned, failed]), 1);
  assertEquals(leastBad([failed, failed]), 1);
  assertEquals(leastBad([]), -1);
});

Deno.test("likenessSlope is the fall per 100 frames, unmoved by a few bad frames", () => {
  const scores = Array.from({ length: 40 }, (_, i) => (i === 10 || i === 30 ? 0.1 : 0.95 - i * 6 * 0.001));
  assertAlmostEquals(likenessSlope(trackOf(scores)) ?? 0, -0.1, 0.005);
  assertEquals(likenessSlope(trackOf([0.9, null, 0.8])), null);
});
