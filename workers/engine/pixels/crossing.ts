import { clamp, emptyPlane, lumaOf, type Picture, type Plane } from "./picture.ts";
import { samplePlane, softBlur } from "./planes.ts";
import { resizePicture } from "./resample.ts";
import { CELL, emptyField, type Field } from "./spline_warp.ts";
import { type FaceShape, type Subject } from "./subject.ts";

/** Displacements that lay one picture over another. */
export interface Crossing {
  /** Reads picture A so that its content lies where B has it. */
  readonly fromA: Field;
  /** Reads picture B so that its content lies where A has it. */
  readonly fromB: Field;
}

/** One side of a crossing. */
export interface Side {
  readonly picture: Picture;
  readonly face: FaceShape | undefined;
  readonly subject: Subject;
}

/** No place moves further than this share of the frame; what is further apart dissolves. */
const FARTHEST = 0.16;
const SEARCH_WIDTH = 160;

/**
 * How A must bend to meet B and the other way round: faces are laid on each other (shift, size, turn), the rest
 * follows what can be matched and else goes along gently.
 */
export function planCrossing(a: Side, b: Side): Crossing {
  const { width } = a.picture;
  const rough = layFaces(a, b);
  const toA = refineMatch(a.picture, b.picture, rough.fromA);
  const toB = refineMatch(b.picture, a.picture, rough.fromB);
  return { fromA: limited(toA, width), fromB: limited(toB, width) };
}

function layFaces(a: Side, b: Side): Crossing {
  const { width, height } = a.picture;
  const fromA = emptyField(width, height);
  const fromB = emptyField(width, height);
  if (a.face && b.face) {
    fillSimilarity(fromA, b.face, a.face, b.subject, width, height);
    fillSimilarity(fromB, a.face, b.face, a.subject, width, height);
  }
  return { fromA, fromB };
}

/** Carries places near face `here` to where `there` has them; far places go along half as much. */
function fillSimilarity(
  field: Field,
  here: FaceShape,
  there: FaceShape,
  subject: Subject,
  width: number,
  height: number,
): void {
  const from = poseOf(here);
  const to = poseOf(there);
  const size = clamp(to.size / from.size, 0.6, 1.7);
  const turn = clamp(to.roll - from.roll, -0.5, 0.5);
  const cos = Math.cos(turn) * size;
  const sin = Math.sin(turn) * size;
  const near = softBlur(subject.mask, subject.mask.width * 0.06);
  for (let j = 0, at = 0; j < field.rows; j++) {
    for (let i = 0; i < field.columns; i++, at++) {
      const x = i * CELL;
      const y = j * CELL;
      const u = x - from.x;
      const v = y - from.y;
      const weight = 0.45 + 0.55 * samplePlane(near, (x / width) * near.width, (y / height) * near.height);
      field.dx[at] = (to.x + cos * u - sin * v - x) * weight;
      field.dy[at] = (to.y + sin * u + cos * v - y) * weight;
    }
  }
}

function poseOf({ box, points }: FaceShape): { x: number; y: number; size: number; roll: number } {
  const [left, right] = points;
  const roll = left && right ? Math.atan2(right.y - left.y, right.x - left.x) : 0;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, size: box.height, roll };
}

/** Adds block matching on small pictures where it clearly explains more than the rough field does. */
function refineMatch(source: Picture, target: Picture, rough: Field): Field {
  const scale = SEARCH_WIDTH / target.width;
  const height = Math.max(8, Math.round(target.height * scale));
  const from = softBlur(lumaOf(resizePicture(source, SEARCH_WIDTH, height)), 0.7);
  const to = softBlur(lumaOf(resizePicture(target, SEARCH_WIDTH, height)), 0.7);
  const dx = emptyPlane(rough.columns, rough.rows);
  const dy = emptyPlane(rough.columns, rough.rows);
  const sure = emptyPlane(rough.columns, rough.rows);
  for (let at = 0; at < sure.data.length; at++) {
    const x = (at % rough.columns) * CELL * scale;
    const y = Math.floor(at / rough.columns) * CELL * scale;
    const match = matchBlock(from, to, x, y, rough.dx[at]! * scale, rough.dy[at]! * scale);
    sure.data[at] = match.trust;
    dx.data[at] = (match.x / scale) * match.trust;
    dy.data[at] = (match.y / scale) * match.trust;
  }
  const reach = 2.2;
  const trust = softBlur(sure, reach);
  const moveX = softBlur(dx, reach);
  const moveY = softBlur(dy, reach);
  const field: Field = { ...rough, dx: rough.dx.slice(), dy: rough.dy.slice() };
  for (let at = 0; at < sure.data.length; at++) {
    const weight = 1 / (trust.data[at]! + 0.08);
    field.dx[at] = field.dx[at]! + moveX.data[at]! * weight;
    field.dy[at] = field.dy[at]! + moveY.data[at]! * weight;
  }
  return field;
}

const BLOCK = 5;
const REACH = 7;

/** The shift that matches best around (x, y), and 0…1 how far it can be trusted. */
function matchBlock(
  from: Plane,
  to: Plane,
  x: number,
  y: number,
  startX: number,
  startY: number,
): { x: number; y: number; trust: number } {
  const still = difference(from, to, x, y, startX, startY);
  let best = still;
  let bestX = 0;
  let bestY = 0;
  for (let step = 4; step >= 0.25; step /= 2) {
    const aroundX = bestX;
    const aroundY = bestY;
    for (let j = -1; j <= 1; j++) {
      for (let i = -1; i <= 1; i++) {
        const tryX = clamp(aroundX + i * step, -REACH, REACH);
        const tryY = clamp(aroundY + j * step, -REACH, REACH);
        const score = difference(from, to, x, y, startX + tryX, startY + tryY);
        if (score < best - 0.02) {
          best = score;
          bestX = tryX;
          bestY = tryY;
        }
      }
    }
  }
  const gain = (still - best) / (still + 1);
  return { x: bestX, y: bestY, trust: clamp((gain - 0.25) / 0.4, 0, 1) * clamp((12 - best) / 8, 0, 1) };
}

function difference(from: Plane, to: Plane, x: number, y: number, dx: number, dy: number): number {
  let sum = 0;
  for (let j = -BLOCK; j <= BLOCK; j += 2) {
    for (let i = -BLOCK; i <= BLOCK; i += 2) {
      sum += Math.abs(samplePlane(from, x + i + dx, y + j + dy) - samplePlane(to, x + i, y + j));
    }
  }
  return sum / 36;
}

function limited(field: Field, width: number): Field {
  const most = FARTHEST * width;
  let farthest = 0;
  for (let at = 0; at < field.dx.length; at++) {
    farthest = Math.max(farthest, Math.hypot(field.dx[at]!, field.dy[at]!));
  }
  if (farthest <= most) return field;
  // Long ways are shortened more than short ones, without a kink.
  const soft = (value: number) => most * Math.tanh(value / most);
  return { ...field, dx: field.dx.map(soft), dy: field.dy.map(soft) };
}
