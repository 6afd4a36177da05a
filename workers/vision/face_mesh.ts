import type { GraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { Sighting } from "./face_detector.ts";
import { applyAffine, type Point, type Pyramid, squareWindow } from "./pixels.ts";

/** 468 points of a face: x and y in pixels of the picture, z in the same unit towards the back. */
export interface FaceMesh {
  readonly points: Float32Array;
  /** 0–1: how sure the net is that it looks at a face at all. */
  readonly presence: number;
}

const SIZE = 192;
const POINTS = 468;

/** Fits the mesh to what lies in the sighting's square. */
export async function fitMesh(model: GraphModel, picture: Pyramid, sighting: Sighting): Promise<FaceMesh> {
  const side = sighting.side * 1.5;
  const map = squareWindow(sighting.centre, side, sighting.angle, SIZE);
  const input = picture.sample(map, SIZE, SIZE, 1 / 255, [0, 0, 0]);
  const outputs = tf.tidy(() => model.execute(tf.tensor4d(input, [1, SIZE, SIZE, 3])) as tf.Tensor[]);
  try {
    const coordinates = await outputs.find((output) => output.size === POINTS * 3)?.data();
    const flag = await outputs.find((output) => output.size === 1)?.data();
    if (!coordinates || !flag) {
      throw new Error("FaceMesh gave no mesh: its model file is not the expected one");
    }
    const points = new Float32Array(POINTS * 3);
    for (let i = 0; i < points.length; i += 3) {
      const { x, y } = applyAffine(map, coordinates[i]!, coordinates[i + 1]!);
      points[i] = x;
      points[i + 1] = y;
      points[i + 2] = coordinates[i + 2]! * side / SIZE;
    }
    return { points, presence: flag[0] ?? 0 };
  } finally {
    tf.dispose(outputs);
  }
}

/** Eye centres, nose tip and mouth corners; first the one that is left in an upright picture of the face. */
export function fivePoints(mesh: FaceMesh): Point[] {
  return [[33, 133, 159, 145], [362, 263, 386, 374], [1, 4], [61], [291]].map((ids) => centreOf(mesh, ids));
}

function centreOf(mesh: FaceMesh, ids: readonly number[]): Point {
  let x = 0;
  let y = 0;
  for (const id of ids) {
    x += mesh.points[id * 3]! / ids.length;
    y += mesh.points[id * 3 + 1]! / ids.length;
  }
  return { x, y };
}

/** The smallest upright rectangle that holds the whole mesh. */
export function meshBounds(mesh: FaceMesh): { x: number; y: number; width: number; height: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < mesh.points.length; i += 3) {
    left = Math.min(left, mesh.points[i]!);
    right = Math.max(right, mesh.points[i]!);
    top = Math.min(top, mesh.points[i + 1]!);
    bottom = Math.max(bottom, mesh.points[i + 1]!);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The square about the mesh's middle, turned with its eyes: what the mesh would be fitted to best. */
export function meshFrame(mesh: FaceMesh): { centre: Point; side: number; angle: number } {
  const [left, right] = fivePoints(mesh) as [Point, Point];
  const angle = Math.atan2(right.y - left.y, right.x - left.x);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let [minU, minV, maxU, maxV] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < mesh.points.length; i += 3) {
    const u = mesh.points[i]! * cos + mesh.points[i + 1]! * sin;
    const v = mesh.points[i + 1]! * cos - mesh.points[i]! * sin;
    minU = Math.min(minU, u);
    maxU = Math.max(maxU, u);
    minV = Math.min(minV, v);
    maxV = Math.max(maxV, v);
  }
  const [u, v] = [(minU + maxU) / 2, (minV + maxV) / 2];
  return {
    centre: { x: u * cos - v * sin, y: u * sin + v * cos },
    side: Math.max(maxU - minU, maxV - minV),
    angle,
  };
}

/** Frontal faces come out about this many degrees low on this net, so it is taken off. */
const PITCH_BIAS_DEG = -8;

/** Yaw, pitch and roll in degrees from the mesh's own axes: an estimate, good to about ±8°. */
export function meshPose(mesh: FaceMesh): { yawDeg: number; pitchDeg: number; rollDeg: number } {
  const between = (from: number, to: number) =>
    [0, 1, 2].map((k) => mesh.points[to * 3 + k]! - mesh.points[from * 3 + k]!) as [number, number, number];
  const [ax, ay, az] = unit(between(234, 454));
  const [bx, by, bz] = unit(between(10, 152));
  const normal = unit([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]);
  const down = [
    normal[1] * az - normal[2] * ay,
    normal[2] * ax - normal[0] * az,
    normal[0] * ay - normal[1] * ax,
  ] as const;
  const degrees = 180 / Math.PI;
  return {
    yawDeg: Math.atan2(az, Math.hypot(ax, ay)) * degrees,
    pitchDeg: Math.atan2(-down[2], Math.hypot(down[0], down[1])) * degrees - PITCH_BIAS_DEG,
    rollDeg: Math.atan2(ay, ax) * degrees,
  };
}

function unit(vector: readonly [number, number, number]): [number, number, number] {
  const length = Math.hypot(...vector) || 1;
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}

/** Corner, two upper lid points, corner, two lower lid points: the six of the eye aspect ratio. */
const EYES = [[33, 160, 158, 133, 153, 144], [362, 385, 387, 263, 373, 380]] as const;
const SHUT_ASPECT = 0.12;
const OPEN_ASPECT = 0.28;

/**
 * How open the eyes are, 0 shut – 1 open, from lid distance ÷ eye width of the wider open eye. A hint only:
 * this net draws lids coarsely, and eyes cast down may pass as open. Null where it would be a guess (face turned away or eyes under 24 px apart).
 */
export function eyeOpenness(mesh: FaceMesh, yawDeg: number, eyeDistancePx: number): number | null {
  if (Math.abs(yawDeg) > 40 || eyeDistancePx < 24) return null;
  const gap = (a: number, b: number) =>
    Math.hypot(...[0, 1, 2].map((k) => mesh.points[a * 3 + k]! - mesh.points[b * 3 + k]!));
  const aspects = EYES.map(([corner, up1, up2, other, low2, low1]) =>
    (gap(up1, low1) + gap(up2, low2)) / (2 * gap(corner, other))
  );
  const open = (Math.max(...aspects) - SHUT_ASPECT) / (OPEN_ASPECT - SHUT_ASPECT);
  return Math.min(1, Math.max(0, open));
}
