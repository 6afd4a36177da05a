import type { LumaImage } from "./luma.ts";

const BLOCK = 16;
const FLATTEST_SHARE = 0.2;
/** More blocks than this cost time and change nothing. */
const MAX_BLOCKS = 48;

/** Strength of the grain: σ of luma minus its 3×3 median over the flattest fifth of 16×16 blocks. */
export function measureGrain(image: LumaImage): number {
  const { width, height } = image;
  const blocks: { x: number; y: number; spread: number }[] = [];
  for (let y = 1; y + BLOCK < height; y += BLOCK) {
    for (let x = 1; x + BLOCK < width; x += BLOCK) blocks.push({ x, y, spread: blockSpread(image, x, y) });
  }
  blocks.sort((a, b) => a.spread - b.spread);
  const all = blocks.slice(0, Math.max(1, Math.floor(blocks.length * FLATTEST_SHARE)));
  // Taken evenly over the fifth, so that the flattest few don't stand for it.
  const stride = Math.max(1, all.length / MAX_BLOCKS);
  const flattest = all.filter((_, i) => Math.floor(i / stride) !== Math.floor((i - 1) / stride));
  let squares = 0;
  let count = 0;
  for (const { x, y } of flattest) {
    for (let j = y; j < y + BLOCK; j++) {
      for (let i = x; i < x + BLOCK; i++) {
        const at = j * width + i;
        squares += (image.data[at]! - medianAround(image, at)) ** 2;
        count++;
      }
    }
  }
  return count === 0 ? 0 : Math.sqrt(squares / count);
}

function blockSpread(image: LumaImage, x: number, y: number): number {
  let sum = 0;
  let squares = 0;
  for (let j = y; j < y + BLOCK; j++) {
    for (let at = j * image.width + x, end = at + BLOCK; at < end; at++) {
      const value = image.data[at]!;
      sum += value;
      squares += value * value;
    }
  }
  const count = BLOCK * BLOCK;
  return squares / count - (sum / count) ** 2;
}

const AROUND = new Float32Array(9);

function medianAround(image: LumaImage, at: number): number {
  let k = 0;
  for (let row = at - image.width; row <= at + image.width; row += image.width) {
    for (let i = row - 1; i <= row + 1; i++) AROUND[k++] = image.data[i]!;
  }
  return AROUND.sort()[4]!;
}
