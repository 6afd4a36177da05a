/** For every output coordinate: where its taps start in `indexes` and `weights`, all of the same count. */
export interface Taps {
  readonly length: number;
  readonly starts: Int32Array;
  readonly indexes: Int32Array;
  readonly weights: Float64Array;
}

export type AxisMethod = "nearest-exact" | "bilinear" | "bicubic";

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

/** PyTorch computes places and weights in float32; rounding as it does decides the last bit, and ties. */
const f = Math.fround;

function tapsAt(method: AxisMethod, at: number, from: number, to: number): [index: number, weight: number][] {
  const ratio = f(from / to);
  if (method === "nearest-exact") return [[Math.min(from - 1, Math.floor(f((at + 0.5) * ratio))), 1]];
  if (from === to) return [[at, 1]];
  const center = f(ratio * (at + 0.5) - 0.5);
  const inside = (index: number) => Math.min(from - 1, Math.max(0, index));
  if (method === "bilinear") {
    const place = Math.max(0, center);
    const first = inside(Math.floor(place));
    const share = f(place - first);
    return [[first, f(1 - share)], [inside(first + 1), share]];
  }
  const first = Math.floor(center);
  return cubicWeights(f(center - first)).map((weight, i) => [inside(first - 1 + i), weight]);
}

/** Keys' cubic with a = −0.75. */
function cubicWeights(t: number): number[] {
  const a = -0.75;
  // Multiply and add are one operation with one rounding there.
  const near = (x: number) => f(f(f((a + 2) * x - (a + 3)) * x) * x + 1);
  const far = (x: number) => f(f(f(a * x - 5 * a) * x + 8 * a) * x - 4 * a);
  return [far(f(t + 1)), near(t), near(f(1 - t)), far(f(f(1 - t) + 1))];
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

/** Every output pixel is the mean of the source pixels that it touches: PyTorch's "area". */
export function averageAreas(
  source: Float32Array,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  to: { readonly width: number; readonly height: number },
): Float32Array {
  const { width, height, channels } = size;
  const result = new Float32Array(to.width * to.height * channels);
  for (let y = 0; y < to.height; y++) {
    const [top, bottom] = touched(y, height, to.height);
    for (let x = 0; x < to.width; x++) {
      const [left, right] = touched(x, width, to.width);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            sum = f(sum + (source[(row * width + column) * channels + c] ?? 0));
          }
        }
        result[(y * to.width + x) * channels + c] = f(sum / (bottom - top)) / (right - left);
      }
    }
  }
  return result;
}

function touched(at: number, from: number, to: number): [start: number, end: number] {
  return [Math.floor((at * from) / to), Math.ceil(((at + 1) * from) / to)];
}
