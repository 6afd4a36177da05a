/** CIE L*, a*, b* (D65). */
export type Lab = [l: number, a: number, b: number];

/** Mean colour of a picture and how far it spreads: σ of L*, and of a* and b* together. */
export interface ColorMeasure {
  readonly meanLab: Lab;
  readonly sigmaL: number;
  readonly sigmaAb: number;
}

const LINEAR = Float32Array.from({ length: 256 }, (_, i) => {
  const value = i / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
/** About this many cells a row: enough for mean and spread, and grain does not count as colour. */
const CELLS = 96;

/** Mean and spread of Lab over square cells of sRGB pixels. */
export function measureColor(rgb: Uint8Array, width: number, height: number): ColorMeasure {
  const cell = Math.max(1, Math.round(width / CELLS));
  const sum = { l: 0, a: 0, b: 0, ll: 0, aa: 0, bb: 0, count: 0 };
  for (let y = 0; y < height; y += cell) {
    for (let x = 0; x < width; x += cell) {
      const [l, a, b] = cellLab(rgb, width, x, y, Math.min(cell, width - x), Math.min(cell, height - y));
      sum.l += l;
      sum.a += a;
      sum.b += b;
      sum.ll += l * l;
      sum.aa += a * a;
      sum.bb += b * b;
      sum.count++;
    }
  }
  const n = sum.count;
  const variance = (squares: number, total: number) => Math.max(0, squares / n - (total / n) ** 2);
  return {
    meanLab: [sum.l / n, sum.a / n, sum.b / n],
    sigmaL: Math.sqrt(variance(sum.ll, sum.l)),
    sigmaAb: Math.sqrt(variance(sum.aa, sum.a) + variance(sum.bb, sum.b)),
  };
}

function cellLab(rgb: Uint8Array, stride: number, x: number, y: number, width: number, height: number): Lab {
  let r = 0;
  let g = 0;
  let b = 0;
  let count = 0;
  // Every second pixel each way of a large cell: a quarter of the time, the same mean.
  const step = width > 3 ? 2 : 1;
  for (let j = 0; j < height; j += step) {
    let at = ((y + j) * stride + x) * 3;
    for (let i = 0; i < width; i += step, at += 3 * step) {
      r += LINEAR[rgb[at]!]!;
      g += LINEAR[rgb[at + 1]!]!;
      b += LINEAR[rgb[at + 2]!]!;
      count++;
    }
  }
  return linearToLab(r / count, g / count, b / count);
}

/** Lab of linear sRGB components, 0–1 each. */
export function linearToLab(r: number, g: number, b: number): Lab {
  const x = bend((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = bend(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = bend((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function bend(value: number): number {
  return value > 216 / 24389 ? Math.cbrt(value) : (value * (24389 / 27) + 16) / 116;
}

/** ΔE*ab (CIE 1976): 1 is about the least that an eye notices side by side. */
export function colorDistance(a: Readonly<Lab>, b: Readonly<Lab>): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
