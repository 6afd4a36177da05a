import { drawsFrom } from "./draws.ts";
import { clamp, lumaOf, type Picture, smoothstep } from "./picture.ts";
import { resizePicture } from "./resample.ts";
import type { FaceShape } from "./subject.ts";

/** A drawn person before a textured wall, and where the face is: what tests look at instead of photographs. */
export function drawPerson(width: number, height: number): { picture: Picture; face: FaceShape } {
  const rgb = new Uint8ClampedArray(width * height * 3);
  const box = { x: width * 0.4, y: height * 0.22, width: width * 0.2, height: height * 0.36 };
  const eyes = {
    y: box.y + box.height * 0.38,
    left: box.x + box.width * 0.28,
    right: box.x + box.width * 0.72,
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = wallAt(x, y, height);
      const body = Math.abs(x - width / 2) / (width * (0.1 + 0.22 * smoothstep(0.55, 0.75, y / height)));
      if (y > height * 0.52 && body < 1) paint(colour, [40 + 20 * weave(x, y), 60, 110 + 25 * weave(y, x)]);
      const head = Math.hypot(
        (x - width / 2) / (box.width * 0.66),
        (y - height * 0.38) / (box.height * 0.66),
      );
      if (head < 1) paint(colour, [70 + 30 * weave(x, 3 * y), 45 + 18 * weave(x, 3 * y), 30]);
      const u = (x - width / 2) / (box.width / 2);
      const v = (y - height * 0.4) / (box.height / 2);
      if (u * u + v * v < 1) paint(colour, [214 - 34 * u + 4 * weave(x, y), 168 - 30 * u, 142 - 26 * u]);
      for (const eye of [eyes.left, eyes.right]) {
        if (Math.hypot(x - eye, y - eyes.y) < box.width * 0.075) paint(colour, [30, 26, 28]);
      }
      rgb.set(colour, (y * width + x) * 3);
    }
  }
  const mouth = box.y + box.height * 0.8;
  return {
    picture: { width, height, rgb: new Uint8Array(rgb.buffer) },
    face: {
      box,
      points: [
        { x: eyes.left, y: eyes.y },
        { x: eyes.right, y: eyes.y },
        { x: width / 2, y: box.y + box.height * 0.6 },
        { x: eyes.left, y: mouth },
        { x: eyes.right, y: mouth },
      ],
    },
  };
}

/** Every pixel drawn by seed: no two neighbours agree. */
export function drawNoise(width: number, height: number, seed: number): Picture {
  const draws = drawsFrom(seed, "noise");
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, () => draws.unit() * 256) };
}

/** Mean absolute luma difference on a picture 480 wide at most (continuity.md E.2). */
export function frameDifference(a: Picture, b: Picture): number {
  const [p, q] = [smallLuma(a), smallLuma(b)];
  return p.reduce((sum, value, i) => sum + Math.abs(value - q[i]!), 0) / p.length;
}

/** Variance of the 4-neighbour Laplacian of luma, over every pixel. */
export function laplacianVariance(picture: Picture): number {
  const { width, height, data } = lumaOf(picture);
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const bend = data[i - 1]! + data[i + 1]! + data[i - width]! + data[i + width]! - 4 * data[i]!;
      sum += bend;
      squares += bend * bend;
    }
  }
  const count = (width - 2) * (height - 2);
  return squares / count - (sum / count) ** 2;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Mean red, green and blue of a part of the picture given in shares. */
export function meanColour(picture: Picture, from: number, to: number): number[] {
  const { width, height, rgb } = picture;
  const sum = [0, 0, 0];
  let count = 0;
  for (let y = Math.floor(height * from); y < height * to; y++) {
    for (let x = Math.floor(width * from); x < width * to; x++, count++) {
      for (let c = 0; c < 3; c++) sum[c] = sum[c]! + rgb[(y * width + x) * 3 + c]!;
    }
  }
  return sum.map((value) => value / count);
}

function smallLuma(picture: Picture): Float32Array {
  const width = Math.min(480, picture.width);
  const small = resizePicture(
    picture,
    width,
    Math.max(1, Math.round((picture.height * width) / picture.width)),
  );
  return lumaOf(small).data;
}

/** Brick courses in soft light with a fine weave. */
function wallAt(x: number, y: number, height: number): number[] {
  const course = Math.floor((y * 22) / height);
  const joint = Math.abs(((y * 22) / height) % 1) < 0.12 ||
    ((x * 22) / height + (course % 2) * 1.1) % 2.2 < 0.14;
  const light = 118 + 40 * Math.cos((x * 3) / height) + 7 * weave(x * 2, y * 2) - (joint ? 38 : 0);
  return [light, light * 0.93, light * 0.84].map((value) => clamp(value, 0, 255));
}

/** −1 … 1, fine and without a period that pixels could alias with. */
function weave(x: number, y: number): number {
  return Math.sin(x * 0.83 + Math.sin(y * 0.37) * 2) * Math.cos(y * 0.71 + Math.sin(x * 0.29) * 2);
}

function paint(colour: number[], over: readonly number[]): void {
  for (let c = 0; c < 3; c++) colour[c] = over[c]!;
}
