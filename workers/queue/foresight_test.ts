import { assertEquals } from "@std/assert/mod.js";
import { Foresight } from "./foresight.ts";

function seen(tripMs: number, ...runs: [kind: string, ms: number][]): Foresight {
  const foresight = new Foresight();
  foresight.sawTrip(tripMs);
  for (const [kind, ms] of runs) foresight.sawRun(kind, ms);
  return foresight;
}

Deno.test("Foresight takes nothing ahead before it has seen a run", () => {
  assertEquals(seen(10).ahead(4), 0);
});

Deno.test("Foresight takes as many ahead as fit into two ways to the database", () => {
  assertEquals(seen(10, ["short", 5]).ahead(4), 16);
});

Deno.test("Foresight takes nothing ahead of jobs that are long, nor in a lane that also does long work", () => {
  assertEquals(seen(10, ["long", 500]).ahead(4), 0);
  assertEquals(seen(10, ["short", 1], ["long", 500]).ahead(4), 0);
});

Deno.test("Foresight takes at most 500 ahead, or twenty for each slot, however short they are", () => {
  assertEquals(seen(1_000, ["short", 0]).ahead(4), 500);
  assertEquals(seen(1_000, ["short", 0]).ahead(40), 800);
});
