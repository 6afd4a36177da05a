import { hashWords } from "./draws.ts";
import { type Box, emptyPlane, lumaOf, type Picture, type Plane } from "./picture.ts";
import { boxBlur } from "./planes.ts";

const SIDE = 512;
/** Shifts of the tile are multiples of this many pixels: far more than the grain's own size. */
const SHIFT = 16;
const STEPS = SIDE / SHIFT;
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
 * Which of our own patterns lies over `picture`, and how strong; undefined when none does, as on a photograph
 * or after lossy compression. So grain can be taken off exactly and laid on anew: it moves from frame to frame
 * over any number of hops and never piles up.
 */
export function findGrain(picture: Picture): GrainTrace | undefined {
  if (picture.width < 64 || picture.height < 64) return undefined;
  const fine = highPass(lumaOf(picture));
  const unrest = boxBlur({ ...fine, data: fine.data.map(Math.abs) }, 2);
  const few = samplesOf(picture, fine, unrest, 5000);
  let best = -1;
  let bestScore = 0;
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    const { score } = correlate(few, pattern);
    if (score > bestScore) {
      bestScore = score;
      best = pattern;
    }
  }
  if (best < 0) return undefined;
  if (correlate(samplesOf(picture, fine, unrest, 30_000), best).score < 9) return undefined;
  const level = measureLevel(picture, fine, unrest, best);
  return level > 0.15 ? { pattern: best, level: snapLevel(level) } : undefined;
}

/**
 * How strong a known pattern is, read in the picture's calmest part. Calm places are where grain and picture
 * happen to cancel, which would read too low: so what was read is taken off, calm places are chosen anew, and
 * the rest is read again.
 */
function measureLevel(picture: Picture, fine: Plane, unrest: Plane, pattern: number): number {
  const expectedAll: Plane = { ...fine, data: expectedFine(picture, pattern) };
  const part = calmestPart(unrest, expectedAll);
  const seen = cropPlane(fine, part);
  const expected = cropPlane(expectedAll, part).data;
  let level = 0;
  let calm = cropPlane(unrest, part);
  for (let round = 0; round < 6; round++) {
    const rest = seen.data.map((value, i) => value - level * expected[i]!);
    if (round > 0) calm = boxBlur({ ...seen, data: rest.map(Math.abs) }, 2);
    const limit = spreadSample(calm.data, 2000).sort()[700]!;
    let both = 0;
    let own = 1e-9;
    for (let i = 0; i < rest.length; i++) {
      if (calm.data[i]! > limit) continue;
      const trust = 1 / (0.2 + calm.data[i]! ** 2);
      both += trust * expected[i]! * rest[i]!;
      own += trust * expected[i]! ** 2;
    }
    level += both / own;
  }
  return level;
}

/** The part, up to 256 pixels wide and high, where grain stands out most from what else is there. */
function calmestPart(unrest: Plane, expected: Plane): Box {
  const width = Math.min(256, unrest.width - 2);
  const height = Math.min(256, unrest.height - 2);
  let best: Box = { x: 1, y: 1, width, height };
  let bestScore = -1;
  for (let y = 1; y + height < unrest.height; y += Math.max(16, height >> 1)) {
    for (let x = 1; x + width < unrest.width; x += Math.max(16, width >> 1)) {
      let score = 0;
      for (let j = y; j < y + height; j += 4) {
        for (let i = x; i < x + width; i += 4) {
          const at = j * unrest.width + i;
          score += expected.data[at]! ** 2 / (0.2 + unrest.data[at]! ** 2);
        }
      }
      if (score > bestScore) {
        bestScore = score;
        best = { x, y, width, height };
      }
    }
  }
  return best;
}

function cropPlane(plane: Plane, { x, y, width, height }: Box): Plane {
  const out = emptyPlane(width, height);
  for (let j = 0; j < height; j++) {
    const from = (y + j) * plane.width + x;
    out.data.set(plane.data.subarray(from, from + width), j * width);
  }
  return out;
}

/** What a pattern of level 1 leaves of itself in the picture's fine detail. */
function expectedFine(picture: Picture, pattern: number): Float32Array {
  const { width, height, rgb } = picture;
  const fine = fineTile();
  const gain = response();
  const { shiftX, shiftY } = shiftOf(pattern);
  const out = new Float32Array(width * height);
  for (let y = 1; y < height - 1; y++) {
    const row = ((y + shiftY) & (SIDE - 1)) * SIDE;
    for (let x = 1, i = y * width + 1; x < width - 1; x++, i++) {
      const luma = roughLuma(rgb[i * 3]!, rgb[i * 3 + 1]!, rgb[i * 3 + 2]!);
      out[i] = fine[row + ((x + shiftX) & (SIDE - 1))]! * gain[luma]!;
    }
  }
  return out;
}

function spreadSample(values: Float32Array, count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => values[Math.floor(((i + 0.5) * values.length) / count)]!,
  );
}

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
  /** What a grain of level 1 would show here, and how far the place can be trusted: little on texture. */
  readonly gain: Float32Array;
  readonly trust: Float32Array;
}

/** The calmest quarter of four times `count` scattered pixels, with their fine detail. */
function samplesOf(picture: Picture, fine: Plane, unrest: Plane, count: number): Samples {
  const places = new Int32Array(Math.min(count * 4, picture.width * picture.height));
  for (let i = 0; i < places.length; i++) {
    // Additive recurrence with the plastic number's powers: even cover without a lattice.
    const x = 1 + Math.floor(((i * 0.7548776662466927) % 1) * (picture.width - 2));
    const y = 1 + Math.floor(((i * 0.5698402909980532) % 1) * (picture.height - 2));
    places[i] = y * picture.width + x;
  }
  const limit = Float32Array.from(places, (at) => unrest.data[at]!).sort()[places.length >> 2]!;
  const calm = places.filter((at) => unrest.data[at]! <= limit);
  const luma = (p: number) => roughLuma(picture.rgb[p]!, picture.rgb[p + 1]!, picture.rgb[p + 2]!);
  return {
    x: calm.map((at) => at % picture.width),
    y: calm.map((at) => Math.floor(at / picture.width)),
    value: Float32Array.from(calm, (at) => fine.data[at]!),
    gain: Float32Array.from(calm, (at) => response()[luma(at * 3)]!),
    trust: Float32Array.from(calm, (at) => 1 / (0.2 + unrest.data[at]! ** 2)),
  };
}

function correlate(samples: Samples, pattern: number): { score: number; level: number } {
  const fine = fineTile();
  const { shiftX, shiftY } = shiftOf(pattern);
  let both = 0;
  let own = 0;
  let chance = 0;
  for (let i = 0; i < samples.value.length; i++) {
    const at = ((samples.y[i]! + shiftY) & (SIDE - 1)) * SIDE + ((samples.x[i]! + shiftX) & (SIDE - 1));
    const expected = fine[at]! * samples.gain[i]!;
    const product = samples.trust[i]! * expected * samples.value[i]!;
    both += product;
    own += samples.trust[i]! * expected * expected;
    chance += product * product;
  }
  return own === 0 || chance === 0
    ? { score: 0, level: 0 }
    : { score: both / Math.sqrt(chance), level: both / own };
}

function shiftOf(pattern: number): { shiftX: number; shiftY: number } {
  return { shiftX: (pattern % STEPS) * SHIFT, shiftY: Math.floor(pattern / STEPS) * SHIFT };
}

function roughLuma(red: number, green: number, blue: number): number {
  const luma = (red * 54 + green * 183 + blue * 19) / 256;
  return luma <= 0 ? 0 : luma >= 255 ? 255 : luma | 0;
}

/** Film shows grain in mid tones; at pure black and white there is none, so nothing is clipped off its mean. */
function response(): Float32Array {
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
