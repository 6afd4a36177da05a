import { findGrain, measureGrain } from "./find_grain.ts";
import { type GrainTrace, removeGrain, snapLevel } from "./grain.ts";
import { checkPicture, lumaOf, type Picture } from "./picture.ts";
import { matchSharpness, sharpeningLift, sharpnessOf } from "./sharpness.ts";
import { type Field, openWarper, type Warper } from "./spline_warp.ts";
import { buildStage, type Stage } from "./stage.ts";
import { type FaceShape, findSubject, type Subject } from "./subject.ts";

/** A still made ready to move. */
export interface Layer {
  readonly picture: Picture;
  readonly face: FaceShape | undefined;
  readonly subject: Subject;
  readonly stage: Stage;
  /** Warps the picture without the grain that we had laid over it. */
  readonly warper: Warper;
  /** Laplacian variance of the picture without our grain. */
  readonly sharpness: number;
  readonly trace: GrainTrace | undefined;
}

/** Takes our grain off a picture, finds its subject, stands it in space and prepares it for warping. */
export function openLayer(picture: Picture, face: FaceShape | undefined): Layer {
  checkPicture(picture);
  const { width, height } = picture;
  const trace = findGrain(picture);
  const clean = removeGrain(picture, trace);
  const subject = findSubject(picture, face);
  return {
    picture,
    face,
    subject,
    stage: buildStage(subject, width, height),
    warper: openWarper(clean, width, height),
    sharpness: sharpnessOf(clean, width, height),
    trace,
  };
}

/**
 * The grain level of frames made from this layer: its own where it carries our grain; else as much as it lacks
 * of `wanted`, and always enough to be alive.
 */
export function grainLevel(layer: Layer, wanted: number): number {
  if (layer.trace) return layer.trace.level;
  const present = measureGrain(lumaOf(layer.picture));
  return snapLevel(Math.max(Math.sqrt(Math.max(0, wanted ** 2 - present ** 2)), wanted * 0.7));
}

/** Times at which the sharpening is measured; between them it is interpolated. */
const PROBES = 5;

/** How much each frame of the layer must be sharpened to look as sharp as its still. */
export function planSharpness(
  layer: Layer,
  frames: number,
  fieldAt: (index: number) => Field,
): (index: number) => number {
  const last = Math.max(1, frames - 1);
  const stops = Array.from({ length: PROBES }, (_, i) => 1 + ((last - 1) * i) / (PROBES - 1));
  const lift = sharpeningLift(layer.warper, fieldAt(last / 2));
  const amounts = stops.map((stop) => matchSharpness(layer.warper, fieldAt(stop), layer.sharpness, lift));
  return (index) => {
    const at = last === 1 ? 0 : ((index - 1) / (last - 1)) * (PROBES - 1);
    const left = Math.min(PROBES - 2, Math.max(0, Math.floor(at)));
    return amounts[left]! + (amounts[left + 1]! - amounts[left]!) * Math.min(1, at - left);
  };
}
