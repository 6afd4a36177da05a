import type { GraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { Face, FaceModel } from "#server/seeds/job_kinds.ts";
import { DLIB_CROP, DLIB_GAIN, DLIB_MEAN, runDlibNet } from "./dlib_net.ts";
import { dropOverlaps, findInWindow, type SearchWindow, type Sighting } from "./face_detector.ts";
import { loadDlibWeights, loadHumanGraph, startTensors } from "./face_files.ts";
import { FACE_MODEL_NAME, hashWeights } from "./face_weights.ts";
import {
  eyeOpenness,
  type FaceMesh,
  fitMesh,
  fivePoints,
  meshBounds,
  meshFrame,
  meshPose,
} from "./face_mesh.ts";
import { distanceBetween, fitSimilarity, type Point, Pyramid } from "./pixels.ts";

/**
 * quick: the whole picture once, upright to about 60° of roll (about 50 ms). thorough: also turned, from further
 * away and piece by piece (to 0.8 s with faces, 3 s for 2000×2000 without any).
 */
export type SearchEffort = "quick" | "thorough";

/** A loaded face model. Pixels are 8-bit RGB, row by row without padding. */
export interface OpenFaceModel {
  readonly model: FaceModel;
  /** Faces, widest eye distance first; empty when there is none. Any roll, several faces. Thorough by default. */
  detect(rgb: Uint8Array, width: number, height: number, effort?: SearchEffort): Promise<Face[]>;
  /** Who it is, as numbers: two of them are compared with `distance`. `face` comes from `detect` on the same pixels. */
  embed(rgb: Uint8Array, width: number, height: number, face: Face): Promise<Float32Array>;
  /** 0 for the same picture; under 0.45 the same person, over 0.6 another one. */
  distance(a: Float32Array, b: Float32Array): number;
  /** Distance as a score: 1 surely the same person, 0.5 at the net's own limit of 0.6, 0 surely not. */
  likeness(distance: number): number;
  close(): void;
}

const METRIC = "euclidean-128, likeness 1/(1+exp((d-0.6)/0.05))";
const MIN_SCORE = 0.5;
/** Turned and pieced windows show the detector more chances to be wrong, so more is asked of what it sees there. */
const MIN_SCORE_EXTRA = 0.65;
/** Asked of a second look, which has the face large and upright before it. */
const MIN_SCORE_NEAR = 0.6;
const MIN_PRESENCE = 0.5;
const MAX_FACES = 16;

/**
 * Loads the face model that ships inside the npm packages (about 0.5 s, 150 MB). Read permission is all it
 * needs. Throws when a weight file is missing: the caller then goes on without likeness.
 */
export async function openFaceModel(): Promise<OpenFaceModel> {
  await startTensors();
  const [detector, mesher, weights, hash] = await Promise.all([
    loadHumanGraph("blazeface"),
    loadHumanGraph("facemesh"),
    loadDlibWeights(),
    hashWeights(),
  ]);
  return {
    model: { name: FACE_MODEL_NAME, hash, metric: METRIC },
    async detect(rgb, width, height, effort = "thorough") {
      assertPixels(rgb, width, height);
      return await detectFaces(detector, mesher, new Pyramid({ width, height, data: rgb }), effort);
    },
    async embed(rgb, width, height, face) {
      assertPixels(rgb, width, height);
      const crop = cropForNet(new Pyramid({ width, height, data: rgb }), face.points);
      return await runDlibNet(weights, crop);
    },
    distance: faceDistance,
    likeness: likenessOfDistance,
    close() {
      detector.dispose();
      mesher.dispose();
      tf.dispose(weights);
    },
  };
}

/** Euclidean distance of two embeddings of the same model. */
export function faceDistance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError("Cannot compare faces read by two different models");
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

/** 0.5 at 0.6, the radius the net was trained for; 0.95 at 0.45, 0.02 at 0.8. */
export function likenessOfDistance(distance: number): number {
  return 1 / (1 + Math.exp((distance - 0.6) / 0.05));
}

function assertPixels(rgb: Uint8Array, width: number, height: number): void {
  if (width < 1 || height < 1 || rgb.length !== width * height * 3) {
    throw new RangeError(
      `Cannot look for faces: ${rgb.length} bytes are not ${width}×${height} pixels of three channels`,
    );
  }
}

async function detectFaces(
  detector: GraphModel,
  mesher: GraphModel,
  picture: Pyramid,
  effort: SearchEffort,
): Promise<Face[]> {
  const { width, height } = picture.base;
  let faces: Face[] = [];
  for (const stage of searchStages(width, height, effort)) {
    if (faces.length > 0 && !stage.findsMore) continue;
    const isLarge = (face: Face) => face.eyeDistancePx > Math.max(width, height) / 8;
    if (faces.some(isLarge)) break;
    const sightings: Sighting[] = [];
    for (const window of stage.windows) {
      for (const sighting of await findInWindow(detector, picture, window, stage.minScore)) {
        const sure = await lookAgain(detector, picture, window, sighting, stage.minScore);
        if (sure) sightings.push(sure);
      }
    }
    for (const sighting of dropOverlaps(sightings).slice(0, MAX_FACES)) {
      const face = await describeFace(mesher, picture, sighting);
      if (face && !faces.some((known) => isSameFace(known, face))) faces = [...faces, face];
    }
  }
  return faces.toSorted((a, b) => b.eyeDistancePx - a.eyeDistancePx).slice(0, MAX_FACES);
}

/**
 * A doubtful sighting (weak, tilted or small in its window) is looked at once more from near and upright: a
 * face gets a truer place and roll, and what is none is not seen again.
 */
async function lookAgain(
  detector: GraphModel,
  picture: Pyramid,
  window: SearchWindow,
  sighting: Sighting,
  minScore: number,
): Promise<Sighting | undefined> {
  const tilt = Math.abs(Math.sin((sighting.angle - window.angle) / 2));
  const isSmall = sighting.side < window.side / 8;
  if (sighting.score >= 0.8 && tilt < 0.35 && !isSmall) return sighting;
  const near = { centre: sighting.centre, side: sighting.side * 2.5 };
  const least = Math.max(minScore, MIN_SCORE_NEAR);
  const found: Sighting[] = [];
  // Upside down, brows and mouth pass for each other: the other way round is looked at too.
  for (const angle of [sighting.angle, sighting.angle + Math.PI]) {
    found.push(...await findInWindow(detector, picture, { ...near, angle }, least));
  }
  const [again] = found.filter(({ centre }) => distanceBetween(centre, sighting.centre) < sighting.side / 2)
    .toSorted((a, b) => b.score - a.score);
  return again;
}

function isSameFace(a: Face, b: Face): boolean {
  const middle = ({ box }: Face) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  const reach = Math.max(a.box.width, a.box.height, b.box.width, b.box.height);
  return distanceBetween(middle(a), middle(b)) < reach / 2;
}

interface SearchStage {
  readonly windows: readonly SearchWindow[];
  readonly minScore: number;
  /** Worth a look even when an earlier stage found faces: they may not be all. */
  readonly findsMore: boolean;
}

/** Windows to look through, cheapest and likeliest first. */
function searchStages(width: number, height: number, effort: SearchEffort): SearchStage[] {
  const centre = { x: (width - 1) / 2, y: (height - 1) / 2 };
  const side = Math.max(width, height);
  const whole = (angle: number, zoom = 1): SearchWindow => ({ centre, side: side * zoom, angle });
  const upright = { windows: [whole(0)], minScore: MIN_SCORE, findsMore: false };
  if (effort === "quick") return [upright];
  const turns = [Math.PI / 2, Math.PI, -Math.PI / 2];
  const stages: SearchStage[] = [
    upright,
    // A face that fills the picture is seen only from further away.
    { windows: [whole(0, 1.8)], minScore: MIN_SCORE, findsMore: false },
    { windows: turns.map((turn) => whole(turn)), minScore: MIN_SCORE_EXTRA, findsMore: false },
  ];
  for (const parts of [2, 4]) {
    if (side / parts < 200) break;
    stages.push({
      windows: tiles(width, height, side / parts),
      minScore: MIN_SCORE_EXTRA,
      findsMore: parts === 2,
    });
  }
  return stages;
}

/** Squares of `tile` pixels that overlap by half, so that no face is cut by all of them. */
function tiles(width: number, height: number, tile: number): SearchWindow[] {
  const along = (length: number) => {
    const count = Math.max(1, Math.ceil((length - tile) / (tile / 2)) + 1);
    if (count === 1) return [(length - 1) / 2];
    return Array.from({ length: count }, (_, i) => tile / 2 + (i * (length - tile)) / (count - 1));
  };
  return along(height).flatMap((y) => along(width).map((x) => ({ centre: { x, y }, side: tile, angle: 0 })));
}

async function describeFace(
  mesher: GraphModel,
  picture: Pyramid,
  sighting: Sighting,
): Promise<Face | undefined> {
  const mesh = await settleMesh(mesher, picture, sighting);
  if (mesh.presence < MIN_PRESENCE) return undefined;
  const points = fivePoints(mesh);
  const [left, right] = points as [Point, Point];
  const eyeDistancePx = distanceBetween(left, right);
  const pose = meshPose(mesh);
  return {
    box: meshBounds(mesh),
    score: sighting.score,
    eyeDistancePx,
    ...pose,
    points,
    eyesOpen: eyeOpenness(mesh, pose.yawDeg, eyeDistancePx),
  };
}

/** BlazeFace misjudges the roll of turned faces and the mesh follows it, so the mesh is fitted again to what it found. */
async function settleMesh(mesher: GraphModel, picture: Pyramid, sighting: Sighting): Promise<FaceMesh> {
  let mesh = await fitMesh(mesher, picture, sighting);
  let { angle } = sighting;
  for (let round = 0; round < 3 && mesh.presence > 0.2; round++) {
    const frame = meshFrame(mesh);
    if (round > 0 && Math.abs(Math.sin((frame.angle - angle) / 2)) < 0.04) break;
    angle = frame.angle;
    mesh = await fitMesh(mesher, picture, { ...frame, score: sighting.score });
  }
  return mesh;
}

/**
 * Where eyes and mouth lie in the net's crop. dlib's own template, expressed by eye centres and mouth middle:
 * the best of four sizes tried on 64 labelled faces.
 */
const CROP_POINTS: readonly Point[] = (() => {
  const eyeToMouth = 60;
  const eyeSpan = eyeToMouth * (58.4 / 67.5);
  return [
    { x: 75 - eyeSpan / 2, y: 64.5 - eyeToMouth / 3 },
    { x: 75 + eyeSpan / 2, y: 64.5 - eyeToMouth / 3 },
    { x: 75, y: 64.5 + (eyeToMouth * 2) / 3 },
  ];
})();

function cropForNet(picture: Pyramid, points: readonly Point[]): Float32Array {
  const [left, right, , mouthLeft, mouthRight] = points;
  if (!left || !right || !mouthLeft || !mouthRight) {
    throw new RangeError("Cannot read a face without its five points: use a face that detect() returned");
  }
  const mouth = { x: (mouthLeft.x + mouthRight.x) / 2, y: (mouthLeft.y + mouthRight.y) / 2 };
  const map = fitSimilarity(CROP_POINTS, [left, right, mouth]);
  return picture.sample(map, DLIB_CROP, DLIB_CROP, DLIB_GAIN, DLIB_MEAN);
}
