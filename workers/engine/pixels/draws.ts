/** A stream of numbers that depends on the seed and the purpose only, the same on every machine. */
export interface Draws {
  /** 0 ≤ x < 1. */
  unit(): number;
  /** Evenly between `low` and `high`. */
  between(low: number, high: number): number;
  /** −1 or 1. */
  sign(): 1 | -1;
  /** One of the list; throws a RangeError when it is empty. */
  pick<T>(list: readonly T[]): T;
}

/** Seeds up to 2^53 all differ; another `purpose` gives an unrelated stream of the same seed. */
export function drawsFrom(seed: number, purpose: string): Draws {
  let state = hashWords(seed, purpose);
  const unit = () => {
    state = (state + 0x9e3779b9) | 0;
    return scramble(state) / 0x100000000;
  };
  return {
    unit,
    between: (low, high) => low + (high - low) * unit(),
    sign: () => (unit() < 0.5 ? -1 : 1),
    pick(list) {
      if (list.length === 0) throw new RangeError("Cannot pick from an empty list");
      return list[Math.floor(unit() * list.length)]!;
    },
  };
}

/** 32 well mixed bits of a seed, a purpose and a counter. */
export function hashWords(seed: number, purpose: string, count = 0): number {
  const whole = Math.abs(Math.trunc(seed));
  let state = scramble((whole >>> 0) ^ 0x5bd1e995);
  state = scramble(state ^ (Math.floor(whole / 0x100000000) >>> 0) ^ (seed < 0 ? 0x1b873593 : 0));
  for (let i = 0; i < purpose.length; i++) state = scramble(state ^ purpose.charCodeAt(i));
  return scramble(state ^ (count >>> 0));
}

/** Bit mixing by Chris Wellons' lowbias32, shifted so that 0 does not stay 0. */
function scramble(word: number): number {
  let x = (word + 0x6d2b79f5) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
