/** The middle value; 0 of nothing. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** The value below which the share `at` (0–1) lies, linear between neighbours; 0 of nothing. */
export function quantile(values: ArrayLike<number>, at: number): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * at;
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(sorted.length - 1, below + 1)]!;
  return low + (high - low) * (place - below);
}

/** Median distance to the median: a spread that one outlier can't move. */
export function medianDeviation(values: ArrayLike<number>, middle = median(values)): number {
  return median(Array.from(values, (value) => Math.abs(value - middle)));
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length === 0 ? 0 : sum / values.length;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
