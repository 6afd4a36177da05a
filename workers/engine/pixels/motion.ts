import { type CameraMove, type CameraPath, planPath } from "./camera_path.ts";
import { findGrain, measureGrain, patternFor, removeGrain, snapLevel, writeGrainyRow } from "./grain.ts";
import { checkPicture, lumaOf, type Picture } from "./picture.ts";
import { matchSharpness, sharpnessOf } from "./sharpness.ts";
import { openWarper } from "./spline_warp.ts";
import { buildStage, fieldFor } from "./stage.ts";
import { type FaceShape, findSubject } from "./subject.ts";

/** What a moving shot is made from. */
export interface MotionRequest {
  /** Frame 0, already at the wanted size. */
  readonly start: Picture;
  /** Its face, when one was found. */
  readonly face: FaceShape | undefined;
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

/** Times at which the sharpening is measured; between them it is interpolated. */
const PROBES = 5;

/**
 * Plans camera, depth, breath, grain and sharpness of one shot. Frame 0 is the start frame, byte for byte; all
 * others are each resampled once from it, brought to its sharpness and given fresh grain of its level.
 */
export function planShot(request: MotionRequest): Shot {
  const { start, frames, rate, seed } = request;
  checkPicture(start);
  const { width, height } = start;
  const trace = findGrain(start);
  const clean = removeGrain(start, trace);
  const subject = findSubject(start, request.face);
  const stage = buildStage(subject, width, height);
  const path = withBreath(
    planPath({
      move: request.move,
      seconds: Math.max(1, frames - 1) / rate,
      seed,
      amount: request.amount,
      face: subject.face,
      room: stage.room,
      closed: false,
    }),
    request.breathing,
  );
  const warper = openWarper(clean, width, height);
  const fieldAt = (index: number) => fieldFor(stage, path(index / rate));
  const crisp = sharpnessOf(clean, width, height);
  const sharpen = planSharpness(frames, (index) => matchSharpness(warper, fieldAt(index), crisp));
  const level = trace?.level ?? grainFor(request.grain, measureGrain(lumaOf(start)));
  return {
    width,
    height,
    frames,
    render(index) {
      if (index <= 0) return start.rgb.slice();
      const out = new Uint8ClampedArray(width * height * 3);
      const pattern = patternFor(seed, index, trace?.pattern ?? -1);
      warper.render(fieldAt(index), sharpen(index), 0, height, (row, y) => {
        writeGrainyRow(row, y, pattern, level, out);
      });
      return new Uint8Array(out.buffer);
    },
  };
}

function withBreath(path: CameraPath, amount: number): CameraPath {
  return (t) => {
    const state = path(t);
    return { ...state, breath: state.breath * amount };
  };
}

/** As much grain as the picture lacks, and always enough to be alive. */
function grainFor(wanted: number, present: number): number {
  return snapLevel(Math.max(Math.sqrt(Math.max(0, wanted ** 2 - present ** 2)), wanted * 0.7));
}

/** Measures at a few frames and interpolates between. */
function planSharpness(frames: number, measure: (index: number) => number): (index: number) => number {
  const last = Math.max(1, frames - 1);
  const stops = Array.from({ length: PROBES }, (_, i) => 1 + ((last - 1) * i) / (PROBES - 1));
  const amounts = stops.map((stop) => measure(stop));
  return (index) => {
    const at = last === 1 ? 0 : ((index - 1) / (last - 1)) * (PROBES - 1);
    const left = Math.min(PROBES - 2, Math.max(0, Math.floor(at)));
    return amounts[left]! + (amounts[left + 1]! - amounts[left]!) * Math.min(1, at - left);
  };
}
