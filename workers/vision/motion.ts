import type { LumaImage } from "./luma.ts";
import { mean, quantile } from "./statistics.ts";

const BLOCK = 16;

/** Mean |a − b| over two pictures of one size, in 8-bit luma levels. */
export function meanDifference(a: LumaImage, b: LumaImage): number {
  assertSameSize(a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!);
  return sum / a.data.length;
}

/** Motion between two frames: over the whole picture, and over its quietest quarter of 16×16 blocks. */
export interface MotionMeasure {
  readonly whole: number;
  readonly quiet: number;
}

/** Mean |a − b| of the picture and of the quarter of its 16×16 blocks that differ least. */
export function measureMotion(a: LumaImage, b: LumaImage): MotionMeasure {
  assertSameSize(a, b);
  const { width, height } = a;
  const columns = Math.ceil(width / BLOCK);
  const blocks = new Float32Array(columns * Math.ceil(height / BLOCK));
  let whole = 0;
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / BLOCK) * columns;
    for (let x = 0; x < width; x += BLOCK) {
      const end = at + Math.min(BLOCK, width - x);
      let sum = 0;
      for (; at < end; at++) sum += Math.abs(a.data[at]! - b.data[at]!);
      blocks[row + x / BLOCK]! += sum;
      whole += sum;
    }
  }
  blocks.forEach((sum, i) => {
    const blockWidth = Math.min(BLOCK, width - (i % columns) * BLOCK);
    const blockHeight = Math.min(BLOCK, height - Math.floor(i / columns) * BLOCK);
    blocks[i] = sum / (blockWidth * blockHeight);
  });
  blocks.sort();
  const quarter = Math.max(1, blocks.length >> 2);
  let quiet = 0;
  for (let i = 0; i < quarter; i++) quiet += blocks[i]!;
  return { whole: whole / a.data.length, quiet: quiet / quarter };
}

/** What findNoiseFloor reads; the first two are per frame, `quiet` per frame pair, `grain` of a few frames. */
export interface NoiseEvidence {
  readonly motion: readonly number[];
  readonly motion2: readonly number[];
  /** Motion of the quietest quarter of blocks. */
  readonly quiet: readonly number[];
  /** σ of the grain in flat blocks. */
  readonly grain: readonly number[];
  /** Mean step between neighbouring pixels: what moving by one pixel changes at most. */
  readonly texture: readonly number[];
}

const REST_WINDOW = 5;
/** Moving by more than this share of a pixel a frame, a change is no longer in proportion to the move. */
const SMALL_MOVE = 0.5;
/** |Y_t − Y_{t−2}| ÷ |Y_t − Y_{t−1}|: 1 for grain alone, up to 2 for motion alone, less where motion turns back. */
const LEAST_RATIO = 0.9;

/**
 * How much of the motion measure is grain and no motion, in luma levels. Where the clip moves little, grain
 * and motion part by how two frames' difference compares with one's; else it is what the quietest blocks show
 * in the calmest frames, and no more than grain of that strength causes: a steady pan is not taken for grain.
 */
export function findNoiseFloor({ motion, motion2, quiet, grain, texture }: NoiseEvidence): number {
  // Two frames of independent grain σ differ by 2σ/√π on average; a fifth more for what the 3×3 median hides.
  const explained = quantile(grain, 0.5) * (2 / Math.sqrt(Math.PI)) * 1.2;
  const calm = quantile(quiet.filter((value) => value > 0), 0.1);
  const parted = partNoise(motion, motion2, SMALL_MOVE * quantile(texture, 0.5));
  return Math.max(Math.min(calm, explained), quantile(parted, 0.1));
}

/** The grain's part of the motion in every few frames that move by no more than `smallMove` levels. */
function partNoise(motion: readonly number[], motion2: readonly number[], smallMove: number): number[] {
  const found: number[] = [];
  for (let end = REST_WINDOW + 1; end < motion.length; end++) {
    const ones = motion.slice(end - REST_WINDOW + 1, end + 1);
    // A repeated frame differs from nothing and says nothing.
    if (ones.some((value) => value === 0)) continue;
    const one = mean(ones);
    const two = mean(motion2.slice(end - REST_WINDOW + 1, end + 1));
    // Independent parts add as squares: one² = noise² + move², two² = noise² + (2·move)².
    const moveSquared = Math.max(0, (two * two - one * one) / 3);
    if (two < LEAST_RATIO * one || Math.sqrt(moveSquared) > smallMove) continue;
    found.push(Math.sqrt(Math.max(0, one * one - moveSquared)));
  }
  return found;
}

function assertSameSize(a: LumaImage, b: LumaImage): void {
  if (a.width !== b.width || a.height !== b.height) {
    throw new RangeError(`Cannot compare frames of ${a.width}×${a.height} and ${b.width}×${b.height} pixels`);
  }
}
