import { hashWords } from "./draws.ts";
import type { Picture } from "./picture.ts";

/** Side of the periodic noise tile in pixels, a power of two. */
export const SIDE = 512;
/** Shifts of the tile are multiples of this many pixels: far more than the grain's own size. */
const SHIFT = 16;
const STEPS = SIDE / SHIFT;
/** Ratio of one level of grain to the next. */
const STEP = 1.35;
/** How many different patterns frames can carry. */
export const PATTERNS = STEPS * STEPS;

/** The grain that a picture carries. */
export interface GrainTrace {
  readonly pattern: number;
  /** Standard deviation in 8-bit levels on mid tones. */
  readonly level: number;
}

let tile: Float32Array | undefined;
let responseCurve: Float32Array | undefined;

/**
 * Grain comes in steps of a third, so that the level read from a frame is the very level that was written into it:
 * small errors of reading do not add up from hop to hop. 0 stays 0.
 */
export function snapLevel(level: number): number {
  return level < 0.05 ? 0 : STEP ** Math.round(Math.log(level) / Math.log(STEP));
}

/** Detail below about this many levels is what rounding to bytes left behind. */
const ROUNDING = 0.45;

/**
 * Takes rounding noise off pixels that went through bytes before, in place: fine detail of half a level goes,
 * of one level stays by 96 %, of two untouched. Else each hop would add its rounding to that of all before.
 */
function smoothRounding(rgb: Float32Array, width: number, height: number): void {
  const stride = width * 3;
  const limit = ROUNDING ** 4;
  // Row sums of 3 pixels, kept for three rows: the pixels above are already changed when a row is reached.
  const sums = [0, 1, 2].map(() => new Float32Array(stride));
  const sumRow = (y: number) => {
    const out = sums[y % 3]!;
    for (let i = 3, p = y * stride + 3; i < stride - 3; i++, p++) {
      out[i] = rgb[p - 3]! + rgb[p]! + rgb[p + 3]!;
    }
  };
  sumRow(0);
  if (height > 1) sumRow(1);
  for (let y = 1; y < height - 1; y++) {
    sumRow(y + 1);
    const [a, b, c] = sums as [Float32Array, Float32Array, Float32Array];
    for (let i = 3, p = y * stride + 3; i < stride - 3; i++, p++) {
      const fine = rgb[p]! - (a[i]! + b[i]! + c[i]!) / 9;
      if (fine > 2 || fine < -2) continue;
      const power = fine * fine * fine * fine;
      rgb[p] = rgb[p]! - (fine * limit) / (power + limit);
    }
  }
}

/** `rgb` floats of the picture without the traced grain and what rounding it left. */
export function removeGrain(picture: Picture, trace: GrainTrace | undefined): Float32Array {
  const out = Float32Array.from(picture.rgb);
  if (!trace) return out;
  const grain = grainTile();
  const gain = response();
  const { shiftX, shiftY } = shiftOf(trace.pattern);
  for (let y = 0, p = 0; y < picture.height; y++) {
    const row = ((y + shiftY) & (SIDE - 1)) * SIDE;
    for (let x = 0; x < picture.width; x++, p += 3) {
      const luma = roughLuma(out[p]!, out[p + 1]!, out[p + 2]!);
      const grainHere = grain[row + ((x + shiftX) & (SIDE - 1))]! * trace.level * gain[luma]!;
      out[p] = out[p]! - grainHere;
      out[p + 1] = out[p + 1]! - grainHere;
      out[p + 2] = out[p + 2]! - grainHere;
    }
  }
  smoothRounding(out, picture.width, picture.height);
  return out;
}

/** Writes row `y` with a grain pattern over it into `out`, rounded to bytes. */
export function writeGrainyRow(
  row: Float32Array,
  y: number,
  pattern: number,
  level: number,
  out: Uint8ClampedArray,
): void {
  const grain = grainTile();
  const gain = response();
  const { shiftX, shiftY } = shiftOf(pattern);
  const base = ((y + shiftY) & (SIDE - 1)) * SIDE;
  const start = y * row.length;
  for (let i = 0, x = shiftX; i < row.length; i += 3, x++) {
    const red = row[i]!;
    const green = row[i + 1]!;
    const blue = row[i + 2]!;
    const add = grain[base + (x & (SIDE - 1))]! * gain[roughLuma(red, green, blue)]! * level;
    out[start + i] = red + add;
    out[start + i + 1] = green + add;
    out[start + i + 2] = blue + add;
  }
}

/** Pattern number of a frame: never that of the frame before, nor `avoid`. */
export function patternFor(seed: number, frame: number, avoid: number): number {
  const raw = (f: number) => hashWords(seed, "grain", f) % PATTERNS;
  let pattern = raw(frame);
  while (pattern === avoid || (frame > 0 && pattern === raw(frame - 1))) pattern = (pattern + 37) % PATTERNS;
  return pattern;
}

/** How far the tile is moved for a pattern, in pixels. */
export function shiftOf(pattern: number): { shiftX: number; shiftY: number } {
  return { shiftX: (pattern % STEPS) * SHIFT, shiftY: Math.floor(pattern / STEPS) * SHIFT };
}

/** Luma 0–255 as a whole number: an index into `response()`. */
export function roughLuma(red: number, green: number, blue: number): number {
  const luma = (red * 54 + green * 183 + blue * 19) / 256;
  return luma <= 0 ? 0 : luma >= 255 ? 255 : luma | 0;
}

/** Film shows grain in mid tones; at pure black and white there is none, so nothing is clipped off its mean. */
export function response(): Float32Array {
  responseCurve ??= Float32Array.from({ length: 256 }, (_, luma) => {
    const ends = Math.min(1, luma / 32, (255 - luma) / 32);
    return Math.sqrt(Math.max(0, ends)) * (0.8 + 0.2 * Math.sin((Math.PI * luma) / 255));
  });
  return responseCurve;
}

/** Periodic noise of mean 0 and deviation 1, each grain about two pixels wide. */
function grainTile(): Float32Array {
  if (tile) return tile;
  let noise: Float32Array = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < noise.length; i++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += hashWords(i, "tile", k) / 0x100000000 - 0.5;
    noise[i] = sum;
  }
  noise = softenTile(noise);
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const power = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
  tile = noise.map((value) => (value - mean) / Math.sqrt(power));
  return tile;
}

let fineTileCache: Float32Array | undefined;

/** What a 3×3 high pass leaves of the tile. */
export function fineTile(): Float32Array {
  fineTileCache ??= grainTile().map((value, at) => value - neighbourMean(grainTile(), at, 1, 1));
  return fineTileCache;
}

function softenTile(noise: Float32Array): Float32Array {
  return noise.map((_, at) => neighbourMean(noise, at, 1, 0.45));
}

/** Weighted mean of 3×3 periodic neighbours: `centre` for the middle, `side` per step away. */
function neighbourMean(values: Float32Array, at: number, centre: number, side: number): number {
  const x = at % SIDE;
  const y = (at - x) / SIDE;
  let sum = 0;
  let total = 0;
  for (let j = -1; j <= 1; j++) {
    for (let i = -1; i <= 1; i++) {
      const weight = centre * side ** (Math.abs(i) + Math.abs(j));
      sum += weight * values[((y + j) & (SIDE - 1)) * SIDE + ((x + i) & (SIDE - 1))]!;
      total += weight;
    }
  }
  return sum / total;
}
