interface Kernel {
  /** First source index of each output coordinate. */
  readonly firsts: Int32Array;
  readonly counts: Int32Array;
  /** `taps` fixed-point weights for each output coordinate. */
  readonly weights: Int32Array;
  readonly taps: number;
}

/** Pillow's 8-bit resampling works in fixed point with 22 bits behind the point. */
const BITS = 22;

/**
 * Interleaved 8-bit pixels resized with Lanczos (a = 3) exactly as Pillow does it: x first, then y, each
 * rounded to a byte, in fixed point; an axis that keeps its length is left alone.
 */
export function resizeLanczos(
  source: Uint8Array,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  to: { readonly width: number; readonly height: number },
): Uint8Array {
  const { channels } = size;
  let pixels = source;
  if (to.width !== size.width) pixels = alongX(pixels, size, kernel(size.width, to.width));
  if (to.height !== size.height) pixels = alongY(pixels, to.width * channels, kernel(size.height, to.height));
  return pixels;
}

function lanczos(x: number): number {
  const sinc = (value: number) => value === 0 ? 1 : Math.sin(value * Math.PI) / (value * Math.PI);
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function kernel(from: number, to: number): Kernel {
  const scale = from / to;
  const filterScale = Math.max(1, scale);
  const support = 3 * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const firsts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * taps);
  for (let at = 0; at < to; at++) {
    const center = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(from, Math.trunc(center + support + 0.5)) - first;
    const exact = Array.from({ length: count }, (_, i) => lanczos((i + first - center + 0.5) / filterScale));
    const total = exact.reduce((sum, weight) => sum + weight, 0);
    firsts[at] = first;
    counts[at] = count;
    exact.forEach((weight, i) => {
      const fixed = (weight / total) * (1 << BITS);
      weights[at * taps + i] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    });
  }
  return { firsts, counts, weights, taps };
}

function alongX(
  source: Uint8Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
  { firsts, counts, weights, taps }: Kernel,
): Uint8Array {
  const to = firsts.length;
  const result = new Uint8Array(to * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < to; x++) {
      const start = (y * width + (firsts[x] ?? 0)) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (BITS - 1);
        for (let i = 0; i < (counts[x] ?? 0); i++) {
          sum += (source[start + i * channels + c] ?? 0) * (weights[x * taps + i] ?? 0);
        }
        result[(y * to + x) * channels + c] = clip(sum);
      }
    }
  }
  return result;
}

function alongY(source: Uint8Array, row: number, { firsts, counts, weights, taps }: Kernel): Uint8Array {
  const to = firsts.length;
  const result = new Uint8Array(to * row);
  const sums = new Float64Array(row);
  for (let y = 0; y < to; y++) {
    sums.fill(1 << (BITS - 1));
    for (let i = 0; i < (counts[y] ?? 0); i++) {
      const from = ((firsts[y] ?? 0) + i) * row;
      const weight = weights[y * taps + i] ?? 0;
      for (let x = 0; x < row; x++) sums[x] = (sums[x] ?? 0) + (source[from + x] ?? 0) * weight;
    }
    for (let x = 0; x < row; x++) result[y * row + x] = clip(sums[x] ?? 0);
  }
  return result;
}

function clip(sum: number): number {
  const value = Math.floor(sum / (1 << BITS));
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
