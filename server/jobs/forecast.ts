import type { Estimate } from "./contract.ts";

/** How long such work took lately, in milliseconds, each as likely as the next. */
export type Samples = readonly number[];

/** One place where a job can run at a time: a worker's slot, or one of a lane's. */
export interface Slot {
  /** What runs there now. */
  readonly running?: RunningWork | undefined;
}

export interface RunningWork {
  readonly id: string;
  readonly samples: Samples;
  readonly elapsedMs: number;
  /** How much of it is done; null when nobody knows. */
  readonly ratio: number | null;
}

/** A job in line: where it can run (places in `slots`), and what it takes there. */
export interface WaitingWork {
  readonly id: string;
  readonly options: readonly { readonly slot: number; readonly samples: Samples }[];
}

export interface JobForecast {
  readonly startsIn: Estimate;
  readonly endsIn: Estimate;
}

export interface Forecast {
  /** Of each running job, and each waiting one that can run somewhere. */
  readonly jobs: ReadonlyMap<string, JobForecast>;
  /** Until all of them have ended; null when there are none. */
  readonly all: Estimate | null;
}

/** Draws in one forecast at most and rounds at least: a long line makes each job's own luck matter less. */
const MOST_DRAWS = 200_000;
const FEWEST_ROUNDS = 60;
const MOST_ROUNDS = 500;
/** Once a good part is done, the job itself tells more than those before it. */
const TRUSTED_RATIO = 0.2;

/**
 * When each job is to start and to end: the line is played through many times, each job taking a time that such work
 * took before, always on the place that is free first. Half of the plays end by p50, nine of ten by p90. The same
 * facts give the same forecast.
 *
 * Each play draws from another re-sampling of what is remembered (bootstrap): forty runs tell the mean only roughly, and
 * in a long line that doubt, which all its jobs share, counts for more than each one's luck.
 */
export function forecast(slots: readonly Slot[], waiting: readonly WaitingWork[]): Forecast {
  const random = seededRandom(1);
  const played = waiting.filter(({ options }) => options.length > 0);
  const running = slots.flatMap(({ running }) => running ?? []);
  const rounds = Math.max(
    FEWEST_ROUNDS,
    Math.min(MOST_ROUNDS, Math.floor(MOST_DRAWS / Math.max(1, played.length + running.length))),
  );
  const starts = played.map(() => new Float64Array(rounds));
  const ends = played.map(() => new Float64Array(rounds));
  const runningEnds = running.map(() => new Float64Array(rounds));
  const last = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    const seen = new Map<Samples, Samples>();
    const resampled = (samples: Samples) => {
      const known = seen.get(samples) ?? samples.map(() => draw(samples, random));
      seen.set(samples, known);
      return known;
    };
    let nth = 0;
    const free = slots.map(({ running }) => {
      if (!running) return 0;
      const ms = drawRemaining(running, random);
      set(runningEnds[nth++], round, ms);
      return ms;
    });
    for (const [index, { options }] of played.entries()) {
      const { slot, samples } = soonest(options, free);
      const start = free[slot] ?? 0;
      const end = start + draw(resampled(samples), random);
      free[slot] = end;
      set(starts[index], round, start);
      set(ends[index], round, end);
    }
    last[round] = Math.max(0, ...free);
  }
  const jobs = new Map<string, JobForecast>();
  for (const [index, { id }] of running.entries()) {
    jobs.set(id, { startsIn: { p50Ms: 0, p90Ms: 0 }, endsIn: quantiles(runningEnds[index]) });
  }
  for (const [index, { id }] of played.entries()) {
    jobs.set(id, { startsIn: quantiles(starts[index]), endsIn: quantiles(ends[index]) });
  }
  return { jobs, all: jobs.size === 0 ? null : quantiles(last) };
}

/** How long pieces of work take one after the other, each done so many times. */
export function forecastInTurn(
  parts: readonly { readonly samples: Samples; readonly times: number }[],
): Estimate {
  const line = parts.flatMap(({ samples, times }, index) =>
    samples.length === 0
      ? []
      : Array.from({ length: times }, (_, n) => ({ id: `${index}.${n}`, options: [{ slot: 0, samples }] }))
  );
  return forecast([{}], line).all ?? { p50Ms: 0, p90Ms: 0 };
}

function soonest(options: WaitingWork["options"], free: readonly number[]) {
  let best = options[0] ?? { slot: 0, samples: [] };
  for (const option of options) {
    if ((free[option.slot] ?? 0) < (free[best.slot] ?? 0)) best = option;
  }
  return best;
}

function draw(samples: Samples, random: () => number): number {
  return samples[Math.floor(random() * samples.length)] ?? 0;
}

/** What is left of a run: by its own progress once that says something, else as those went on that took so long. */
function drawRemaining({ samples, elapsedMs, ratio }: RunningWork, random: () => number): number {
  const drawn = draw(samples, random);
  if (ratio !== null && ratio >= TRUSTED_RATIO && elapsedMs > 0) {
    const middle = [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] || 1;
    return elapsedMs * (1 - ratio) / ratio * (drawn / middle) ** (1 - ratio);
  }
  const longer = samples.filter((ms) => ms > elapsedMs);
  if (longer.length > 0) return draw(longer, random) - elapsedMs;
  // Longer than any before: as much again as the spread of those.
  return random() * Math.max(...samples, 1) / 2;
}

function set(values: Float64Array | undefined, at: number, value: number): void {
  if (values) values[at] = value;
}

function quantiles(values: Float64Array | undefined): Estimate {
  const sorted = (values ?? new Float64Array()).sort();
  return { p50Ms: quantile(sorted, 0.5), p90Ms: quantile(sorted, 0.9) };
}

function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return Math.max(0, Math.round(low + (high - low) * (at - Math.floor(at))));
}

/** mulberry32: small, fast and the same everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
