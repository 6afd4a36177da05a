import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  bootstrap,
  type Goal,
  judge,
  measure,
  median,
  quantile,
  type Round,
  runRound,
  seededRandom,
} from "./method.ts";

const goal: Goal = {
  id: "T1",
  what: "a test",
  ours: { side: "ours", figure: "perSecond" },
  peer: { side: "peer", figure: "perSecond" },
  as: "ratio",
  must: "at least",
  bar: 2,
};

/** Rounds in which ours measured `ours`, and the peer first 100 and then `again`. */
function givenRounds(ours: readonly number[], again: (at: number) => number = () => 100): Round[] {
  return ours.map((own, at) => ({
    ours: [{ perSecond: own }, { perSecond: own }],
    peer: [{ perSecond: 100 }, { perSecond: again(at) }],
  }));
}

Deno.test("quantile is linear between neighbours, and median is its middle", () => {
  assertEquals(quantile([1, 2, 3, 4], 0.5), 2.5);
  assertEquals(quantile([10], 0.95), 10);
  assertAlmostEquals(quantile([0, 10], 0.25), 2.5);
  assertEquals(median([9, 1, 5]), 5);
});

Deno.test("seededRandom gives the same even numbers each time", () => {
  const random = seededRandom(3);
  const again = seededRandom(3);
  const drawn = Array.from({ length: 4_000 }, random);
  assertEquals(drawn.slice(0, 50), Array.from({ length: 50 }, again));
  assert(drawn.every((value) => value >= 0 && value < 1));
  assertAlmostEquals(drawn.reduce((sum, value) => sum + value) / drawn.length, 0.5, 0.02);
});

Deno.test("bootstrap's interval holds the true median about nine times in ten, and narrows with more values", () => {
  const random = seededRandom(11);
  const draw = (count: number) => Array.from({ length: count }, () => 1 + random() * 0.2);
  let hits = 0;
  for (let at = 0; at < 60; at++) {
    const { low, high } = bootstrap(draw(15), random);
    if (low <= 1.1 && 1.1 <= high) hits++;
  }
  assert(hits >= 48 && hits <= 60, `${hits} of 60`);
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  assert(width(bootstrap(draw(200))) < width(bootstrap(draw(9))));
  assertEquals(bootstrap([4, 4, 4]), { low: 4, median: 4, high: 4 });
  assertThrows(() => bootstrap([]), RangeError);
});

Deno.test("runRound runs A B C C B A", async () => {
  const order: string[] = [];
  const side = (name: string) => () => Promise.resolve({ at: order.push(name) });
  const round = await runRound({ a: side("a"), b: side("b"), c: side("c") });
  assertEquals(order.join(""), "abccba");
  assertEquals(round["a"], [{ at: 1 }, { at: 6 }]);
});

Deno.test("judge holds a goal only if the bad end of the interval does", () => {
  const steady = judge(goal, givenRounds([240, 250, 260, 250, 245]));
  assertEquals([steady.verdict, steady.figure.median, steady.ours, steady.peer], ["holds", 2.5, 250, 100]);
  // The median alone would hold.
  const wide = judge(goal, givenRounds([150, 160, 230, 240, 250]));
  assert(wide.figure.median > 2);
  assertEquals(wide.verdict, "does not hold");
  assertEquals(judge({ ...goal, must: "at most" }, givenRounds([150, 150, 150])).verdict, "holds");
  assertEquals(judge({ ...goal, must: "at most" }, givenRounds([150, 250, 250])).verdict, "does not hold");
});

Deno.test("judge takes differences in the figures' own unit", () => {
  const { figure } = judge({ ...goal, as: "difference" }, givenRounds([104, 106, 105]));
  assertEquals(figure.median, 5);
});

Deno.test("judge never passes a goal whose peer does not agree with itself", () => {
  const { verdict, guard } = judge(goal, givenRounds([900, 900, 900], () => 80));
  assertEquals([verdict, guard.median], ["UNSTABLE", 1.25]);
  assertThrows(
    () => judge({ ...goal, peer: { side: "peer", figure: "p99" } }, givenRounds([1])),
    Error,
    "p99",
  );
});

Deno.test("measure doubles the rounds while the peer is unsteady, and no further", async () => {
  let runs = 0;
  // Wild in the first round, even afterwards.
  const peer = () => Promise.resolve({ perSecond: ++runs <= 2 && runs % 2 === 0 ? 50 : 100 });
  const ours = () => Promise.resolve({ perSecond: 300 });
  const [judged] = await measure({ ours, peer }, [goal], { rounds: 2, doublings: 3 });
  assertEquals([judged?.verdict, judged?.rounds], ["holds", 8]);
  const wild = () => Promise.resolve({ perSecond: ++runs % 2 === 0 ? 50 : 100 });
  const [left] = await measure({ ours, peer: wild }, [goal], { rounds: 2, doublings: 1 });
  assertEquals([left?.verdict, left?.rounds], ["UNSTABLE", 4]);
});
