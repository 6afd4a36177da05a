import { hashWords } from "./draws.ts";
import { clamp, emptyPlane, lumaOf, type Picture, type Plane } from "./picture.ts";

const SIDE = 512;
/** Shifts of the tile are multiples of this many pixels: far more than the grain's own size. */
const SHIFT = 16;
const STEPS = SIDE / SHIFT;
/** How many different patterns frames can carry. */
export const PATTERNS = STEPS * STEPS;

/** The grain that a picture carries. */
export interface GrainTrace {
  readonly pattern: number;
  /** Standard deviation in 8-bit levels on mid tones. */
  readonly level: number;
}

let tile: Float32Array | undefined;
let response: Float32Array | undefined;

/**
 * Which of our own patterns lies over `picture`, and how strong; undefined when none does, as on a photograph
 * or after lossy compression. So grain can be taken off exactly and laid on anew: it moves from frame to frame
 * over any number of hops and never piles up.
 */
export function findGrain(picture: Picture): GrainTrace | undefined {
  if (picture.width < 64 || picture.height < 64) return undefined;
  const fine = highPass(lumaOf(picture));
  const coarse = samplesOf(picture, fine, 5000);
  let best = -1;
  let bestScore = 0;
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    const score = correlate(coarse, pattern).score;
    if (score > bestScore) {
      bestScore = score;
      best = pattern;
    }
  }
  if (best < 0) return undefined;
  const samples = samplesOf(picture, fine, 40_000);
  if (correlate(samples, best).score < 9) return undefined;
  let level = 0;
  // Holding detail small pulls the level down, so it is sought again in what is left until nothing is.
  for (let round = 0; round < 8; round++) level += correlate(samples, best, level).level;
  return level > 0.2 ? { pattern: best, level: snapLevel(level) } : undefined;
}

/**
 * Grain comes in steps of 15 %, so that the level read from a frame is the very level that was written into it:
 * small errors of reading do not add up from hop to hop. 0 stays 0.
 */
export function snapLevel(level: number): number {
  return level < 0.05 ? 0 : 1.15 ** Math.round(Math.log(level) / Math.log(1.15));
}

/** `rgb` floats of the picture without the traced grain. */
export function removeGrain(picture: Picture, trace: GrainTrace | undefined): Float32Array {
  const out = Float32Array.from(picture.rgb);
  if (!trace) return out;
  const grain = grainTile();
  const { shiftX, shiftY } = shiftOf(trace.pattern);
  for (let y = 0, p = 0; y < picture.height; y++) {
    const row = ((y + shiftY) & (SIDE - 1)) * SIDE;
    for (let x = 0; x < picture.width; x++, p += 3) {
      const luma = roughLuma(out[p]!, out[p + 1]!, out[p + 2]!);
      const grainHere = grain[row + ((x + shiftX) & (SIDE - 1))]! * trace.level * RESPONSE()[luma]!;
      out[p] = out[p]! - grainHere;
      out[p + 1] = out[p + 1]! - grainHere;
      out[p + 2] = out[p + 2]! - grainHere;
    }
  }
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
  const gain = RESPONSE();
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

/**
 * Standard deviation of luma noise in 8-bit levels, from the flattest fifth of 16×16 blocks against their
 * 3×3 means (continuity.md E.4 in spirit). About 0 on drawings and blurred pictures.
 */
export function measureGrain(luma: Plane): number {
  const fine = highPass(luma);
  const spreads: number[] = [];
  for (let y = 8; y + 24 <= luma.height; y += 16) {
    for (let x = 8; x + 24 <= luma.width; x += 16) spreads.push(blockVariance(fine, x, y));
  }
  if (spreads.length === 0) return 0;
  const flat = spreads.toSorted((a, b) => a - b).slice(0, Math.max(1, Math.floor(spreads.length / 5)));
  return Math.sqrt(flat.reduce((sum, value) => sum + value, 0) / flat.length) / HIGH_PASS_SHARE;
}

/** The share of our grain's deviation that a 3×3 high pass leaves. */
const HIGH_PASS_SHARE = 0.62;

function blockVariance(plane: Plane, left: number, top: number): number {
  let sum = 0;
  for (let y = top; y < top + 16; y++) {
    for (let x = left; x < left + 16; x++) sum += plane.data[y * plane.width + x]! ** 2;
  }
  return sum / 256;
}

function highPass(luma: Plane): Plane {
  const { width, height, data } = luma;
  const out = emptyPlane(width, height);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, at = y * width + 1; x < width - 1; x++, at++) {
      const above = data[at - width - 1]! + data[at - width]! + data[at - width + 1]!;
      const below = data[at + width - 1]! + data[at + width]! + data[at + width + 1]!;
      out.data[at] = data[at]! - (above + below + data[at - 1]! + data[at]! + data[at + 1]!) / 9;
    }
  }
  return out;
}

interface Samples {
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly value: Float32Array;
  readonly gain: Float32Array;
}

/** Fine detail beyond this many levels is picture, not grain; held down so that edges don't drown it. */
const DETAIL_LIMIT = 3;

/** Scattered pixels with their fine detail. */
function samplesOf(picture: Picture, fine: Plane, count: number): Samples {
  const x = new Int32Array(count);
  const y = new Int32Array(count);
  const value = new Float32Array(count);
  const gain = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    // Additive recurrence with the plastic number's powers: even cover without a lattice.
    x[i] = 1 + Math.floor(((i * 0.7548776662466927) % 1) * (picture.width - 2));
    y[i] = 1 + Math.floor(((i * 0.5698402909980532) % 1) * (picture.height - 2));
    const at = y[i]! * picture.width + x[i]!;
    value[i] = fine.data[at]!;
    const p = at * 3;
    gain[i] = RESPONSE()[roughLuma(picture.rgb[p]!, picture.rgb[p + 1]!, picture.rgb[p + 2]!)]!;
  }
  return { x, y, value, gain };
}

function correlate(samples: Samples, pattern: number, removed = 0): { score: number; level: number } {
  const fine = fineTile();
  const { shiftX, shiftY } = shiftOf(pattern);
  let both = 0;
  let own = 0;
  let theirs = 0;
  for (let i = 0; i < samples.value.length; i++) {
    const at = ((samples.y[i]! + shiftY) & (SIDE - 1)) * SIDE + ((samples.x[i]! + shiftX) & (SIDE - 1));
    const expected = fine[at]! * samples.gain[i]!;
    const seen = clamp(samples.value[i]! - removed * expected, -DETAIL_LIMIT, DETAIL_LIMIT);
    both += expected * seen;
    own += expected * expected;
    theirs += seen * seen;
  }
  if (own === 0 || theirs === 0) return { score: 0, level: 0 };
  const level = both / own;
  const rest = Math.max(1e-9, theirs - level * both) / samples.value.length;
  return { score: both / Math.sqrt(own * rest), level };
}

function shiftOf(pattern: number): { shiftX: number; shiftY: number } {
  return { shiftX: (pattern % STEPS) * SHIFT, shiftY: Math.floor(pattern / STEPS) * SHIFT };
}

function roughLuma(red: number, green: number, blue: number): number {
  const luma = (red * 54 + green * 183 + blue * 19) / 256;
  return luma <= 0 ? 0 : luma >= 255 ? 255 : luma | 0;
}

/** Film shows grain in mid tones; at pure black and white there is none, so nothing is clipped off its mean. */
function RESPONSE(): Float32Array {
  response ??= Float32Array.from({ length: 256 }, (_, luma) => {
    const ends = Math.min(1, luma / 32, (255 - luma) / 32);
    return Math.sqrt(Math.max(0, ends)) * (0.8 + 0.2 * Math.sin((Math.PI * luma) / 255));
  });
  return response;
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
function fineTile(): Float32Array {
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
