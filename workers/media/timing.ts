import { EDIT_RATES, type Rate, reduceRate } from "#server/core/media_time.ts";

export interface Timing {
  readonly rate: Rate;
  readonly isConstant: boolean;
}

/** Rates that generators and cameras use beside the edit rates. */
const OTHER_RATES: readonly Rate[] = [6, 8, 10, 12, 15, 16, 20, 32, 90, 100, 120].map((num) => ({
  num,
  den: 1,
}));

/**
 * Reads a rate from the times at which frames are shown, given in ticks of `ticksPerSecond`. Containers
 * round times to their ticks, so a rate fits when no frame is more than one tick from its place; the best
 * fit wins. When none fits the rate is the average and not constant.
 */
export function timingOf(ticks: readonly number[], ticksPerSecond: number, hint?: Rate): Timing {
  const sorted = [...ticks].sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? 0;
  if (sorted.length < 2 || last <= first) return { rate: hint ?? { num: 25, den: 1 }, isConstant: true };
  const step = (last - first) / (sorted.length - 1);
  const average = nearestRate(ticksPerSecond / step);
  const exact = Number.isInteger(step) && Number.isInteger(ticksPerSecond)
    ? [bounded({ num: ticksPerSecond, den: step })]
    : [];
  const candidates = [...exact, ...EDIT_RATES, ...OTHER_RATES, ...(hint ? [hint] : []), average];
  let best: { rate: Rate; error: number } | undefined;
  for (const rate of candidates) {
    const error = worstError(sorted, first, (ticksPerSecond * rate.den) / rate.num);
    if (!best || error < best.error - 1e-6) best = { rate, error };
  }
  if (best && best.error <= 1.001) return { rate: reduceRate(best.rate), isConstant: true };
  return { rate: average, isConstant: false };
}

function worstError(sorted: readonly number[], first: number, step: number): number {
  let worst = 0;
  for (const [n, tick] of sorted.entries()) worst = Math.max(worst, Math.abs(tick - first - n * step));
  return worst;
}

/** A rate as a fraction of thousandths: for averages, which have no exact value. */
function nearestRate(framesPerSecond: number): Rate {
  return reduceRate({ num: Math.min(1_000_000, Math.max(1, Math.round(framesPerSecond * 1000))), den: 1000 });
}

function bounded(rate: Rate): Rate {
  const reduced = reduceRate(rate);
  return reduced.num <= 1_000_000 && reduced.den <= 1_000_000 ? reduced : nearestRate(rate.num / rate.den);
}

/**
 * The timing of an animated picture, whose container rounds each frame's stay and not its time: the common
 * rate whose step is within a tick of the mean stay, whole rates first.
 */
export function timingOfStays(stays: readonly number[], ticksPerSecond: number): Timing {
  const [lowest, highest] = [Math.min(...stays), Math.max(...stays)];
  const mean = stays.reduce((sum, stay) => sum + stay, 0) / stays.length;
  if (!(mean > 0)) return { rate: { num: 25, den: 1 }, isConstant: true };
  const common = [...OTHER_RATES, ...EDIT_RATES].sort((a, b) => a.den - b.den)
    .map((rate) => ({ rate, error: Math.abs((ticksPerSecond * rate.den) / rate.num - mean) }))
    .filter(({ error }) => error < 0.5)
    .sort((a, b) => a.rate.den - b.rate.den || a.error - b.error)[0];
  const isConstant = highest - lowest <= 1;
  return { rate: isConstant && common ? common.rate : nearestRate(ticksPerSecond / mean), isConstant };
}
