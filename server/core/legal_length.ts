/** Lengths that a template can generate: step·n + offset, from `min` to `max` (Wan 4n+1, LTX 8n+1, H3 17n+5). */
export interface LegalLengths {
  readonly step: number;
  readonly offset: number;
  readonly min: number;
  readonly max: number;
}

export function isLegal(lengths: LegalLengths, frames: number): boolean {
  return frames >= lengths.min && frames <= lengths.max && above(lengths, frames) === frames;
}

/** The smallest legal length. More than `longest` when there is none. */
export function shortest(lengths: LegalLengths): number {
  return above(lengths, Math.max(1, lengths.min));
}

/** The largest legal length. */
export function longest(lengths: LegalLengths): number {
  const next = above(lengths, lengths.max);
  return next === lengths.max ? next : next - lengths.step;
}

/** The smallest legal length of at least `frames`; may pass `max`, which is the caller's to check. */
export function smallestHolding(lengths: LegalLengths, frames: number): number {
  return Math.max(shortest(lengths), above(lengths, frames));
}

/** The smallest number of the form step·n + offset that is not below `frames`, whatever min and max say. */
function above({ step, offset }: LegalLengths, frames: number): number {
  return Math.ceil((frames - offset) / step) * step + offset;
}
