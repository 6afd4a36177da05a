/** A median with the interval in which nine of ten bootstrap samples' medians lie. */
export interface Interval {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** What one run of a side measured, by name: `{ perSecond: 4100 }`. */
export type Figures = Readonly<Record<string, number>>;

/** What is compared: each call is one run of that side. */
export type Sides = Readonly<Record<string, () => Promise<Figures>>>;

/** What a side measured in one round: it runs twice in each, as far apart from the middle both times. */
export type Pair = readonly [Figures, Figures];
export type Round = Readonly<Record<string, Pair>>;

/** One figure of one side. */
export interface Subject {
  readonly side: string;
  readonly figure: string;
}

/** A promise of limits.md: a figure of ours, set against that of a peer in the same round. */
export interface Goal {
  readonly id: string;
  readonly what: string;
  readonly ours: Subject;
  readonly peer: Subject;
  /** "difference" is ours minus the peer's, in the figures' unit. */
  readonly as: "ratio" | "difference";
  readonly must: "at least" | "at most";
  readonly bar: number;
}

export type Verdict = "holds" | "does not hold" | "UNSTABLE";

export interface Judgement {
  readonly goal: Goal;
  readonly figure: Interval;
  /** The peer against itself: how far apart the same thing came out within a round. */
  readonly guard: Interval;
  readonly ours: number;
  readonly peer: number;
  readonly rounds: number;
  readonly verdict: Verdict;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** How often the rounds may be doubled while the guard is too wide. */
  readonly doublings: number;
  /** Any numbers of 0 to 1; fixed by default, so that the same rounds give the same interval. */
  readonly random?: () => number;
}

/** The guard may be off by this much before a figure counts as unmeasured. */
export const GUARD = 0.12;
const SAMPLES = 2_000;

/**
 * Runs the sides in rounds of A B … B A, so that a machine that gets slower burdens both alike, and judges each goal
 * by the ratios inside the rounds. A goal holds only if the bad end of its interval does; where the peer does not
 * agree with itself within ±12 % after all doublings, the goal is UNSTABLE: not measured, hence not held.
 */
export async function measure(
  sides: Sides,
  goals: readonly Goal[],
  options: MeasureOptions,
): Promise<Judgement[]> {
  const rounds: Round[] = [];
  for (let target = options.rounds, left = options.doublings;; target *= 2, left--) {
    while (rounds.length < target) rounds.push(await runRound(sides));
    const random = options.random ?? seededRandom(7);
    const judged = goals.map((goal) => judge(goal, rounds, random));
    if (left === 0 || judged.every(({ verdict }) => verdict !== "UNSTABLE")) return judged;
  }
}

/** Measures as `measure` does, but leaves out the goals whose peer is not on this machine. */
export async function measureFound(
  sides: Sides,
  goals: readonly Goal[],
  options: MeasureOptions,
): Promise<Judgement[]> {
  return await measure(sides, goals.filter(({ peer }) => peer.side in sides), options);
}

/** One round: every side, then every side again in the opposite order. */
export async function runRound(sides: Sides): Promise<Round> {
  const names = Object.keys(sides);
  const first = new Map<string, Figures>();
  for (const name of names) first.set(name, await runSide(sides, name));
  const round: Record<string, Pair> = {};
  for (const name of names.toReversed()) {
    round[name] = [first.get(name) ?? {}, await runSide(sides, name)];
  }
  return round;
}

async function runSide(sides: Sides, name: string): Promise<Figures> {
  const run = sides[name];
  if (!run) throw new Error(`Cannot measure "${name}": there is no such side`);
  return await run();
}

/** Whether the goal is held by these rounds. */
export function judge(
  goal: Goal,
  rounds: readonly Round[],
  random: () => number = seededRandom(7),
): Judgement {
  const ours = rounds.map((round) => mean(read(round, goal.ours)));
  const peers = rounds.map((round) => read(round, goal.peer));
  const values = ours.map((own, index) => {
    const peer = mean(peers[index] ?? [NaN, NaN]);
    return goal.as === "ratio" ? own / peer : own - peer;
  });
  const figure = bootstrap(values, random);
  const guard = bootstrap(peers.map(([one, two]) => one / two), random);
  const isSteady = guard.low >= 1 - GUARD && guard.high <= 1 + GUARD;
  const isHeld = goal.must === "at least" ? figure.low >= goal.bar : figure.high <= goal.bar;
  return {
    goal,
    figure,
    guard,
    ours: median(ours),
    peer: median(peers.map(mean)),
    rounds: rounds.length,
    verdict: isSteady ? (isHeld ? "holds" : "does not hold") : "UNSTABLE",
  };
}

function read(round: Round, { side, figure }: Subject): readonly [number, number] {
  const pair = round[side];
  const one = pair?.[0][figure];
  const two = pair?.[1][figure];
  if (one === undefined || two === undefined) {
    throw new Error(`Cannot judge: "${side}" did not measure "${figure}"`);
  }
  return [one, two];
}

function mean([one, two]: readonly [number, number]): number {
  return (one + two) / 2;
}

/** The median of `values` with its 90 % percentile-bootstrap interval. */
export function bootstrap(values: readonly number[], random: () => number = seededRandom(7)): Interval {
  if (values.length === 0) throw new RangeError("Cannot take the median of nothing: measure at least once");
  const medians = Array.from({ length: SAMPLES }, () => {
    return median(values.map(() => values[Math.floor(random() * values.length)] ?? NaN));
  }).sort((a, b) => a - b);
  return { low: quantile(medians, 0.05), median: median(values), high: quantile(medians, 0.95) };
}

export function median(values: readonly number[]): number {
  return quantile(values.toSorted((a, b) => a - b), 0.5);
}

/** The value below which a share `q` of `sorted` lies, linear between neighbours. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = q * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Numbers of 0 to 1 that are the same each time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
