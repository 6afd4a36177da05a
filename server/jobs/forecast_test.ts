import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { forecast, forecastInTurn, seededRandom } from "./forecast.ts";

type Draw = () => number;

/** Times as renders have them: most near the middle, a long tail. */
function logNormal(median: number, spread: number, random: Draw): Draw {
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return median * Math.exp(spread * normal);
  };
}

const many = (count: number, draw: Draw) => Array.from({ length: count }, draw);

/** When each of the jobs really ends, on so many slots. */
function play(jobs: number, slots: number, draw: Draw): number[] {
  const free = many(slots, () => 0);
  return Array.from({ length: jobs }, () => {
    const slot = free.indexOf(Math.min(...free));
    return free[slot] = (free[slot] ?? 0) + draw();
  });
}

for (const { slots, jobs } of [{ slots: 1, jobs: 1 }, { slots: 1, jobs: 20 }, { slots: 3, jobs: 30 }]) {
  Deno.test(`forecast() is right half the time at p50 and nine times in ten at p90: ${jobs} jobs, ${slots} slots`, async (t) => {
    const random = seededRandom(jobs * 7 + slots);
    const draw = logNormal(60_000, 0.35, random);
    let [before50, before90, all, error] = [0, 0, 0, 0];
    for (let studio = 0; studio < 60; studio++) {
      // What is remembered of one kind of work: the last 40 runs.
      const samples = many(40, draw);
      const line = Array.from({ length: jobs }, (_, n) => ({
        id: String(n),
        options: Array.from({ length: slots }, (_, slot) => ({ slot, samples })),
      }));
      const told = forecast(many(slots, () => 0).map(() => ({})), line).jobs;
      for (let night = 0; night < 10; night++) {
        for (const [n, end] of play(jobs, slots, draw).entries()) {
          const { p50Ms, p90Ms } = told.get(String(n))!.endsIn;
          all++;
          if (end <= p50Ms) before50++;
          if (end <= p90Ms) before90++;
          error += Math.abs(end - p50Ms) / end;
        }
      }
    }
    const [share50, share90] = [100 * before50 / all, 100 * before90 / all];
    const numbers = `${share50.toFixed(1)} % ended before p50, ${share90.toFixed(1)} % before p90, ` +
      `off by ${(100 * error / all).toFixed(1)} % on average`;
    await t.step(numbers, () => {
      assertAlmostEquals(share50, 50, 6);
      assertAlmostEquals(share90, 90, 5);
    });
  });
}

Deno.test("forecast() tells of what runs by its progress, and by those that took as long when it has none", () => {
  const samples = [100, 200, 300, 400];
  const endOf = (elapsedMs: number, ratio: number | null) =>
    forecast([{ running: { id: "a", samples, elapsedMs, ratio } }], []).jobs.get("a")!.endsIn;
  assertAlmostEquals(endOf(1000, 0.99).p50Ms, 10, 2);
  assert(endOf(250, null).p50Ms >= 50 && endOf(250, null).p90Ms <= 150);
  // Longer than all before: soon, but not at once.
  assert(endOf(5000, null).p90Ms > 0);
});

Deno.test("forecast() gives each job to the place that is free first among those that can run it", () => {
  const samples = [100];
  const [here, both] = [[{ slot: 0, samples }], [{ slot: 0, samples }, { slot: 1, samples }]];
  const { jobs, all } = forecast([{}, {}], [
    { id: "1", options: here },
    { id: "2", options: here },
    { id: "3", options: both },
    { id: "nowhere", options: [] },
  ]);
  assertEquals([...jobs].map(([id, { startsIn }]) => [id, startsIn.p50Ms]), [["1", 0], ["2", 100], ["3", 0]]);
  assertEquals(all, { p50Ms: 200, p90Ms: 200 });
  assertEquals(forecast([{}], []).all, null);
});

Deno.test("forecastInTurn() lets luck even out: the p90 of a sum is less than the sum of p90s", () => {
  const samples = many(40, logNormal(1000, 0.5, seededRandom(3)));
  const one = forecastInTurn([{ samples, times: 1 }]);
  const ten = forecastInTurn([{ samples, times: 10 }]);
  assert(ten.p90Ms < 10 * one.p90Ms && ten.p50Ms > 9 * one.p50Ms, JSON.stringify({ one, ten }));
  assertEquals(forecastInTurn([{ samples: [], times: 5 }]), { p50Ms: 0, p90Ms: 0 });
});
