import type { RgbImage } from "#workers/vision/pixels.ts";

/** A picture in floats, so that faults are applied before anything is rounded. */
export interface FloatImage {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Repeatable random numbers 0–1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Three channels of smooth noise that tile sideways: something to pan over. The top `flatRows` are plain, like a sky. */
export function makeTexture(
  size: number,
  seed: number,
  octaves: readonly number[],
  flatRows = 0,
): FloatImage {
  const random = randomFrom(seed);
  const data = Float32Array.from({ length: size * size * 3 }, (_, i) => 128 - 18 * (i % 3));
  octaves.forEach((cells, octave) => {
    const grid = Float32Array.from({ length: cells * cells * 3 }, () => random() * 2 - 1);
    const strength = 30 / Math.sqrt(octave + 1);
    for (let y = 0; y < size; y++) {
      const share = flatRows === 0 ? 1 : Math.min(1, Math.max(0, (y - flatRows) / 16));
      for (let x = 0; x < size; x++) {
        const u = (x / size) * cells;
        const v = (y / size) * cells;
        const [x0, y0] = [Math.floor(u), Math.floor(v)];
        const fx = smooth(u - x0);
        const fy = smooth(v - y0);
        for (let c = 0; c < 3; c++) {
          const at = (i: number, j: number) =>
            grid[(((y0 + j) % cells) * cells + ((x0 + i) % cells)) * 3 + c]!;
          const top = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
          const low = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
          data[(y * size + x) * 3 + c]! += share * strength * (top + (low - top) * fy);
        }
      }
    }
  });
  return { width: size, height: size, data };
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

/** Where things are at one moment: the background's offset and the subject's centre, in pixels. */
export interface Moment {
  readonly pan: number;
  readonly subject: number;
}

/** Draws frames of a textured disc that moves over a textured background. */
export function makeScene(width: number, height: number): (moment: Moment) => FloatImage {
  const background = makeTexture(256, 1, [8, 32, 96], height / 4);
  const subject = makeTexture(256, 2, [12, 40, 100]);
  const radius = height * 0.3;
  return ({ pan, subject: centre }) => {
    const data = new Float32Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const to = (y * width + x) * 3;
        const distance = Math.hypot(x - centre, y - height / 2);
        const cover = Math.min(1, Math.max(0, radius - distance + 0.5));
        if (cover < 1) sampleTiled(background, x + pan, y, data, to, 1 - cover);
        if (cover > 0) sampleTiled(subject, x - centre + 128, y, data, to, cover);
      }
    }
    return { width, height, data };
  };
}

function sampleTiled(
  texture: FloatImage,
  x: number,
  y: number,
  out: Float32Array,
  to: number,
  weight: number,
): void {
  const size = texture.width;
  const wrap = (value: number) => ((value % size) + size) % size;
  const u = wrap(x);
  const x0 = Math.floor(u);
  const share = u - x0;
  const row = wrap(Math.floor(y)) * size;
  const left = (row + x0) * 3;
  const right = (row + (x0 + 1) % size) * 3;
  for (let c = 0; c < 3; c++) {
    const value = texture.data[left + c]! * (1 - share) + texture.data[right + c]! * share;
    out[to + c]! += weight * value;
  }
}

/** Grain of strength σ, the same on all channels, another pattern for each `seed`. */
export function makeGrain(sigma: number): (image: FloatImage, seed: number) => FloatImage {
  const random = randomFrom(77);
  const table = Float32Array.from({ length: 1 << 18 }, () => {
    const length = Math.sqrt(-2 * Math.log(random() || 1e-9));
    return sigma * length * Math.cos(2 * Math.PI * random());
  });
  return (image, seed) => {
    const pick = randomFrom(seed * 7919 + 13);
    const data = new Float32Array(image.data.length);
    for (let y = 0; y < image.height; y++) {
      let at = Math.floor(pick() * table.length);
      for (let i = y * image.width * 3, end = i + image.width * 3; i < end; i += 3) {
        const value = table[at++ & (table.length - 1)]!;
        for (let c = 0; c < 3; c++) data[i + c] = image.data[i + c]! + value;
      }
    }
    return { ...image, data };
  };
}

/** Rounds to 8 bits. */
export function toRgb(image: FloatImage): RgbImage {
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, Math.max(0, Math.round(image.data[i]!)));
  return { width: image.width, height: image.height, data };
}

/** Turns the hue by a share of the circle, luma kept. */
export function turnHue(image: FloatImage, share: number): FloatImage {
  const cos = Math.cos(share * 2 * Math.PI);
  const sin = Math.sin(share * 2 * Math.PI);
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = [image.data[i]!, image.data[i + 1]!, image.data[i + 2]!];
    const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    const u = (b - y) / 1.8556;
    const v = (r - y) / 1.5748;
    const [u2, v2] = [u * cos - v * sin, u * sin + v * cos];
    data[i] = y + 1.5748 * v2;
    data[i + 2] = y + 1.8556 * u2;
    data[i + 1] = (y - 0.2126 * data[i]! - 0.0722 * data[i + 2]!) / 0.7152;
  }
  return { ...image, data };
}

/** Multiplies every channel: a step in exposure. */
export function scaleLight(image: FloatImage, factor: number): FloatImage {
  return { ...image, data: image.data.map((value) => value * factor) };
}

/** Moves the picture left by whole pixels, its right edge repeated. */
export function shiftLeft(image: FloatImage, pixels: number): FloatImage {
  const { width, height } = image;
  const data = new Float32Array(image.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + Math.min(width - 1, x + pixels)) * 3;
      data.set(image.data.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { ...image, data };
}

/** Gaussian blur of σ pixels, edges repeated. */
export function soften(image: FloatImage, sigma: number): FloatImage {
  const reach = Math.ceil(sigma * 3);
  const weights = Array.from(
    { length: 2 * reach + 1 },
    (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const pass = (source: Float32Array, dx: number, dy: number) => {
    const out = new Float32Array(source.length);
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const to = (y * image.width + x) * 3;
        weights.forEach((weight, k) => {
          const i = Math.min(image.width - 1, Math.max(0, x + (k - reach) * dx));
          const j = Math.min(image.height - 1, Math.max(0, y + (k - reach) * dy));
          const from = (j * image.width + i) * 3;
          for (let c = 0; c < 3; c++) out[to + c]! += (source[from + c]! * weight) / total;
        });
      }
    }
    return out;
  };
  return { ...image, data: pass(pass(image.data, 1, 0), 0, 1) };
}
