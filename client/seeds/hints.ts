import { inOrder } from "#client/core/order.ts";
import type { Seed } from "#server/seeds/contract.ts";

/** Two difference hashes that differ in at most this many of 64 bits show nearly the same picture. */
export const TWIN_BITS = 6;

/** By what a sheet is sorted: hints for the eye, never a verdict. */
export type SeedOrder = "made" | "likeness" | "sharpness" | "light" | "rating" | "twins";
export const SEED_ORDERS: readonly SeedOrder[] = [
  "made",
  "likeness",
  "sharpness",
  "light",
  "rating",
  "twins",
];

/** Which of a sheet's seeds show. */
export type SeedFilter = "all" | "open" | "kept" | "rejected" | "making";
export const SEED_FILTERS: readonly SeedFilter[] = ["all", "open", "kept", "rejected", "making"];

/** What the machine noticed about one seed among others. */
export interface SeedHints {
  /** 1 is the most like the portrait; undefined where it can't be told. */
  readonly likenessRank: number | undefined;
  readonly sharpnessRank: number | undefined;
  /** 0–1 of the sharpest that is there. */
  readonly sharpness: number | undefined;
  /** A number for each group of near duplicates; undefined for a picture that is like no other. */
  readonly twinGroup: number | undefined;
  /** How many others are nearly the same. */
  readonly twins: number;
}

const NOTHING: SeedHints = {
  likenessRank: undefined,
  sharpnessRank: undefined,
  sharpness: undefined,
  twinGroup: undefined,
  twins: 0,
};

/** In how many bits two hex hashes of the same length differ. */
export function bitsApart(one: string, other: string): number {
  let bits = 0;
  for (let at = 0; at < one.length; at += 4) {
    let difference = Number.parseInt(one.slice(at, at + 4), 16) ^
      Number.parseInt(other.slice(at, at + 4), 16);
    for (; difference !== 0; difference &= difference - 1) bits++;
  }
  return bits;
}

/** The hints of each of these seeds, by id. */
export function hintsOf(seeds: readonly Seed[]): ReadonlyMap<string, SeedHints> {
  const likeness = ranks(seeds, (seed) => seed.measures?.likeness ?? undefined);
  const sharpness = ranks(seeds, (seed) => seed.measures?.sharpness);
  const sharpest = Math.max(0, ...seeds.map((seed) => seed.measures?.sharpness ?? 0));
  const groups = groupTwins(seeds);
  const sizes = new Map<number, number>();
  for (const group of groups.values()) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return new Map(seeds.map((seed) => {
    const group = groups.get(seed.id);
    const others = group === undefined ? 0 : (sizes.get(group) ?? 1) - 1;
    return [seed.id, {
      likenessRank: likeness.get(seed.id),
      sharpnessRank: sharpness.get(seed.id),
      sharpness: seed.measures && sharpest > 0 ? seed.measures.sharpness / sharpest : undefined,
      twinGroup: others > 0 ? group : undefined,
      twins: others,
    }];
  }));
}

/** The hints of one seed, where it has any. */
export function hintsFor(hints: ReadonlyMap<string, SeedHints>, seedId: string): SeedHints {
  return hints.get(seedId) ?? NOTHING;
}

/** The seeds that the filter lets through, in that order; what has no number comes last, older before newer. */
export function arrange(
  seeds: readonly Seed[],
  { filter, order }: { readonly filter: SeedFilter; readonly order: SeedOrder },
  hints: ReadonlyMap<string, SeedHints> = hintsOf(seeds),
): Seed[] {
  const value = (seed: Seed): number | undefined => {
    switch (order) {
      case "made":
        return undefined;
      case "likeness":
        return seed.measures?.likeness ?? undefined;
      case "sharpness":
        return seed.measures?.sharpness;
      case "light":
        return seed.measures?.meanLab[0];
      case "rating":
        return seed.rating ?? undefined;
      case "twins": {
        const group = hintsFor(hints, seed.id).twinGroup;
        return group === undefined ? undefined : -group;
      }
    }
  };
  return seeds.filter((seed) => passes(seed, filter)).sort((one, other) => {
    const [mine, theirs] = [value(one), value(other)];
    if (mine === theirs) return inOrder(one.id, other.id);
    if (mine === undefined) return 1;
    return theirs === undefined ? -1 : theirs - mine;
  });
}

function passes({ status }: Seed, filter: SeedFilter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "open":
      return status === "candidate";
    case "kept":
      return status === "kept" || status === "hero";
    case "rejected":
      return status === "rejected";
    case "making":
      return status === "making" || status === "failed" || status === "cancelled";
  }
}

function ranks(seeds: readonly Seed[], value: (seed: Seed) => number | undefined): Map<string, number> {
  const known = seeds.flatMap((seed) => {
    const number = value(seed);
    return number === undefined ? [] : [{ id: seed.id, number }];
  });
  known.sort((one, other) => other.number - one.number);
  return new Map(known.map(({ id }, index) => [id, index + 1]));
}

/** Groups in which each is near to at least one other, numbered in the order of the seeds. */
function groupTwins(seeds: readonly Seed[]): Map<string, number> {
  const known = seeds.filter((seed) => seed.measures);
  const parent = known.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parent[at] !== undefined && parent[at] !== at) at = parent[at] ?? at;
    return at;
  };
  known.forEach((seed, index) => {
    for (let other = 0; other < index; other++) {
      const [mine, theirs] = [seed.measures?.dhash ?? "", known[other]?.measures?.dhash ?? ""];
      if (mine.length === theirs.length && bitsApart(mine, theirs) <= TWIN_BITS) {
        parent[root(index)] = root(other);
      }
    }
  });
  return new Map(known.map((seed, index) => [seed.id, root(index)]));
}
