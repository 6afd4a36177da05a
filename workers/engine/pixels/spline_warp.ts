import type { Picture } from "./picture.ts";

/** Pixels between two nodes of a displacement field. */
export const CELL = 16;
/** Mirrored samples kept beyond each edge; a field may point at most PAD − 2 pixels outside. */
export const PAD = 8;
const PHASES = 512;

/** Where each output pixel comes from: source = output + (dx, dy), linear between nodes CELL pixels apart. */
export interface Field {
  readonly columns: number;
  readonly rows: number;
  readonly dx: Float32Array;
  readonly dy: Float32Array;
}

/** Called with each finished row: interleaved RGB in 0–255, not rounded. The buffer is used again. */
export type TakeRow = (row: Float32Array, y: number) => void;

/** Renders displaced copies of one picture. */
export interface Warper {
  readonly width: number;
  readonly height: number;
  /** Rows `from` ≤ y < `to`. `sharpen` 0 interpolates exactly; 0.1 lifts fine detail about as much as 5 % zoom takes. */
  render(field: Field, sharpen: number, from: number, to: number, take: TakeRow): void;
}

/** A field with the nodes that a frame of this size needs. */
export function emptyField(width: number, height: number): Field {
  const columns = Math.ceil(width / CELL) + 1;
  const rows = Math.ceil(height / CELL) + 1;
  return { columns, rows, dx: new Float32Array(columns * rows), dy: new Float32Array(columns * rows) };
}

/**
 * Prepares `rgb` (interleaved, 0–255) for warping by cubic B-splines: at a whole pixel they give the very
 * source, between pixels they keep more fine detail than bicubic or Lanczos3 at four taps.
 */
export function openWarper(rgb: Float32Array | Uint8Array, width: number, height: number): Warper {
  const coefficients = prefilter(rgb, width, height);
  const stride = width * 3;
  const half = new Float32Array((height + 2 * PAD) * stride);
  const out = new Float32Array(stride);
  const nodes = new Float64Array(Math.ceil(width / CELL) + 2);
  let weights: Float32Array = new Float32Array(0);
  let weightsFor = NaN;
  return {
    width,
    height,
    render(field, sharpen, from, to, take) {
      if (sharpen !== weightsFor) weights = tapWeights(sharpen);
      weightsFor = sharpen;
      const across = acrossField(field);
      const [low, high] = rowReach(field, from, to, height);
      for (let v = low; v <= high; v++) {
        const node = fieldRow(across, field.columns, field.rows, v, nodes);
        warpAlong(
          coefficients,
          (v + PAD) * (width + 2 * PAD) * 3,
          node,
          weights,
          half,
          (v + PAD) * stride,
          width,
        );
      }
      for (let y = from; y < to; y++) {
        fieldRow(field.dy, field.columns, field.rows, y, nodes);
        warpDown(half, stride, y, nodes, weights, out, width);
        take(out, y);
      }
    },
  };
}

/** Bytes of a picture as floats, to be altered before warping. */
export function floatsOf(picture: Picture): Float32Array {
  return Float32Array.from(picture.rgb);
}

/**
 * The two passes go along rows and then down columns. The first pass works on source rows, so its field is
 * the horizontal displacement taken at the output row that this source row will end on.
 */
function acrossField(field: Field): Float32Array {
  const { columns, rows, dx, dy } = field;
  const across = new Float32Array(dx.length);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const at = j - dy[j * columns + i]! / CELL;
      const top = Math.min(rows - 2, Math.max(0, Math.floor(at)));
      const t = at - top;
      across[j * columns + i] = dx[top * columns + i]! * (1 - t) + dx[(top + 1) * columns + i]! * t;
    }
  }
  return across;
}

function rowReach(field: Field, from: number, to: number, height: number): [number, number] {
  let low = height;
  let high = 0;
  const first = Math.floor(from / CELL);
  const last = Math.min(field.rows - 1, Math.floor((to - 1) / CELL) + 1);
  for (let j = first; j <= last; j++) {
    for (let i = 0; i < field.columns; i++) {
      const shift = field.dy[j * field.columns + i]!;
      low = Math.min(low, shift);
      high = Math.max(high, shift);
    }
  }
  return [Math.max(-PAD, Math.floor(from + low) - 2), Math.min(height + PAD - 1, Math.ceil(to + high) + 2)];
}

function fieldRow(
  values: Float32Array,
  columns: number,
  rows: number,
  y: number,
  out: Float64Array,
): Float64Array {
  const at = y / CELL;
  const top = Math.min(rows - 2, Math.max(0, Math.floor(at)));
  const t = at - top;
  for (let i = 0; i < columns; i++) {
    out[i] = values[top * columns + i]! * (1 - t) + values[(top + 1) * columns + i]! * t;
  }
  return out;
}

function warpAlong(
  source: Float32Array,
  base: number,
  nodes: Float64Array,
  weights: Float32Array,
  out: Float32Array,
  to: number,
  width: number,
): void {
  for (let cell = 0, x = 0; x < width; cell++) {
    const step = (nodes[cell + 1]! - nodes[cell]!) / CELL + 1;
    let at = x + nodes[cell]! + PAD;
    const end = Math.min(width, x + CELL);
    for (; x < end; x++, at += step, to += 3) {
      const left = at | 0;
      const w = ((at - left) * PHASES + 0.5) << 2;
      const w0 = weights[w]!;
      const w1 = weights[w + 1]!;
      const w2 = weights[w + 2]!;
      const w3 = weights[w + 3]!;
      const p = base + left * 3 - 3;
      out[to] = source[p]! * w0 + source[p + 3]! * w1 + source[p + 6]! * w2 + source[p + 9]! * w3;
      out[to + 1] = source[p + 1]! * w0 + source[p + 4]! * w1 + source[p + 7]! * w2 + source[p + 10]! * w3;
      out[to + 2] = source[p + 2]! * w0 + source[p + 5]! * w1 + source[p + 8]! * w2 + source[p + 11]! * w3;
    }
  }
}

function warpDown(
  half: Float32Array,
  stride: number,
  y: number,
  nodes: Float64Array,
  weights: Float32Array,
  out: Float32Array,
  width: number,
): void {
  for (let cell = 0, x = 0, to = 0; x < width; cell++) {
    const step = (nodes[cell + 1]! - nodes[cell]!) / CELL;
    let at = y + nodes[cell]! + PAD;
    const end = Math.min(width, x + CELL);
    for (; x < end; x++, at += step, to += 3) {
      const top = at | 0;
      const w = ((at - top) * PHASES + 0.5) << 2;
      const w0 = weights[w]!;
      const w1 = weights[w + 1]!;
      const w2 = weights[w + 2]!;
      const w3 = weights[w + 3]!;
      const a = (top - 1) * stride + to;
      const b = a + stride;
      const c = b + stride;
      const d = c + stride;
      out[to] = half[a]! * w0 + half[b]! * w1 + half[c]! * w2 + half[d]! * w3;
      out[to + 1] = half[a + 1]! * w0 + half[b + 1]! * w1 + half[c + 1]! * w2 + half[d + 1]! * w3;
      out[to + 2] = half[a + 2]! * w0 + half[b + 2]! * w1 + half[c + 2]! * w2 + half[d + 2]! * w3;
    }
  }
}

/** Cubic B-spline taps per phase, less `sharpen` times their second derivative: an unsharp mask at no cost. */
function tapWeights(sharpen: number): Float32Array {
  const weights = new Float32Array((PHASES + 1) * 4);
  for (let i = 0; i <= PHASES; i++) {
    const f = i / PHASES;
    const g = 1 - f;
    weights[i * 4] = (g * g * g) / 6 - sharpen * g;
    weights[i * 4 + 1] = 2 / 3 - f * f + (f * f * f) / 2 - sharpen * (3 * f - 2);
    weights[i * 4 + 2] = 2 / 3 - g * g + (g * g * g) / 2 - sharpen * (3 * g - 2);
    weights[i * 4 + 3] = (f * f * f) / 6 - sharpen * f;
  }
  return weights;
}

const POLE = Math.sqrt(3) - 2;

function prefilter(rgb: Float32Array | Uint8Array, width: number, height: number): Float32Array {
  const wide = width + 2 * PAD;
  const c = new Float32Array(wide * (height + 2 * PAD) * 3);
  for (let y = 0; y < height; y++) {
    const at = ((y + PAD) * wide + PAD) * 3;
    for (let i = 0; i < width * 3; i++) c[at + i] = rgb[y * width * 3 + i]!;
    for (let channel = 0; channel < 3; channel++) filterLine(c, at + channel, 3, width);
    mirrorEnds(c, at, 3, width);
  }
  const line = wide * 3;
  filterColumns(c, PAD * line, line, height);
  mirrorEnds(c, PAD * line, line, height);
  return c;
}

/** Turns samples into B-spline coefficients in place (Unser's recursive filter, mirrored ends). */
function filterLine(c: Float32Array, start: number, step: number, count: number): void {
  if (count < 2) return;
  let first = 0;
  let power = 1;
  for (let i = 0; i < Math.min(count, 16); i++, power *= POLE) first += c[start + i * step]! * power;
  c[start] = first;
  let at = start + step;
  let previous = first;
  for (let i = 1; i < count; i++, at += step) {
    previous = c[at]! + POLE * previous;
    c[at] = previous;
  }
  at -= step;
  let next = (POLE / (POLE * POLE - 1)) * (c[at]! + POLE * c[at - step]!);
  c[at] = next * 6;
  for (let i = count - 2; i >= 0; i--) {
    at -= step;
    next = POLE * (next - c[at]!);
    c[at] = next * 6;
  }
}

/** filterLine down every column at once, row after row: what is read together lies together. */
function filterColumns(c: Float32Array, start: number, line: number, count: number): void {
  if (count < 2) return;
  for (let k = 1, power = POLE; k < Math.min(count, 16); k++, power *= POLE) {
    addRow(c, start, start + k * line, power, line);
  }
  for (let y = 1; y < count; y++) addRow(c, start + y * line, start + (y - 1) * line, POLE, line);
  const last = start + (count - 1) * line;
  addRow(c, last, last - line, POLE, line);
  // The last row now holds c⁺[N−1] + z·c⁺[N−2].
  const end = POLE / (POLE * POLE - 1);
  for (let i = last; i < last + line; i++) c[i] = c[i]! * end;
  for (let at = last - line; at >= start; at -= line) {
    for (let i = at; i < at + line; i++) c[i] = POLE * (c[i + line]! - c[i]!);
  }
  for (let i = start; i < start + count * line; i++) c[i] = c[i]! * 6;
}

function addRow(c: Float32Array, to: number, from: number, share: number, length: number): void {
  for (let i = 0; i < length; i++) c[to + i] = c[to + i]! + share * c[from + i]!;
}

/** Copies `step` values at a time: whole rows when `step` is a row, pixels when it is 3. */
function mirrorEnds(c: Float32Array, start: number, step: number, count: number): void {
  for (let k = 1; k <= PAD; k++) {
    const near = start + Math.min(k, count - 1) * step;
    const far = start + Math.max(0, count - 1 - k) * step;
    c.copyWithin(start - k * step, near, near + step);
    c.copyWithin(start + (count - 1 + k) * step, far, far + step);
  }
}
