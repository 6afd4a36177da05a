import { frameToSeconds, type Rate } from "#server/core/media_time.ts";
import type { LikenessTrack } from "#server/clips/job_kinds.ts";
import type { Face, FaceModel } from "#server/seeds/job_kinds.ts";
import { applyAffine, fitSimilarity, type Point, Pyramid, type RgbImage } from "./pixels.ts";
import { laplacianVariance } from "./sharpness.ts";
import { median } from "./statistics.ts";

const SAMPLES_PER_SECOND = 4;
const AROUND_SEAM = 8;
const MIN_SCORE = 0.65;
const MAX_YAW_DEG = 45;
const MIN_EYE_DISTANCE_PX = 24;
const MIN_FACE_SHARPNESS = 10;

/**
 * Which frames to look at: at least 4 a second, the first and last, every second one within 8 frames of each
 * boundary and in each of `closer` ([from, to] inclusive).
 */
export function sampledFrames(
  frameCount: number,
  rate: Rate,
  boundaries: readonly number[] = [],
  closer: readonly (readonly [from: number, to: number])[] = [],
): Set<number> {
  const frames = new Set<number>();
  const step = sampleStep(rate);
  for (let frame = 0; frame < frameCount; frame += step) frames.add(frame);
  if (frameCount > 0) frames.add(frameCount - 1);
  const ranges = [...closer, ...boundaries.map((at) => [at - AROUND_SEAM, at + AROUND_SEAM] as const)];
  for (const [from, to] of ranges) {
    for (let frame = from; frame <= to; frame += 2) if (frame >= 0 && frame < frameCount) frames.add(frame);
  }
  // The two frames that meet at a seam are what is compared there.
  for (const at of boundaries) {
    for (const frame of [at - 1, at]) if (frame >= 0 && frame < frameCount) frames.add(frame);
  }
  return frames;
}

/**
 * Which of the wanted frames must still be looked at when those in `known` are: none near which one is known, but each
 * of the two that meet at a boundary.
 */
export function framesToLookAt(
  wanted: ReadonlySet<number>,
  known: ReadonlySet<number>,
  rate: Rate,
  boundaries: readonly number[],
): Set<number> {
  const step = sampleStep(rate);
  const meeting = new Set(boundaries.flatMap((at) => [at - 1, at]));
  const isNear = (frame: number) => {
    for (let off = 0; off <= step; off++) if (known.has(frame - off) || known.has(frame + off)) return true;
    return false;
  };
  return new Set([...wanted].filter((frame) => !known.has(frame) && (meeting.has(frame) || !isNear(frame))));
}

function sampleStep(rate: Rate): number {
  return Math.max(1, Math.floor(1 / (SAMPLES_PER_SECOND * frameToSeconds(1, rate)) + 1e-9));
}

/** Why a face can't be compared, or undefined when it can. N/A is not 0. */
export function whyNotComparable(picture: RgbImage, face: Face): string | undefined {
  if (face.score < MIN_SCORE) return `the face is uncertain (score ${face.score.toFixed(2)} of ${MIN_SCORE})`;
  if (Math.abs(face.yawDeg) > MAX_YAW_DEG) return `the face is turned away (yaw ${Math.round(face.yawDeg)}°)`;
  if (face.eyeDistancePx < MIN_EYE_DISTANCE_PX) {
    return `the face is too small (eyes ${
      Math.round(face.eyeDistancePx)
    } px apart, ${MIN_EYE_DISTANCE_PX} are needed)`;
  }
  const sharpness = faceSharpness(picture, face);
  if (sharpness < MIN_FACE_SHARPNESS) return `the face is blurred (sharpness ${sharpness.toFixed(1)})`;
  return undefined;
}

const CROP = 96;
const CROP_EYES: readonly Point[] = [{ x: 32, y: 36 }, { x: 64, y: 36 }];

/** Laplacian variance of the face's luma, turned upright with eyes 32 px apart: comparable between faces. */
export function faceSharpness(picture: RgbImage, face: Face): number {
  const [left, right] = face.points;
  if (!left || !right) return 0;
  const map = fitSimilarity(CROP_EYES, [left, right]);
  // Only what lies under the crop is read: a whole large frame would be halved for nothing.
  const cut = cutOut(
    picture,
    [[0, 0], [CROP, 0], [0, CROP], [CROP, CROP]].map(([x = 0, y = 0]) => applyAffine(map, x, y)),
  );
  const near = [map[0], map[1], map[2] - cut.left, map[3], map[4], map[5] - cut.top] as const;
  const rgb = new Pyramid(cut.image).sample(near, CROP, CROP, 1, [0, 0, 0]);
  const data = new Float32Array(CROP * CROP);
  for (let i = 0; i < data.length; i++) {
    data[i] = 0.2126 * rgb[i * 3]! + 0.7152 * rgb[i * 3 + 1]! + 0.0722 * rgb[i * 3 + 2]!;
  }
  return laplacianVariance({ width: CROP, height: CROP, data });
}

function cutOut(
  picture: RgbImage,
  corners: readonly Point[],
): { image: RgbImage; left: number; top: number } {
  const within = (value: number, size: number) => Math.min(size - 1, Math.max(0, Math.round(value)));
  const xs = corners.map((corner) => within(corner.x, picture.width));
  const ys = corners.map((corner) => within(corner.y, picture.height));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left + 1, Math.max(...ys) - top + 1];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * 3;
    data.set(picture.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { image: { width, height, data }, left, top };
}

export type LikenessPoint = LikenessTrack["points"][number];

/** Median and least score over the points that have one, and which share of the points that is. */
export function summarizeLikeness(model: FaceModel, points: readonly LikenessPoint[]): LikenessTrack {
  const scores = points.flatMap((point) => point.score ?? []);
  return {
    model,
    points: points.toSorted((a, b) => a.frame - b.frame),
    median: scores.length === 0 ? null : median(scores),
    min: scores.length === 0 ? null : Math.min(...scores),
    coverage: points.length === 0 ? 0 : scores.length / points.length,
  };
}
