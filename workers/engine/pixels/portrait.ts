import { checkPicture, type Picture, type Point } from "./picture.ts";
import { resizePicture } from "./resample.ts";
import type { FaceShape } from "./subject.ts";

/** What a portrait is cut from. */
export interface PortraitRequest {
  readonly foundation: Picture;
  /** Faces of the foundation; the first is taken. */
  readonly faces: readonly FaceShape[];
  /** Sides of the portrait. */
  readonly width: number;
  readonly height: number;
  /** Room around the face in face heights: 0 cuts at brow and chin, 0.6 shows head and shoulders' start. */
  readonly margin: number;
}

/**
 * The face cut out of a frame, turned upright and scaled. Outside of the frame its edge is continued. Throws
 * a RangeError that says why when there is no face to cut.
 */
export function cutPortrait(request: PortraitRequest): Picture {
  const { foundation, width, height, margin } = request;
  checkPicture(foundation);
  const face = request.faces[0];
  if (!face) {
    throw new RangeError(
      "Cannot derive a portrait: no face was found in the foundation. Use a frame in which the face is visible, " +
        "at least 24 pixels between the eyes, or give a portrait by hand",
    );
  }
  const angle = rollOf(face);
  const centre = middleOf(face, angle);
  const tall = Math.max(face.box.height, face.box.width * 1.15) * (1 + 2 * margin);
  const scale = Math.max(tall / height, (tall * 0.8) / width);
  return sampleTurned(foundation, centre, angle, scale, width, height);
}

/** Radians by which the line between the eyes is turned, clockwise. */
function rollOf(face: FaceShape): number {
  const [left, right] = face.points;
  if (!left || !right || Math.hypot(right.x - left.x, right.y - left.y) < 1) return 0;
  return Math.atan2(right.y - left.y, right.x - left.x);
}

/** A little above the face's middle, so that the hair has room. */
function middleOf({ box }: FaceShape, angle: number): Point {
  const up = box.height * 0.08;
  return {
    x: box.x + box.width / 2 + Math.sin(angle) * up,
    y: box.y + box.height / 2 - Math.cos(angle) * up,
  };
}

/** `scale` source pixels per output pixel. Shrinks by Lanczos first when needed, then samples by Lanczos3. */
function sampleTurned(
  source: Picture,
  centre: Point,
  angle: number,
  scale: number,
  width: number,
  height: number,
): Picture {
  const factor = Math.max(1, scale);
  const small = factor > 1.01
    ? resizePicture(
      source,
      Math.max(1, Math.round(source.width / factor)),
      Math.max(1, Math.round(source.height / factor)),
    )
    : source;
  const ratioX = small.width / source.width;
  const ratioY = small.height / source.height;
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  const out = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const u = x + 0.5 - width / 2;
      const v = y + 0.5 - height / 2;
      sampleLanczos(
        small,
        (centre.x + cos * u - sin * v) * ratioX - 0.5,
        (centre.y + sin * u + cos * v) * ratioY - 0.5,
        out,
        to,
      );
    }
  }
  return { width, height, rgb: new Uint8Array(out.buffer) };
}

const PHASES = 256;
const TAPS = Float32Array.from({ length: (PHASES + 1) * 6 }, (_, i) => {
  const phase = Math.floor(i / 6) / PHASES;
  const x = (i % 6) - 2 - phase;
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  const a = Math.PI * x;
  return (3 * Math.sin(a) * Math.sin(a / 3)) / (a * a);
});

function sampleLanczos(source: Picture, x: number, y: number, out: Uint8ClampedArray, to: number): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const across = Math.round((x - left) * PHASES) * 6;
  const down = Math.round((y - top) * PHASES) * 6;
  let red = 0;
  let green = 0;
  let blue = 0;
  let total = 0;
  for (let j = 0; j < 6; j++) {
    const row = Math.min(source.height - 1, Math.max(0, top - 2 + j)) * source.width;
    for (let i = 0; i < 6; i++) {
      const weight = TAPS[across + i]! * TAPS[down + j]!;
      const p = (row + Math.min(source.width - 1, Math.max(0, left - 2 + i))) * 3;
      red += source.rgb[p]! * weight;
      green += source.rgb[p + 1]! * weight;
      blue += source.rgb[p + 2]! * weight;
      total += weight;
    }
  }
  out[to] = red / total;
  out[to + 1] = green / total;
  out[to + 2] = blue / total;
}
