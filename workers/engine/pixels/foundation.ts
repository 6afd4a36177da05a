import { type Draws, drawsFrom } from "./draws.ts";
import { type FramePlan, type Framing, planFrame } from "./framing.ts";
import { patternFor, snapLevel, writeGrainyRow } from "./grain.ts";
import { castLight, type Light, type LightMap } from "./light.ts";
import { checkPicture, clamp, emptyPlane, lumaOf, type Picture, type Plane, smoothstep } from "./picture.ts";
import { guidedFilter, resizePlane, samplePlane, softBlur } from "./planes.ts";
import { resampleAt, resizePicture } from "./resample.ts";
import { type FaceShape, type FindFaces, findSubject, type Subject } from "./subject.ts";

/** What is done to the background. "auto" lets the seed choose. */
export const BACKGROUNDS = ["auto", "keep", "soft", "blur", "dark", "warm", "cool"] as const;
export type Background = (typeof BACKGROUNDS)[number];

/** What a foundation is made from. */
export interface FoundationRequest {
  readonly portrait: Picture;
  /** Faces of the portrait, the main one first. */
  readonly faces: readonly FaceShape[];
  /** Looks again in the new frame; leave out where there is no face model. */
  readonly findFaces?: FindFaces | undefined;
  readonly seed: number;
  /** 0 only reframes … 1 full relighting and background treatment. */
  readonly strength: number;
  readonly width: number;
  readonly height: number;
  readonly framing: Framing;
  readonly light: Light;
  readonly background: Background;
  /** Deviation of the film grain in 8-bit levels. */
  readonly grain: number;
}

/**
 * A new still of the same person: another frame, light and background, chosen by the seed. Face pixels are
 * moved and lit, never redrawn. The same request gives the same bytes on every machine.
 */
export async function makeFoundation(request: FoundationRequest): Promise<Picture> {
  const { portrait, seed, width, height, strength } = request;
  checkPicture(portrait);
  const draws = drawsFrom(seed, "foundation");
  const face = request.faces[0];
  const source = findSubject(portrait, face);
  const focus = { x: source.focus.x * portrait.width, y: source.focus.y * portrait.height };
  const shrink = Math.max(1, Math.floor(Math.min(portrait.width / width, portrait.height / height) / 2));
  const base = shrink > 1
    ? resizePicture(portrait, Math.round(portrait.width / shrink), Math.round(portrait.height / shrink))
    : portrait;
  const ratio = base.width / portrait.width;
  const plan = planFrame(
    base,
    face && scaleFace(face, ratio),
    { x: focus.x * ratio, y: focus.y * ratio },
    request,
    request.framing,
    draws,
  );
  const frame = resampleAt(base, plan.xs, plan.ys, "mirror");
  const faces = request.findFaces ? await request.findFaces(frame) : [];
  const subject = findSubject(frame, faces[0] ?? (face && faceInPlan(scaleFace(face, ratio), plan)));
  const look = chooseLook(request.background, strength, draws);
  const light = castLight(subject, request.light, strength, draws);
  return finish(frame, subject, plan, look, light, request);
}

function scaleFace(face: FaceShape, ratio: number): FaceShape {
  const { x, y, width, height } = face.box;
  return {
    box: { x: x * ratio, y: y * ratio, width: width * ratio, height: height * ratio },
    points: face.points.map((point) => ({ x: point.x * ratio, y: point.y * ratio })),
  };
}

/** The face's place in the frame, which is evenly scaled there. */
function faceInPlan(face: FaceShape, plan: FramePlan): FaceShape {
  const place = (positions: Float64Array, at: number) => {
    const index = positions.findIndex((position) => position >= at);
    return index < 0 ? positions.length - 1 : index;
  };
  const { box } = face;
  const x = place(plan.xs, box.x);
  const y = place(plan.ys, box.y);
  return {
    box: {
      x,
      y,
      width: place(plan.xs, box.x + box.width) - x,
      height: place(plan.ys, box.y + box.height) - y,
    },
    points: face.points.map((point) => ({ x: place(plan.xs, point.x), y: place(plan.ys, point.y) })),
  };
}

/** How the background and the whole picture are graded. */
interface Look {
  /** Blur of the background, as a share of the frame's width. */
  readonly blur: number;
  /** Stops. */
  readonly darken: number;
  /** −1 cool … 1 warm, background and whole. */
  readonly tint: number;
  readonly warmth: number;
  readonly contrast: number;
  readonly vignette: number;
}

function chooseLook(background: Background, strength: number, draws: Draws): Look {
  const named = background === "auto"
    ? draws.pick(["soft", "blur", "dark", "warm", "cool"] as const)
    : background;
  const kind = {
    keep: { blur: 0, darken: 0, tint: 0 },
    soft: { blur: 0.004, darken: 0.1, tint: 0 },
    blur: { blur: 0.013, darken: 0.12, tint: 0.1 },
    dark: { blur: 0.007, darken: 1.2, tint: -0.2 },
    warm: { blur: 0.008, darken: 0.35, tint: 1.5 },
    cool: { blur: 0.008, darken: 0.45, tint: -1.5 },
  }[named];
  return {
    blur: kind.blur * Math.min(1, 0.4 + strength),
    darken: kind.darken * strength * draws.between(0.8, 1.15),
    tint: kind.tint * strength,
    warmth: draws.between(-0.4, 0.5) * strength,
    contrast: draws.between(0.02, 0.12) * strength,
    vignette: draws.between(0.15, 0.4) * strength,
  };
}

function finish(
  frame: Picture,
  subject: Subject,
  plan: FramePlan,
  look: Look,
  light: LightMap,
  request: FoundationRequest,
): Picture {
  const { width, height } = frame;
  const mask = fineMask(frame, subject);
  const beside = softBlur(subject.mask, subject.mask.width * 0.035);
  const far = blurBehind(frame, mask, Math.max(look.blur, 0.002) * width);
  const farthest = blurBehind(frame, emptyPlane(width, height), width * 0.045);
  const out = new Uint8ClampedArray(width * height * 3);
  const row = new Float32Array(width * 3);
  const level = snapLevel(request.grain);
  const pattern = patternFor(request.seed, 0, -1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const beyond = Math.max(plan.beyondX[x]!, plan.beyondY[y]!);
      const m = mask.data[i]! * (1 - beyond);
      // Drawn in a little: background light may lie on the outermost hair, but no bright rim beside it.
      const onSubject = smoothstep(0.4, 1, m);
      const sx = ((x + 0.5) * subject.mask.width) / width - 0.5;
      const sy = ((y + 0.5) * subject.mask.height) / height - 0.5;
      // Focus falls off gently from the outline, so that no edge of the mask is ever seen as an edge.
      const sharp = Math.max(m, 0.8 * (1 - beyond) * smoothstep(0.05, 0.6, samplePlane(beside, sx, sy)));
      const corner = Math.hypot((x / width - 0.5) * 1.15, y / height - 0.5);
      const stops = onSubject * samplePlane(light.subject.exposure, sx, sy) +
        (1 - onSubject) * (samplePlane(light.background.exposure, sx, sy) - look.darken) -
        look.vignette * smoothstep(0.35, 0.8, corner) - 0.35 * beyond * request.strength;
      const warm = look.warmth + onSubject * 0.6 * samplePlane(light.subject.warmth, sx, sy) +
        (1 - onSubject) * (0.6 * samplePlane(light.background.warmth, sx, sy) + look.tint);
      for (let c = 0; c < 3; c++) {
        const soft = look.blur > 0 ? far[c]!.data[i]! : frame.rgb[i * 3 + c]!;
        const behind = soft + (farthest[c]!.data[i]! - soft) * beyond;
        const value = behind + (frame.rgb[i * 3 + c]! - behind) * sharp;
        row[x * 3 + c] = grade(value, stops, look.contrast, 1 + [0.075, 0.006, -0.095][c]! * warm);
      }
    }
    writeGrainyRow(row, y, pattern, level, out);
  }
  return { width, height, rgb: new Uint8Array(out.buffer) };
}

/** Exposure with film's soft shoulder: highlights never clip and blacks stay black. */
function grade(value: number, stops: number, contrast: number, gain: number): number {
  const v = clamp((value * gain) / 255, 0, 1);
  const power = 2 ** stops;
  const lit = power >= 1 ? 1 - (1 - v) ** power : v * power;
  const shaped = lit + contrast * (smoothstep(0, 1, lit) - lit) * 2;
  return 255 * shaped;
}

/** The mask at half the frame's size or less, its edges drawn along the picture's own. */
function fineMask(frame: Picture, subject: Subject): Plane {
  const scale = Math.min(1, 480 / Math.max(frame.width, frame.height));
  const width = Math.max(8, Math.round(frame.width * scale));
  const height = Math.max(8, Math.round(frame.height * scale));
  const guide = lumaOf(resizePicture(frame, width, height));
  for (let i = 0; i < guide.data.length; i++) guide.data[i] = guide.data[i]! / 255;
  const rough = resizePlane(subject.mask, width, height);
  return resizePlane(
    guidedFilter(guide, rough, Math.max(2, Math.round(width / 80)), 8e-4),
    frame.width,
    frame.height,
  );
}

/** The three channels blurred with nothing of the subject bleeding in, so that no halo shines around it. */
function blurBehind(frame: Picture, mask: Plane, sigma: number): Plane[] {
  const { width, height } = frame;
  const step = Math.max(1, Math.min(4, Math.floor(sigma / 2)));
  const w = Math.max(4, Math.round(width / step));
  const h = Math.max(4, Math.round(height / step));
  const weight = emptyPlane(width, height);
  for (let i = 0; i < weight.data.length; i++) weight.data[i] = (1 - mask.data[i]!) ** 2 + 1e-4;
  const smallWeight = softBlur(resizePlane(weight, w, h), sigma / step);
  return [0, 1, 2].map((c) => {
    const channel = emptyPlane(width, height);
    for (let i = 0; i < channel.data.length; i++) channel.data[i] = frame.rgb[i * 3 + c]! * weight.data[i]!;
    const blurred = softBlur(resizePlane(channel, w, h), sigma / step);
    for (let i = 0; i < blurred.data.length; i++) blurred.data[i] = blurred.data[i]! / smallWeight.data[i]!;
    return resizePlane(blurred, width, height);
  });
}
