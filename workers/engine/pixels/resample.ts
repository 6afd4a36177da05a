import { type Box, checkPicture, clamp, type Picture } from "./picture.ts";

/** The whole picture in `width`×`height` by Lanczos3; the aspect ratio changes when the sizes' ratios differ. */
export function resizePicture(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  return resampleBox(picture, { x: 0, y: 0, width: picture.width, height: picture.height }, width, height);
}

/**
 * The part of `picture` under `box` in `width`×`height` pixels by Lanczos3, widened when shrinking so that
 * nothing aliases. What lies outside of the picture repeats its nearest edge pixel.
 */
export function resampleBox(picture: Picture, box: Box, width: number, height: number): Picture {
  checkPicture(picture);
  const [source, part] = shrinkWhole(picture, box, width, height);
  return resampleAt(source, evenly(part.x, part.width, width), evenly(part.y, part.height, height), "repeat");
}

/** Sample positions for `count` pixels over [start, start + span): pixel centres, in source pixels. */
export function evenly(start: number, span: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => start + ((i + 0.5) * span) / count - 0.5);
}

/**
 * One output pixel per pair of `xs` and `ys` (rising positions in source pixels, evenly spread or not), by
 * Lanczos3 at the local scale. Outside, the edge is repeated or the picture mirrored.
 */
export function resampleAt(
  source: Picture,
  xs: Float64Array,
  ys: Float64Array,
  outside: "repeat" | "mirror",
): Picture {
  const columns = makeTaps(source.width, xs, outside);
  const rows = makeTaps(source.height, ys, outside);
  const width = xs.length;
  const first = rows.first.reduce((low, at) => Math.min(low, at), source.height);
  const last = rows.first.reduce((high, at) => Math.max(high, at + rows.count), 0);
  const half = new Float32Array(width * 3 * (last - first));
  for (let y = first; y < last; y++) {
    squeezeRow(source.rgb, y * source.width * 3, columns, half, (y - first) * width * 3, width);
  }
  return { width, height: ys.length, rgb: gatherRows(half, rows, first, width * 3, ys.length) };
}

/** The largest centred box of the given aspect ratio, as far to `focus` (pixels) as the picture allows. */
export function coverBox(picture: Picture, aspect: number, focus: { x: number; y: number }): Box {
  const wide = picture.width / picture.height > aspect;
  const width = wide ? picture.height * aspect : picture.width;
  const height = wide ? picture.height : picture.width / aspect;
  return {
    x: clamp(focus.x - width / 2, 0, picture.width - width),
    y: clamp(focus.y - height / 2, 0, picture.height - height),
    width,
    height,
  };
}

interface Taps {
  readonly count: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

/** Filter weights per output sample. Taps over the edge are folded back into the picture. */
function makeTaps(source: number, at: Float64Array, outside: "repeat" | "mirror"): Taps {
  let widest = 1;
  for (let i = 1; i < at.length; i++) widest = Math.max(widest, at[i]! - at[i - 1]!);
  const count = Math.min(source, Math.ceil(6 * widest) + 1);
  const first = new Int32Array(at.length);
  const weights = new Float32Array(at.length * count);
  const fold = outside === "mirror" ? mirrored : (i: number, n: number) => clamp(i, 0, n - 1);
  for (let i = 0; i < at.length; i++) {
    const step = Math.max(1, at.length < 2 ? source : i > 0 ? at[i]! - at[i - 1]! : at[1]! - at[0]!);
    const reach = 3 * step;
    const from = Math.ceil(at[i]! - reach);
    const to = Math.floor(at[i]! + reach);
    const folded = Array.from({ length: to - from + 1 }, (_, k) => fold(from + k, source));
    first[i] = Math.min(folded.reduce((low, k) => Math.min(low, k), source), source - count);
    let sum = 0;
    for (let k = from; k <= to; k++) sum += lanczos3((k - at[i]!) / step);
    for (let k = from; k <= to; k++) {
      const slot = i * count + clamp(folded[k - from]! - first[i]!, 0, count - 1);
      weights[slot] = weights[slot]! + lanczos3((k - at[i]!) / step) / sum;
    }
  }
  return { count, first, weights };
}

/** …2 1 0 0 1 2 … n−1 n−1 n−2 … */
function mirrored(i: number, n: number): number {
  const turn = ((i % (2 * n)) + 2 * n) % (2 * n);
  return turn < n ? turn : 2 * n - 1 - turn;
}

function lanczos3(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  const a = Math.PI * x;
  return (3 * Math.sin(a) * Math.sin(a / 3)) / (a * a);
}

function squeezeRow(
  rgb: Uint8Array,
  at: number,
  taps: Taps,
  out: Float32Array,
  to: number,
  width: number,
): void {
  const { count, first, weights } = taps;
  for (let x = 0; x < width; x++) {
    let p = at + first[x]! * 3;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let k = x * count, end = k + count; k < end; k++, p += 3) {
      const weight = weights[k]!;
      red += rgb[p]! * weight;
      green += rgb[p + 1]! * weight;
      blue += rgb[p + 2]! * weight;
    }
    out[to + x * 3] = red;
    out[to + x * 3 + 1] = green;
    out[to + x * 3 + 2] = blue;
  }
}

function gatherRows(
  half: Float32Array,
  taps: Taps,
  offset: number,
  stride: number,
  height: number,
): Uint8Array {
  const out = new Uint8ClampedArray(stride * height);
  const sum = new Float32Array(stride);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let k = 0; k < taps.count; k++) {
      const weight = taps.weights[y * taps.count + k]!;
      if (weight === 0) continue;
      const from = (taps.first[y]! - offset + k) * stride;
      for (let i = 0; i < stride; i++) sum[i] = sum[i]! + half[from + i]! * weight;
    }
    out.set(sum, y * stride);
  }
  return new Uint8Array(out.buffer);
}

/** Pictures many times too large are averaged down by a whole factor first: Lanczos needs no more than 2:1. */
function shrinkWhole(picture: Picture, box: Box, width: number, height: number): [Picture, Box] {
  const factor = Math.floor(Math.min(box.width / width, box.height / height) / 2);
  if (factor < 2) return [picture, box];
  const w = Math.ceil(picture.width / factor);
  const h = Math.ceil(picture.height / factor);
  const rgb = new Uint8Array(w * h * 3);
  const sums = new Uint32Array(w * 3);
  for (let y = 0; y < h; y++) {
    const top = y * factor;
    const bottom = Math.min(picture.height, top + factor);
    sums.fill(0);
    for (let row = top; row < bottom; row++) addRow(picture, row, factor, sums);
    for (let x = 0; x < w; x++) {
      const across = Math.min(factor, picture.width - x * factor);
      const area = across * (bottom - top);
      for (let c = x * 3; c < x * 3 + 3; c++) rgb[y * w * 3 + c] = Math.round(sums[c]! / area);
    }
  }
  const part = {
    x: box.x / factor,
    y: box.y / factor,
    width: box.width / factor,
    height: box.height / factor,
  };
  return [{ width: w, height: h, rgb }, part];
}

function addRow(picture: Picture, row: number, factor: number, sums: Uint32Array): void {
  const { width, rgb } = picture;
  let p = row * width * 3;
  for (let x = 0, to = 0; x < width; to += 3) {
    const end = Math.min(width, x + factor);
    for (; x < end; x++, p += 3) {
      sums[to] = sums[to]! + rgb[p]!;
      sums[to + 1] = sums[to + 1]! + rgb[p + 1]!;
      sums[to + 2] = sums[to + 2]! + rgb[p + 2]!;
    }
  }
}
