import * as z from "zod/mini";

/** A frame rate as an exact fraction: 24000/1001, never 23.976. */
export const Rate = z.object({
  num: z.int().check(z.positive(), z.maximum(1_000_000)),
  den: z.int().check(z.positive(), z.maximum(1_000_000)),
});
export type Rate = z.infer<typeof Rate>;

/** Reads "24", "24/1", "24000/1001", "23.976". Throws a RangeError that says the accepted forms. */
export function parseRate(text: string): Rate {
  const known: Record<string, Rate> = {
    "23.976": { num: 24000, den: 1001 },
    "23.98": { num: 24000, den: 1001 },
    "29.97": { num: 30000, den: 1001 },
    "47.95": { num: 48000, den: 1001 },
    "59.94": { num: 60000, den: 1001 },
  };
  const match = /^(\d{1,6})(?:\/(\d{1,6}))?$/.exec(text.trim());
  const rate = known[text.trim()] ??
    (match ? { num: Number(match[1]), den: Number(match[2] ?? 1) } : undefined);
  if (!rate || rate.num < 1 || rate.den < 1) {
    throw new RangeError(`Cannot read "${text}" as a frame rate: write it as 24, 25 or 24000/1001`);
  }
  return reduceRate(rate);
}

/** The same rate in lowest terms. */
export function reduceRate(rate: Rate): Rate {
  const divisor = greatestCommonDivisor(rate.num, rate.den);
  return { num: rate.num / divisor, den: rate.den / divisor };
}

export function sameRate(a: Rate, b: Rate): boolean {
  return a.num * b.den === b.num * a.den;
}

/** "24/1": ffmpeg's and people's spelling of a rate. */
export function formatRate(rate: Rate): string {
  return `${rate.num}/${rate.den}`;
}

/** Where frame `frame` starts, in seconds. For tools that know no frames only; never store it. */
export function frameToSeconds(frame: number, rate: Rate): number {
  return (frame * rate.den) / rate.num;
}

/** How many whole frames last nearest to `durationUs` microseconds; at least one. */
export function framesInDuration(durationUs: number, rate: Rate): number {
  return Math.max(1, Math.round((durationUs * rate.num) / (rate.den * 1_000_000)));
}

/** Duration of `frames` in integer microseconds. */
export function durationUs(frames: number, rate: Rate): number {
  return Math.round((frames * rate.den * 1_000_000) / rate.num);
}

/** The rates that SMPTE ST 12-1 timecode can count, and so EDL and FCPXML can carry. */
export const EDIT_RATES: readonly Rate[] = [
  { num: 24000, den: 1001 },
  { num: 24, den: 1 },
  { num: 25, den: 1 },
  { num: 30000, den: 1001 },
  { num: 30, den: 1 },
  { num: 48000, den: 1001 },
  { num: 48, den: 1 },
  { num: 50, den: 1 },
  { num: 60000, den: 1001 },
  { num: 60, den: 1 },
];

export function isEditRate(rate: Rate): boolean {
  return EDIT_RATES.some((edit) => sameRate(edit, rate));
}

/**
 * SMPTE timecode of a frame count, "01:00:00:00". Drop-frame (";") is used for 30000/1001 and 60000/1001
 * only, by the rule of SMPTE ST 12-1: two (four) labels are skipped each minute but the tenth.
 */
export function timecode(frame: number, rate: Rate): string {
  const base = Math.round(rate.num / rate.den);
  const dropped = isDropFrame(rate) ? (base === 30 ? 2 : 4) : 0;
  let label = frame;
  if (dropped > 0) {
    const perMinute = base * 60 - dropped;
    const perTenMinutes = perMinute * 10 + dropped;
    const tens = Math.floor(frame / perTenMinutes);
    const rest = frame % perTenMinutes;
    label += 9 * dropped * tens + (rest > dropped ? dropped * Math.floor((rest - dropped) / perMinute) : 0);
  }
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = Math.floor(label / base);
  const separator = dropped > 0 ? ";" : ":";
  return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${
    two(seconds % 60)
  }` +
    `${separator}${two(label % base)}`;
}

/** How many frames lie before the timecode 01:00:00:00 (or 01:00:00;00): where a studio's programme starts. */
export function framesToHourOne(rate: Rate): number {
  const base = Math.round(rate.num / rate.den);
  // Labels are dropped in 54 of an hour's minutes.
  return base * 3600 - (isDropFrame(rate) ? 54 * (base === 30 ? 2 : 4) : 0);
}

export function isDropFrame(rate: Rate): boolean {
  return rate.den === 1001 && (rate.num === 30000 || rate.num === 60000);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
