/** For every output coordinate: where its taps start in `indexes` and `weights`, all of the same count. */
export interface Taps {
  readonly length: number;
  readonly starts: Int32Array;
  readonly indexes: Int32Array;
  readonly weights: Float64Array;
}

export type AxisMethod = "nearest-exact" | "bilinear" | "area" | "bicubic";

/** The taps by which PyTorch's interpolate (align_corners off, no antialias) makes `to` values of `from`. */
export function axisTaps(method: AxisMethod, from: number, to: number): Taps {
  const lists = Array.from({ length: to }, (_, at) => tapsAt(method, at, from, to));
  const starts = new Int32Array(to + 1);
  lists.forEach((taps, at) => starts[at + 1] = (starts[at] ?? 0) + taps.length);
  const indexes = new Int32Array(starts[to] ?? 0);
  const weights = new Float64Array(starts[to] ?? 0);
  lists.flat().forEach(([index, weight], at) => {
    indexes[at] = index;
    weights[at] = weight;
  });
  return { length: to, starts, indexes, weights };
}

function tapsAt(method: AxisMethod, at: number, from: number, to: number): [index: number, weight: number][] {
  if (method === "area") {
    const start = Math.floor((at * from) / to);
    const end = Math.ceil(((at + 1) * from) / to);
    return Array.from({ length: end - start }, (_, i) => [start + i, 1 / (end - start)]);
  }
  // PyTorch computes the ratio in float32, which decides ties.
  const ratio = Math.fround(from / to);
  if (method === "nearest-exact") {
    return [[Math.min(from - 1, Math.floor(Math.fround((at + 0.5) * ratio))), 1]];
  }
  if (from === to) return [[at, 1]];
  const center = ratio * (at + 0.5) - 0.5;
  const inside = (index: number) => Math.min(from - 1, Math.max(0, index));
  if (method === "bilinear") {
    const place = Math.max(0, center);
    const first = Math.floor(place);
    return [[inside(first), 1 - (place - first)], [inside(first + 1), place - first]];
  }
  const first = Math.floor(center);
  return cubicWeights(center - first).map((weight, i) => [inside(first - 1 + i), weight]);
}

/** Keys' cubic with a = −0.75. */
function cubicWeights(t: number): number[] {
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** Applies taps along x, then along y, to interleaved rows. */
export function resampleFloats(
  source: Float32Array,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  across: Taps,
  down: Taps,
): Float32Array {
  const { width, height, channels } = size;
  const wide = new Float32Array(across.length * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < across.length; x++) {
      const start = across.starts[x] ?? 0;
      const end = across.starts[x + 1] ?? 0;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let tap = start; tap < end; tap++) {
          sum += (source[(y * width + (across.indexes[tap] ?? 0)) * channels + c] ?? 0) *
            (across.weights[tap] ?? 0);
        }
        wide[(y * across.length + x) * channels + c] = sum;
      }
    }
  }
  const row = across.length * channels;
  const result = new Float32Array(row * down.length);
  for (let y = 0; y < down.length; y++) {
    for (let tap = down.starts[y] ?? 0; tap < (down.starts[y + 1] ?? 0); tap++) {
      const from = (down.indexes[tap] ?? 0) * row;
      const weight = down.weights[tap] ?? 0;
      for (let x = 0; x < row; x++) {
        const at = y * row + x;
        result[at] = (result[at] ?? 0) + (wide[from + x] ?? 0) * weight;
      }
    }
  }
  return result;
}
