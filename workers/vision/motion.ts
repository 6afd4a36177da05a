import type { LumaImage } from "./luma.ts";
import { quantile } from "./statistics.ts";

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

/**
 * What of the motion measure is grain and no motion, in luma levels: what the quietest blocks show in the
 * clip's calm frames, and no more than grain of that strength can cause (so a steady pan is not taken for it).
 * @param quiet The quiet part of each frame pair's motion.
 * @param grain Strength (σ) of the grain in a few frames.
 */
export function findNoiseFloor(quiet: ArrayLike<number>, grain: ArrayLike<number>): number {
  const moving = Array.from(quiet).filter((value) => value > 0);
  // Two frames of independent grain σ differ by 2σ/√π on average; a fifth more for what the 3×3 median hides.
  const explained = quantile(grain, 0.5) * (2 / Math.sqrt(Math.PI)) * 1.2;
  return Math.min(quantile(moving, 0.1), explained);
}

function assertSameSize(a: LumaImage, b: LumaImage): void {
  if (a.width !== b.width || a.height !== b.height) {
    throw new RangeError(`Cannot compare frames of ${a.width}×${a.height} and ${b.width}×${b.height} pixels`);
  }
}
