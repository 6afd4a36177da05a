import type { GraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import { applyAffine, type Point, type Pyramid, squareWindow } from "./pixels.ts";

/** Where to look: a square of the picture, turned by `angle` radians. */
export interface SearchWindow {
  readonly centre: Point;
  readonly side: number;
  readonly angle: number;
}

/** A face as BlazeFace sees it: a square in pixels of the picture, turned so that the eyes lie level in it. */
export interface Sighting {
  readonly centre: Point;
  readonly side: number;
  readonly angle: number;
  readonly score: number;
}

const SIZE = 256;
/** Anchors: a grid of stride 16 with two at each cell, then one of stride 32 with six. */
const ANCHORS: readonly Point[] = [[16, 2], [32, 6]].flatMap(([stride = 1, perCell = 1]) => {
  const cells = SIZE / stride;
  return Array.from({ length: cells * cells * perCell }, (_, i) => {
    const cell = Math.floor(i / perCell);
    return { x: stride * (cell % cells + 0.5), y: stride * (Math.floor(cell / cells) + 0.5) };
  });
});
const COARSE_FROM = 512;
const VALUES = 16;

/** Runs BlazeFace over one window and says which faces it sees there with at least `minScore`. */
export async function findInWindow(
  model: GraphModel,
  picture: Pyramid,
  window: SearchWindow,
  minScore: number,
): Promise<Sighting[]> {
  const map = squareWindow(window.centre, window.side, window.angle, SIZE);
  const input = picture.sample(map, SIZE, SIZE, 1 / 127.5, [127.5, 127.5, 127.5]);
  const outputs = tf.tidy(() => model.execute(tf.tensor4d(input, [1, SIZE, SIZE, 3])) as tf.Tensor[]);
  const bySize = async (size: number) => {
    const found = outputs.find((output) => output.size === size);
    if (!found) {
      throw new Error(`BlazeFace gave no output of ${size} numbers: its model file is not the expected one`);
    }
    return await found.data();
  };
  try {
    const fine = { scores: await bySize(512), boxes: await bySize(512 * VALUES) };
    const coarse = { scores: await bySize(384), boxes: await bySize(384 * VALUES) };
    const scale = window.side / SIZE;
    const sightings: Sighting[] = [];
    ANCHORS.forEach((anchor, i) => {
      const { scores, boxes } = i < COARSE_FROM ? fine : coarse;
      const row = i < COARSE_FROM ? i : i - COARSE_FROM;
      const score = 1 / (1 + Math.exp(-scores[row]!));
      if (score < minScore) return;
      const at = (k: number) => boxes[row * VALUES + k]!;
      const eyes = Math.atan2(at(7) - at(5), at(6) - at(4));
      sightings.push({
        centre: applyAffine(map, at(0) + anchor.x, at(1) + anchor.y),
        side: Math.max(at(2), at(3)) * scale,
        angle: window.angle + eyes,
        score,
      });
    });
    return dropOverlaps(sightings);
  } finally {
    tf.dispose(outputs);
  }
}

/** Of sightings of one face keeps the best. */
export function dropOverlaps(sightings: readonly Sighting[]): Sighting[] {
  const kept: Sighting[] = [];
  for (const sighting of sightings.toSorted((a, b) => b.score - a.score)) {
    if (!kept.some((other) => overlap(sighting, other) > 0.3)) kept.push(sighting);
  }
  return kept;
}

function overlap(a: Sighting, b: Sighting): number {
  const reach = (a.side + b.side) / 2;
  const shared = (from: number, to: number) =>
    Math.max(0, Math.min(reach - Math.abs(from - to), a.side, b.side));
  const area = shared(a.centre.x, b.centre.x) * shared(a.centre.y, b.centre.y);
  return area / Math.min(a.side * a.side, b.side * b.side) > 0.7
    ? 1
    : area / (a.side * a.side + b.side * b.side - area);
}
