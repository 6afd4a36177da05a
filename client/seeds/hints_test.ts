import { assertEquals } from "@std/assert/mod.js";
import type { Seed } from "#server/seeds/contract.ts";
import { arrange, bitsApart, hintsOf } from "./hints.ts";

function seed(
  id: string,
  given: Partial<Seed> = {},
  measures?: Partial<NonNullable<Seed["measures"]>>,
): Seed {
  return {
    id,
    status: "candidate",
    rating: null,
    measures: measures
      ? { likeness: null, sharpness: 1, dhash: "0000000000000000", meanLab: [50, 0, 0], ...measures }
      : null,
    ...given,
  } as unknown as Seed; // What hints read of a seed.
}

Deno.test("bitsApart counts the bits in which two hashes differ", () => {
  assertEquals(bitsApart("0000000000000000", "0000000000000000"), 0);
  assertEquals(bitsApart("ffffffffffffffff", "0000000000000000"), 64);
  assertEquals(bitsApart("8000000000000001", "0000000000000000"), 2);
});

Deno.test("hintsOf ranks likeness and sharpness, and groups near duplicates in chains", () => {
  const hints = hintsOf([
    seed("a", {}, { likeness: 0.7, sharpness: 10, dhash: "000000000000003f" }),
    seed("b", {}, { likeness: 0.9, sharpness: 40, dhash: "0000000000000000" }),
    seed("c", {}, { likeness: null, sharpness: 20, dhash: "0000000000000fff" }),
    seed("d", {}, { likeness: 0.8, sharpness: 30, dhash: "ffffffff00000000" }),
    seed("e", { status: "making" }),
  ]);
  const read = (id: string) => {
    const { likenessRank, sharpnessRank, twins } = hints.get(id)!;
    return [likenessRank, sharpnessRank, twins];
  };
  assertEquals(["a", "b", "c", "d", "e"].map(read), [
    [3, 4, 2],
    [1, 1, 2],
    [undefined, 3, 2],
    [2, 2, 0],
    [undefined, undefined, 0],
  ]);
  assertEquals(hints.get("a")?.sharpness, 0.25);
});

Deno.test("arrange sorts by a hint, unknown last, and never leaves out what the filter lets through", () => {
  const seeds = [
    seed("a", { rating: 3, status: "kept" }, { likeness: 0.7 }),
    seed("b", { status: "rejected" }, { likeness: 0.9 }),
    seed("c", { rating: 5, status: "hero" }, { likeness: null }),
    seed("d", { status: "making" }),
  ];
  const ids = (...how: Parameters<typeof arrange>) => arrange(...how).map(({ id }) => id).join("");
  assertEquals(ids(seeds, { filter: "all", order: "likeness" }), "bacd");
  assertEquals(ids(seeds, { filter: "all", order: "rating" }), "cabd");
  assertEquals(ids(seeds, { filter: "kept", order: "made" }), "ac");
  assertEquals(ids(seeds, { filter: "making", order: "made" }), "d");
});
