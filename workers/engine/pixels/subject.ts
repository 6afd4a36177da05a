import { type Box, clamp, emptyPlane, type Picture, type Plane, type Point, smoothstep } from "./picture.ts";
import { guidedFilter, softBlur } from "./planes.ts";
import { resizePicture } from "./resample.ts";

/** A face in pixels of its picture: its box from brow to chin, and the five points of `Face`. */
export interface FaceShape {
  readonly box: Box;
  readonly points: readonly Point[];
}

/** Finds faces, the largest first. Given from outside: pixels know no model. */
export type FindFaces = (picture: Picture) => Promise<readonly FaceShape[]>;

/** What the picture is about. */
export interface Subject {
  /** 1 on the subject, 0 on the background, at a few pixels' precision. Its own small size. */
  readonly mask: Plane;
  /** Where the eye goes, in shares of width and height: between the eyes, or the middle of what stands out. */
  readonly focus: Point;
  /** The face, in shares of width and height. */
  readonly face: Box | undefined;
}

const LONG_SIDE = 192;
const BINS = 12;

/** Tells subject from background by a head-and-shoulders (or centre) prior that the picture's own colours refine. */
export function findSubject(picture: Picture, face: FaceShape | undefined): Subject {
  const scale = LONG_SIDE / Math.max(picture.width, picture.height);
  const width = Math.max(8, Math.round(picture.width * scale));
  const height = Math.max(8, Math.round(picture.height * scale));
  const small = resizePicture(picture, width, height);
  const share = face && shareOf(face.box, picture);
  const prior = share ? personPrior(share, width, height) : centrePrior(small);
  const mask = refine(small, prior, share !== undefined);
  return { mask, focus: share ? eyeLine(share) : middleOf(mask), face: share };
}

/** A box in shares of the picture's width and height. */
export function shareOf(box: Box, size: { width: number; height: number }): Box {
  return {
    x: box.x / size.width,
    y: box.y / size.height,
    width: box.width / size.width,
    height: box.height / size.height,
  };
}

function eyeLine(face: Box): Point {
  return { x: face.x + face.width / 2, y: face.y + face.height * 0.36 };
}

/** Head, neck and shoulders of a person whose face is in `face`, as probability. */
function personPrior(face: Box, width: number, height: number): Plane {
  const prior = emptyPlane(width, height);
  const w = face.width * width;
  const h = face.height * height;
  const cx = face.x * width + w / 2;
  const cy = face.y * height + h / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const head = Math.hypot((x - cx) / (0.78 * w), (y - cy + 0.16 * h) / (0.86 * h));
      const below = (y - cy) / h;
      const half = shoulderHalf(below) * w;
      const body = below > 0.3 ? Math.abs(x - cx) / half : 9;
      const inside = Math.max(1 - smoothstep(0.62, 1.35, head), 0.78 * (1 - smoothstep(0.3, 1.35, body)));
      prior.data[y * width + x] = 0.015 + 0.925 * inside + (head < 0.55 ? 0.055 : 0);
    }
  }
  return prior;
}

/** Half width of neck and shoulders in face widths, `below` face heights under the face's middle. */
function shoulderHalf(below: number): number {
  const neck = 0.42 + 0.2 * smoothstep(0.3, 0.75, below);
  return neck + 1.15 * smoothstep(0.6, 1.15, below) + 0.35 * smoothstep(1.1, 2.5, below);
}

/** The middle of the frame, more where colours differ from those along the border. */
function centrePrior(small: Picture): Plane {
  const { width, height } = small;
  const border = new Float64Array(BINS ** 3);
  const all = new Float64Array(BINS ** 3);
  const bins = binsOf(small);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = Math.min(x, width - 1 - x) < width * 0.06 || Math.min(y, height - 1 - y) < height * 0.06;
      const bin = bins[y * width + x]!;
      all[bin] = all[bin]! + 1;
      if (edge) border[bin] = border[bin]! + 1;
    }
  }
  const prior = emptyPlane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bin = bins[y * width + x]!;
      const odd = 1 - Math.min(1, (border[bin]! / Math.max(1, all[bin]!)) * 3);
      const off = Math.hypot((x / width - 0.5) / 0.46, (y / height - 0.53) / 0.5);
      prior.data[y * width + x] = 0.04 + 0.9 * (1 - smoothstep(0.35, 1.15, off)) * (0.55 + 0.45 * odd);
    }
  }
  return softBlur(prior, width / 50);
}

/** Alternates between learning both sides' colours and judging pixels by them; the prior keeps its say. */
function refine(small: Picture, prior: Plane, sure: boolean): Plane {
  const { width, height } = small;
  const bins = binsOf(small);
  let mask = prior;
  for (let round = 0; round < 3; round++) {
    const [inside, outside] = learn(bins, mask);
    const next = emptyPlane(width, height);
    for (let i = 0; i < next.data.length; i++) {
      const p = prior.data[i]!;
      const bin = bins[i]!;
      // Colours speak with less than their full weight: many are on both sides.
      const ratio = clamp((inside[bin]! / outside[bin]!) ** 0.85, 1 / 40, 40);
      next.data[i] = (p * ratio) / (p * ratio + 1 - p);
    }
    mask = softBlur(next, 1.2);
  }
  const guide = emptyPlane(width, height);
  for (let i = 0; i < guide.data.length; i++) {
    guide.data[i] = (small.rgb[i * 3]! + 2 * small.rgb[i * 3 + 1]! + small.rgb[i * 3 + 2]!) / 1020;
  }
  const fine = guidedFilter(guide, softBlur(mask, 1.5), Math.round(width / 40), 2e-3);
  const crisp = sure ? 1 : 0.8;
  for (let i = 0; i < fine.data.length; i++) {
    fine.data[i] = smoothstep(0.22, 0.22 + 0.66 / crisp, fine.data[i]!);
  }
  return fine;
}

function learn(bins: Uint16Array, mask: Plane): [Float64Array, Float64Array] {
  const inside = new Float64Array(BINS ** 3).fill(0.3);
  const outside = new Float64Array(BINS ** 3).fill(0.3);
  let weightIn = 0;
  let weightOut = 0;
  for (let i = 0; i < bins.length; i++) {
    const p = mask.data[i]!;
    const bin = bins[i]!;
    inside[bin] = inside[bin]! + p;
    outside[bin] = outside[bin]! + 1 - p;
    weightIn += p;
    weightOut += 1 - p;
  }
  for (let i = 0; i < inside.length; i++) {
    inside[i] = inside[i]! / Math.max(1, weightIn);
    outside[i] = outside[i]! / Math.max(1, weightOut);
  }
  return [inside, outside];
}

/** Which of 12×12×12 cells of lightness, red–green and yellow–blue a pixel falls in. */
function binsOf(small: Picture): Uint16Array {
  const bins = new Uint16Array(small.width * small.height);
  const cell = (value: number, low: number, high: number) =>
    clamp(Math.floor(((value - low) / (high - low)) * BINS), 0, BINS - 1);
  for (let i = 0; i < bins.length; i++) {
    const red = small.rgb[i * 3]!;
    const green = small.rgb[i * 3 + 1]!;
    const blue = small.rgb[i * 3 + 2]!;
    const light = cell((red + 2 * green + blue) / 4, 0, 256);
    const warm = cell(red - green, -90, 110);
    const yellow = cell((red + green) / 2 - blue, -110, 130);
    bins[i] = (light * BINS + warm) * BINS + yellow;
  }
  return bins;
}

function middleOf(mask: Plane): Point {
  let sum = 1e-6;
  let x = 0.5e-6;
  let y = 0.5e-6;
  for (let i = 0; i < mask.data.length; i++) {
    const weight = mask.data[i]!;
    sum += weight;
    x += (weight * ((i % mask.width) + 0.5)) / mask.width;
    y += (weight * (Math.floor(i / mask.width) + 0.5)) / mask.height;
  }
  return { x: x / sum, y: y / sum };
}
