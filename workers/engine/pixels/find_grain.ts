import {
  fineTile,
  type GrainTrace,
  PATTERNS,
  response,
  roughLuma,
  shiftOf,
  SIDE,
  snapLevel,
} from "./grain.ts";
import { type Box, emptyPlane, lumaOf, type Picture, type Plane } from "./picture.ts";
import { boxBlur } from "./planes.ts";

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
