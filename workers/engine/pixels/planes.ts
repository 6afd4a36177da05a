import { clamp, emptyPlane, type Plane } from "./picture.ts";

/** Mean over a (2·radius+1)² window, in place of each value; edges repeat. Time does not depend on the radius. */
export function boxBlur(plane: Plane, radius: number): Plane {
  const reach = Math.round(radius);
  if (reach < 1) return plane;
  const { width, height } = plane;
  const half = emptyPlane(width, height);
  for (let y = 0; y < height; y++) slide(plane.data, half.data, y * width, 1, width, reach);
  const out = emptyPlane(width, height);
  slideRows(half.data, out.data, width, height, reach);
  return out;
}

function slide(
  from: Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  count: number,
  reach: number,
): void {
  const scale = 1 / (2 * reach + 1);
  const last = start + (count - 1) * step;
  let sum = from[start]! * (reach + 1);
  for (let i = 1; i <= reach; i++) sum += from[Math.min(last, start + i * step)]!;
  for (let i = 0, at = start; i < count; i++, at += step) {
    to[at] = sum * scale;
    sum += from[Math.min(last, at + (reach + 1) * step)]! - from[Math.max(start, at - reach * step)]!;
  }
}

function slideRows(from: Float32Array, to: Float32Array, width: number, height: number, reach: number): void {
  const scale = 1 / (2 * reach + 1);
  const sums = new Float64Array(width);
  for (let k = -reach; k <= reach; k++) {
    const row = clamp(k, 0, height - 1) * width;
    for (let x = 0; x < width; x++) sums[x] = sums[x]! + from[row + x]!;
  }
  for (let y = 0; y < height; y++) {
    const enter = clamp(y + reach + 1, 0, height - 1) * width;
    const leave = clamp(y - reach, 0, height - 1) * width;
    const at = y * width;
    for (let x = 0; x < width; x++) {
      to[at + x] = sums[x]! * scale;
      sums[x] = sums[x]! + from[enter + x]! - from[leave + x]!;
    }
  }
}

/** Close to a Gaussian blur of the given deviation (three box blurs). */
export function softBlur(plane: Plane, sigma: number): Plane {
  const radius = (Math.sqrt(4 * sigma * sigma + 1) - 1) / 2;
  if (radius < 0.5) return plane;
  return boxBlur(boxBlur(boxBlur(plane, radius), radius), radius);
}

/**
 * `plane` redrawn so that its edges follow those of `guide` (both 0–1, same size): a guided filter.
 * A small `softness` (about 1e-4 … 1e-2) keeps weak edges too.
 */
export function guidedFilter(guide: Plane, plane: Plane, radius: number, softness: number): Plane {
  const mean = (p: Plane) => boxBlur(p, radius);
  const meanGuide = mean(guide);
  const meanPlane = mean(plane);
  const meanBoth = mean(combine(guide, plane, (g, p) => g * p));
  const meanSquare = mean(combine(guide, guide, (g) => g * g));
  const slope = emptyPlane(guide.width, guide.height);
  const shift = emptyPlane(guide.width, guide.height);
  for (let i = 0; i < slope.data.length; i++) {
    const g = meanGuide.data[i]!;
    const a = (meanBoth.data[i]! - g * meanPlane.data[i]!) / (meanSquare.data[i]! - g * g + softness);
    slope.data[i] = a;
    shift.data[i] = meanPlane.data[i]! - a * g;
  }
  const smoothSlope = mean(slope);
  const smoothShift = mean(shift);
  const out = emptyPlane(guide.width, guide.height);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = clamp(smoothSlope.data[i]! * guide.data[i]! + smoothShift.data[i]!, 0, 1);
  }
  return out;
}

/** A new plane from two of the same size. */
export function combine(a: Plane, b: Plane, value: (a: number, b: number) => number): Plane {
  const out = emptyPlane(a.width, a.height);
  for (let i = 0; i < out.data.length; i++) out.data[i] = value(a.data[i]!, b.data[i]!);
  return out;
}

/** The plane at another size: means when shrinking, bilinear when growing. */
export function resizePlane(plane: Plane, width: number, height: number): Plane {
  const factor = Math.min(plane.width / width, plane.height / height);
  const source = factor > 1.5 ? boxBlur(plane, (factor - 1) / 2) : plane;
  const out = emptyPlane(width, height);
  for (let y = 0; y < height; y++) {
    const v = ((y + 0.5) * plane.height) / height - 0.5;
    for (let x = 0; x < width; x++) {
      out.data[y * width + x] = samplePlane(source, ((x + 0.5) * plane.width) / width - 0.5, v);
    }
  }
  return out;
}

/** Bilinear value at (x, y); edges repeat. */
export function samplePlane(plane: Plane, x: number, y: number): number {
  const { width, height, data } = plane;
  const u = clamp(x, 0, width - 1);
  const v = clamp(y, 0, height - 1);
  const left = Math.min(width - 1, u | 0);
  const top = Math.min(height - 1, v | 0);
  const right = Math.min(width - 1, left + 1);
  const below = Math.min(height - 1, top + 1) * width;
  const s = u - left;
  const a = data[top * width + left]! * (1 - s) + data[top * width + right]! * s;
  const b = data[below + left]! * (1 - s) + data[below + right]! * s;
  return a + (b - a) * (v - top);
}
