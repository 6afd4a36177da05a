import { LumaScaler } from "./luma.ts";
import type { RgbImage } from "./pixels.ts";

/** 64-bit difference hash as 16 hex digits: whether each cell of 9×8 is brighter than the next one to its right. */
export function differenceHash(image: RgbImage): string {
  const small = new LumaScaler(image.width, image.height, {
    width: Math.min(9, image.width),
    height: Math.min(8, image.height),
  }).scale(image.data);
  const at = (x: number, y: number) =>
    small.data[Math.min(y, small.height - 1) * small.width + Math.min(x, small.width - 1)]!;
  let bits = 0n;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) bits = (bits << 1n) | (at(x, y) > at(x + 1, y) ? 1n : 0n);
  }
  return bits.toString(16).padStart(16, "0");
}

/** In how many of 64 bits two hashes differ: under about 10 is a near duplicate. */
export function hashDistance(a: string, b: string): number {
  let differing = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; differing > 0n; differing &= differing - 1n) count++;
  return count;
}
