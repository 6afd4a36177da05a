import { assertEquals } from "@std/assert/mod.js";
import { type CurveRow, levelAt } from "./curve_facts.ts";
import { describeCurve } from "./curve_text.ts";

const LIKENESS: CurveRow = {
  name: "Likeness",
  meaning: "how like",
  source: "cut 1",
  failsBelow: true,
  low: 0,
  high: 1,
  parts: [{ from: 0, span: 4, values: [0.9, null, 0.7, 0.7] }, { from: 4, span: 4, values: [0.6, 0.4] }],
  limits: [
    { value: 0.75, level: "warn", from: 0, to: 4 },
    { value: 0.5, level: "fail", from: 0, to: 8 },
  ],
  marks: [],
};

Deno.test("levelAt goes by the limits that count at the frame, and by the marks there", () => {
  const level = (value: number, at: number) => levelAt(LIKENESS, value, at);
  assertEquals([level(0.9, 0), level(0.7, 2), level(0.4, 2)], ["", "warn", "fail"]);
  assertEquals([level(0.6, 5), level(0.4, 6)], ["", "fail"], "it is not warned of where nobody warns");
  const motion = {
    ...LIKENESS,
    failsBelow: false,
    limits: [{ value: 2, level: "fail", from: 0, to: 9 }] as const,
  };
  assertEquals([levelAt(motion, 2, 3), levelAt(motion, 2.1, 3), levelAt(motion, 2.1, 9)], ["", "fail", ""]);
  const marked = { ...motion, marks: [{ at: 5, level: "warn", text: "jump: it jumps" }] as const };
  assertEquals([levelAt(marked, 1, 5.5), levelAt(marked, 1, 7)], ["warn", ""]);
});

Deno.test("describeCurve says in words what the curve shows: extremes, and where its gate is not content", () => {
  assertEquals(
    describeCurve(LIKENESS),
    "Likeness · cut 1: how like. Lowest 0.40 at frame 6, highest 0.90 at frame 0. " +
      "Beyond what its gate lets pass at frames 6. Worth a look at frames 2–3.",
  );
  const [first] = LIKENESS.parts;
  const calm = { ...LIKENESS, parts: first ? [{ ...first, values: [0.9] }] : [] };
  assertEquals(describeCurve(calm).split(". ").at(-1), "Within its limits wherever its gate looks.");
  assertEquals(describeCurve({ ...calm, limits: [] }).split(". ").at(-1), "No gate judges it here.");
  assertEquals(describeCurve({ ...calm, parts: [] }), "Likeness: how like. Nothing was measured.");
});
