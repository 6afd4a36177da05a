import type { Field, Warper } from "./spline_warp.ts";

/** Rows rendered together, and the distance from one such band to the next. */
const BAND = 8;
const STRIDE = 16;

/** Running mean of squares of the 4-neighbour Laplacian of luma. */
class LaplacianMeter {
  #rows: Float32Array[] = [];
  #sum = 0;
  #squares = 0;
  #count = 0;

  /** Rows must come in order; `restart` begins a new run of rows. */
  add(row: Float32Array, restart: boolean): void {
    if (restart) this.#rows = [];
    this.#rows.push(lumaRow(row));
    if (this.#rows.length < 3) return;
    const [above, here, below] = this.#rows as [Float32Array, Float32Array, Float32Array];
    for (let x = 1; x < here.length - 1; x++) {
      const bend = above[x]! + below[x]! + here[x - 1]! + here[x + 1]! - 4 * here[x]!;
      this.#sum += bend;
      this.#squares += bend * bend;
    }
    this.#count += Math.max(0, here.length - 2);
    this.#rows.shift();
  }

  get variance(): number {
    if (this.#count === 0) return 0;
    const mean = this.#sum / this.#count;
    return this.#squares / this.#count - mean * mean;
  }
}

function lumaRow(row: Float32Array): Float32Array {
  const luma = new Float32Array(row.length / 3);
  for (let x = 0, p = 0; x < luma.length; x++, p += 3) {
    luma[x] = 0.2126 * row[p]! + 0.7152 * row[p + 1]! + 0.0722 * row[p + 2]!;
  }
  return luma;
}

/** Variance of the Laplacian of luma of interleaved RGB floats, on evenly spread bands of rows. */
export function sharpnessOf(rgb: Float32Array, width: number, height: number): number {
  const meter = new LaplacianMeter();
  for (const [from, to] of bands(height)) {
    for (let y = from; y < to; y++) meter.add(rgb.subarray(y * width * 3, (y + 1) * width * 3), y === from);
  }
  return meter.variance;
}

/** The same of a rendered frame, without rendering the rest of it. */
export function renderedSharpness(warper: Warper, field: Field, sharpen: number): number {
  const meter = new LaplacianMeter();
  for (const [from, to] of bands(warper.height)) {
    warper.render(field, sharpen, from, to, (row, y) => meter.add(row, y === from));
  }
  return meter.variance;
}

/** By what share the Laplacian's deviation grows per unit of sharpening, near none: almost constant in a shot. */
export function sharpeningLift(warper: Warper, field: Field): number {
  const plain = Math.sqrt(renderedSharpness(warper, field, 0));
  const lifted = Math.sqrt(renderedSharpness(warper, field, 0.05));
  return plain > 0 ? (lifted / plain - 1) / 0.05 : 0;
}

/**
 * How much a rendered frame must be sharpened (or softened: below 0) so that its Laplacian variance is
 * `target`; kept between −0.07 and 0.16, where neither rings nor smears are seen.
 */
export function matchSharpness(warper: Warper, field: Field, target: number, lift: number): number {
  const plain = renderedSharpness(warper, field, 0);
  if (target <= 0 || plain <= 0 || lift < 0.1) return 0;
  return Math.min(0.16, Math.max(-0.07, (Math.sqrt(target / plain) - 1) / lift));
}

function* bands(height: number): Generator<[number, number]> {
  const stride = height <= 200 ? BAND - 2 : STRIDE;
  for (let from = 0; from < height; from += stride) yield [from, Math.min(height, from + BAND)];
}
