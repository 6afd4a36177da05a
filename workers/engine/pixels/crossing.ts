import { clamp, emptyPlane, lumaOf, type Picture, type Plane, smoothstep } from "./picture.ts";
import { samplePlane, softBlur } from "./planes.ts";
import { resizePicture } from "./resample.ts";
import { CELL, emptyField, type Field } from "./spline_warp.ts";
import { type FaceShape, type Subject } from "./subject.ts";

/** How two pictures bend towards each other. `share` is 0 in A's layout and 1 in B's. */
export interface Crossing {
  /** Reads picture A so that its content lies where it belongs at `share`. */
  fromA(share: number): Field;
  /** The same for picture B. */
  fromB(share: number): Field;
}

/** One side of a crossing. */
export interface Side {
  readonly picture: Picture;
  readonly face: FaceShape | undefined;
  readonly subject: Subject;
}

/** No place moves further than this share of the frame; what is further apart dissolves. */
const FARTHEST = 0.42;
const SEARCH_WIDTH = 160;

/**
 * How A must bend to meet B and the other way round: faces are laid on each other (shift, size, turn), the rest
 * follows what can be matched and else goes along gently.
 */
export function planCrossing(a: Side, b: Side): Crossing {
  const { width } = a.picture;
  const poseA = a.face && poseOf(a.face);
  const poseB = b.face && poseOf(b.face);
  const [nearA, nearB] = [nearOf(a.subject), nearOf(b.subject)];
  const layFaces = (side: Side, near: Plane, pose: Pose | undefined, share: number): Field => {
    const { height } = side.picture;
    const field = emptyField(width, height);
    if (poseA && poseB && pose) layFace(field, between(poseA, poseB, share), pose, near, width, height);
    return limited(field, width);
  };
  const roughA = (share: number) => layFaces(a, nearA, poseA, share);
  const roughB = (share: number) => layFaces(b, nearB, poseB, share);
  const fineA = refineMatch(a.picture, b.picture, roughA(1));
  const fineB = refineMatch(b.picture, a.picture, roughB(0));
  return {
    fromA: (share) => addScaled(roughA(share), fineA, share),
    fromB: (share) => addScaled(roughB(share), fineB, 1 - share),
  };
}

interface Pose {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly roll: number;
}

function between(a: Pose, b: Pose, share: number): Pose {
  const mix = (from: number, to: number) => from + (to - from) * share;
  return { x: mix(a.x, b.x), y: mix(a.y, b.y), size: mix(a.size, b.size), roll: mix(a.roll, b.roll) };
}

/** The subject with some room around it, without a hard edge. */
function nearOf({ mask }: Subject): Plane {
  const near = softBlur(mask, mask.width * 0.035);
  for (let i = 0; i < near.data.length; i++) near.data[i] = smoothstep(0.04, 0.5, near.data[i]!);
  return near;
}

/** Fills `field` so that a face at `here` is read from `there`; places off the subject go along a little less. */
function layFace(field: Field, here: Pose, there: Pose, near: Plane, width: number, height: number): void {
  const size = clamp(there.size / here.size, 0.6, 1.7);
  const turn = clamp(there.roll - here.roll, -0.5, 0.5);
  const cos = Math.cos(turn) * size;
  const sin = Math.sin(turn) * size;
  for (let j = 0, at = 0; j < field.rows; j++) {
    for (let i = 0; i < field.columns; i++, at++) {
      const x = i * CELL;
      const y = j * CELL;
      const u = x - here.x;
      const v = y - here.y;
      const dx = there.x + cos * u - sin * v - x;
      const dy = there.y + sin * u + cos * v - y;
      const on = samplePlane(near, ((x + dx) / width) * near.width, ((y + dy) / height) * near.height);
      field.dx[at] = dx * (0.8 + 0.2 * on);
      field.dy[at] = dy * (0.8 + 0.2 * on);
    }
  }
}

function addScaled(field: Field, other: Field, share: number): Field {
  for (let at = 0; at < field.dx.length; at++) {
    field.dx[at] = field.dx[at]! + other.dx[at]! * share;
    field.dy[at] = field.dy[at]! + other.dy[at]! * share;
  }
  return field;
}

function poseOf({ box, points }: FaceShape): Pose {
  const [left, right] = points;
  const roll = left && right ? Math.atan2(right.y - left.y, right.x - left.x) : 0;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, size: box.height, roll };
}

/** What block matching on small pictures adds to the rough field, where it clearly explains more. */
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
  const field = emptyField(target.width, target.height);
  for (let at = 0; at < sure.data.length; at++) {
    const weight = 1 / (trust.data[at]! + 0.08);
    field.dx[at] = moveX.data[at]! * weight;
    field.dy[at] = moveY.data[at]! * weight;
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
