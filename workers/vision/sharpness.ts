import type { LumaImage } from "./luma.ts";

/** Variance of the 4-neighbour Laplacian: higher is sharper. Comparable only at one width. */
export function laplacianVariance(image: LumaImage): number {
  const { width, height, data } = image;
  if (width < 3 || height < 3) return 0;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * width + 1, end = at + width - 2; at < end; at++) {
      const value = 4 * data[at]! - data[at - 1]! - data[at + 1]! - data[at - width]! - data[at + width]!;
      sum += value;
      squares += value * value;
    }
  }
  const count = (width - 2) * (height - 2);
  return Math.max(0, squares / count - (sum / count) ** 2);
}

/** Mean step from a pixel to its right neighbour, in luma levels: how much there is to see moving. */
export function meanGradient(image: LumaImage): number {
  const { width, height, data } = image;
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let at = y * width + 1, end = at + width - 1; at < end; at++) {
      sum += Math.abs(data[at]! - data[at - 1]!);
    }
  }
  return sum / Math.max(1, (width - 1) * height);
}
