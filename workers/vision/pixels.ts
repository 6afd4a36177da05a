/** 8-bit pixels, row by row without padding, three channels each: red, green, blue. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Maps output pixels to input pixels: x' = a·x + b·y + c, y' = d·x + e·y + f. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A picture and its halvings (2×2 means), made when first asked for: sampling far smaller does not alias. */
export class Pyramid {
  readonly #levels: RgbImage[];

  constructor(image: RgbImage) {
    this.#levels = [image];
  }

  get base(): RgbImage {
    return this.level(0);
  }

  level(index: number): RgbImage {
    while (this.#levels.length <= index) this.#levels.push(halve(this.#levels[this.#levels.length - 1]!));
    return this.#levels[index]!;
  }

  /**
   * Samples `width`×`height` pixels through `map` (bilinear), as (value − offset[channel]) · gain.
   * Outside the picture is mid grey, which no face detector takes for a face.
   */
  sample(map: Affine, width: number, height: number, gain: number, offset: readonly number[]): Float32Array {
    const step = Math.hypot(map[0], map[3]);
    const { width: w, height: h } = this.base;
    const deepest = Math.max(0, Math.floor(Math.log2(Math.min(w, h) / 8)));
    const level = Math.min(deepest, Math.max(0, Math.floor(Math.log2(step) + 0.3)));
    const image = this.level(level);
    return sampleAffine(image, onLevel(map, level), width, height, gain, offset);
  }
}

/** Pixel centres lie at +0.5, so going down a level also moves the origin. */
function onLevel(map: Affine, level: number): Affine {
  const scale = 1 / 2 ** level;
  const shift = (scale - 1) / 2;
  return [
    map[0] * scale,
    map[1] * scale,
    map[2] * scale + shift,
    map[3] * scale,
    map[4] * scale,
    map[5] * scale + shift,
  ];
}

function halve(image: RgbImage): RgbImage {
  const width = Math.max(1, image.width >> 1);
  const height = Math.max(1, image.height >> 1);
  const data = new Uint8Array(width * height * 3);
  const source = image.data;
  const right = image.width > 1 ? 3 : 0;
  const below = image.height > 1 ? image.width * 3 : 0;
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = y * 2 * image.width * 3;
    for (let x = 0; x < width; x++, from += 6) {
      for (let c = 0; c < 3; c++) {
        const at = from + c;
        data[to++] =
          (source[at]! + source[at + right]! + source[at + below]! + source[at + below + right]! + 2) >> 2;
      }
    }
  }
  return { width, height, data };
}

function sampleAffine(
  image: RgbImage,
  map: Affine,
  width: number,
  height: number,
  gain: number,
  offset: readonly number[],
): Float32Array {
  const out = new Float32Array(width * height * 3);
  const { data, width: w, height: h } = image;
  const [o0 = 0, o1 = 0, o2 = 0] = offset;
  const outside = [(128 - o0) * gain, (128 - o1) * gain, (128 - o2) * gain] as const;
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const sx = map[0] * x + map[1] * y + map[2];
      const sy = map[3] * x + map[4] * y + map[5];
      if (!(sx > -1 && sy > -1 && sx < w && sy < h)) {
        out[to] = outside[0];
        out[to + 1] = outside[1];
        out[to + 2] = outside[2];
        continue;
      }
      const x0 = sx < 0 ? 0 : sx | 0;
      const y0 = sy < 0 ? 0 : sy | 0;
      const fx = sx < 0 ? 0 : sx - x0;
      const fy = sy < 0 ? 0 : sy - y0;
      const at = (y0 * w + x0) * 3;
      const right = x0 + 1 < w ? at + 3 : at;
      const below = y0 + 1 < h ? w * 3 : 0;
      const k00 = (1 - fx) * (1 - fy);
      const k10 = fx * (1 - fy);
      const k01 = (1 - fx) * fy;
      const k11 = fx * fy;
      for (let c = 0; c < 3; c++) {
        const value = data[at + c]! * k00 + data[right + c]! * k10 + data[at + below + c]! * k01 +
          data[right + below + c]! * k11;
        out[to + c] = (value - offset[c]!) * gain;
      }
    }
  }
  return out;
}

/** The square of `side` pixels about `centre`, turned by `angle` radians, sampled to `size` output pixels. */
export function squareWindow(centre: Point, side: number, angle: number, size: number): Affine {
  const cos = (Math.cos(angle) * side) / size;
  const sin = (Math.sin(angle) * side) / size;
  const half = (size - 1) / 2;
  return [cos, -sin, centre.x - cos * half + sin * half, sin, cos, centre.y - sin * half - cos * half];
}

export function applyAffine(map: Affine, x: number, y: number): Point {
  return { x: map[0] * x + map[1] * y + map[2], y: map[3] * x + map[4] * y + map[5] };
}

/** The rotation, uniform scale and shift that carry `from` nearest (least squares) to `to`. */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Affine {
  const count = from.length;
  const mean = (points: readonly Point[]) => ({
    x: points.reduce((sum, p) => sum + p.x, 0) / count,
    y: points.reduce((sum, p) => sum + p.y, 0) / count,
  });
  const source = mean(from);
  const target = mean(to);
  let along = 0;
  let across = 0;
  let spread = 0;
  for (let i = 0; i < count; i++) {
    const x = from[i]!.x - source.x;
    const y = from[i]!.y - source.y;
    const u = to[i]!.x - target.x;
    const v = to[i]!.y - target.y;
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  }
  const a = along / spread;
  const b = across / spread;
  return [a, -b, target.x - a * source.x + b * source.y, b, a, target.y - b * source.x - a * source.y];
}

export function distanceBetween(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
