import { type CameraMove, type CameraPath, planPath } from "./camera_path.ts";
import { planCrossing } from "./crossing.ts";
import { patternFor, writeGrainyRow } from "./grain.ts";
import { grainLevel, type Layer, openLayer, planSharpness } from "./layer.ts";
import { type Picture, smoothstep } from "./picture.ts";
import { addField, fieldFor } from "./stage.ts";
import type { FaceShape } from "./subject.ts";

/** A still and its face, when one was found. */
export interface Still {
  readonly picture: Picture;
  readonly face: FaceShape | undefined;
}

/** What a moving shot is made from. */
export interface MotionRequest extends Still {
  /** What the last frame must be: same size as `picture`, which is frame 0. */
  readonly last?: Still | undefined;
  /** Frames to make, the start included. */
  readonly frames: number;
  /** Frames per second. Moves are so many percent per second, whatever the rate. */
  readonly rate: number;
  readonly seed: number;
  readonly move: CameraMove;
  /** 1 is a normal move. */
  readonly amount: number;
  /** 0 none … 1 normal … 2 heavy. */
  readonly breathing: number;
  /** Deviation of the film grain in 8-bit levels. A start frame that carries our grain keeps its own level. */
  readonly grain: number;
}

/** A planned shot, rendered a frame at a time in any order. */
export interface Shot {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** RGB bytes of frame `index`, fresh memory; the same for the same request on every machine. */
  render(index: number): Uint8Array;
}

/**
 * Plans camera, depth, breath, grain and sharpness of one shot. Frame 0 is the start still, byte for byte; each
 * other frame is resampled once from it, brought to its sharpness and given fresh grain of its level. With a
 * last still both bend towards each other while one dissolves into the other, and the last frame is that still.
 */
export function planShot(request: MotionRequest): Shot {
  const layer = openLayer(request.picture, request.face);
  return request.last ? crossingShot(request, layer, request.last) : plainShot(request, layer);
}

function plainShot(request: MotionRequest, layer: Layer): Shot {
  const { width, height } = request.picture;
  const { frames, rate } = request;
  const path = pathFor(request, layer);
  const fieldAt = (index: number) => fieldFor(layer.stage, path(index / rate));
  const sharpen = planSharpness(layer, frames, fieldAt);
  const level = grainLevel(layer, request.grain);
  const finish = grainWriter(request, layer);
  return {
    width,
    height,
    frames,
    render(index) {
      if (index <= 0) return request.picture.rgb.slice();
      return finish(index, level, (take) => {
        layer.warper.render(fieldAt(index), sharpen(index), 0, height, take);
      });
    },
  };
}

function crossingShot(request: MotionRequest, layer: Layer, last: Still): Shot {
  const { width, height } = request.picture;
  const { frames, rate } = request;
  const end = openLayer(last.picture, last.face);
  const crossing = planCrossing(layer, end);
  const path = pathFor(request, layer);
  // Not all ease: the crossing sets off and arrives at a walking pace, so that its ends don't stand still.
  const share = (index: number) => {
    const t = index / (frames - 1);
    return 0.22 * t + 0.78 * smoothstep(0, 1, t);
  };
  const fieldA = (index: number) =>
    addField(fieldFor(layer.stage, path(index / rate)), crossing.fromA(share(index)), layer.stage);
  const fieldB = (index: number) =>
    addField(fieldFor(end.stage, path(index / rate)), crossing.fromB(share(index)), end.stage);
  const sharpenA = planSharpness(layer, frames, fieldA);
  const sharpenB = planSharpness(end, frames, fieldB);
  const levels = [grainLevel(layer, request.grain), grainLevel(end, request.grain)] as const;
  const finish = grainWriter(request, layer);
  const other = new Float32Array(width * 3 * height);
  return {
    width,
    height,
    frames,
    render(index) {
      if (index <= 0) return request.picture.rgb.slice();
      if (index >= frames - 1) return last.picture.rgb.slice();
      const mix = smoothstep(0.28, 0.72, index / (frames - 1));
      const level = levels[0] + (levels[1] - levels[0]) * mix;
      return finish(index, level, (take) => {
        end.warper.render(
          fieldB(index),
          sharpenB(index),
          0,
          height,
          (row, y) => other.set(row, y * width * 3),
        );
        layer.warper.render(fieldA(index), sharpenA(index), 0, height, (row, y) => {
          const base = y * width * 3;
          for (let i = 0; i < row.length; i++) row[i] = row[i]! + (other[base + i]! - row[i]!) * mix;
          take(row, y);
        });
      });
    },
  };
}

function pathFor(request: MotionRequest, layer: Layer): CameraPath {
  const path = planPath({
    move: request.move,
    seconds: Math.max(1, request.frames - 1) / request.rate,
    seed: request.seed,
    amount: request.amount,
    face: layer.subject.face,
    room: layer.stage.room,
    closed: request.last !== undefined,
  });
  return (t) => {
    const state = path(t);
    return { ...state, breath: state.breath * request.breathing };
  };
}

type TakeRow = (row: Float32Array, y: number) => void;

/** Rounds rendered rows to bytes under the frame's own grain. */
function grainWriter(
  { picture, seed }: MotionRequest,
  layer: Layer,
): (index: number, level: number, render: (take: TakeRow) => void) => Uint8Array {
  return (index, level, render) => {
    const out = new Uint8ClampedArray(picture.width * picture.height * 3);
    const pattern = patternFor(seed, index, layer.trace?.pattern ?? -1);
    const strength = layer.trace ? level : level * settling(index);
    render((row, y) => writeGrainyRow(row, y, pattern, strength, out));
    return new Uint8Array(out.buffer);
  };
}

/** A start frame without grain differs from the next by one grain only, later frames by two: the first get more. */
function settling(index: number): number {
  return 1 + 0.35 * Math.exp((1 - index) / 1.2);
}
