import type { Draws } from "./draws.ts";
import { clamp, emptyPlane, type Plane, smoothstep } from "./picture.ts";
import { softBlur } from "./planes.ts";
import type { Subject } from "./subject.ts";

/** Where the key light stands. "auto" lets the seed choose. */
export const LIGHTS = ["auto", "left", "right", "above", "front", "rim", "none"] as const;
export type Light = (typeof LIGHTS)[number];

/** Brightness and warmth that a light adds, per place: 0 leaves the pixel as it is. */
export interface LightMap {
  readonly subject: LightPlanes;
  /** What falls on the background. Apart from the subject's, so that the two meet only at its fine outline. */
  readonly background: LightPlanes;
}

interface LightPlanes {
  /** In stops, about −0.6 … 0.6. */
  readonly exposure: Plane;
  /** −1 cool … 1 warm. */
  readonly warmth: Plane;
}

/** Light on a subject as on a softly rounded body, and its fall-off over the background behind. */
export function castLight(subject: Subject, light: Light, strength: number, draws: Draws): LightMap {
  const { mask } = subject;
  const named = light === "auto"
    ? draws.pick(["left", "right", "left", "right", "above", "rim"] as const)
    : light;
  const jitter = draws.between(-0.35, 0.35);
  const warm = draws.between(0.35, 1) * (draws.unit() < 0.7 ? 1 : -0.7);
  const power = draws.between(0.75, 1.1) * strength;
  const empty = () => emptyPlane(mask.width, mask.height);
  const map = {
    subject: { exposure: empty(), warmth: empty() },
    background: { exposure: empty(), warmth: empty() },
  };
  if (named === "none") return map;
  const direction = directionOf(named, jitter);
  const relief = reliefOf(subject);
  for (let y = 0, i = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++, i++) {
      const facing = facingOf(relief, x, y, direction);
      const behind = behindOf(subject, x / mask.width, y / mask.height, direction, named);
      map.subject.exposure.data[i] = power * facing * 1.7;
      map.subject.warmth.data[i] = power * warm * facing;
      map.background.exposure.data[i] = power * behind;
      map.background.warmth.data[i] = power * warm * 0.5 * behind;
    }
  }
  const soft = (planes: LightPlanes): LightPlanes => ({
    exposure: softBlur(planes.exposure, mask.width / 70),
    warmth: softBlur(planes.warmth, mask.width / 70),
  });
  return { subject: soft(map.subject), background: map.background };
}

type Direction = readonly [x: number, y: number, z: number];

function directionOf(light: Exclude<Light, "auto" | "none">, jitter: number): Direction {
  const angles = { left: Math.PI + 0.55, right: -0.55, above: -Math.PI / 2, front: -Math.PI / 2, rim: -0.9 };
  const angle = angles[light] + jitter;
  const height = { left: 0.75, right: 0.75, above: 0.8, front: 2, rim: 0.35 }[light];
  const x = Math.cos(angle);
  const y = Math.sin(angle);
  const length = Math.hypot(x, y, height);
  return [x / length, y / length, height / length];
}

/** A smooth relief: shoulders like a wide cushion, the face an egg on top of it. */
function reliefOf({ mask, face }: Subject): Plane {
  const wide = softBlur(mask, mask.width * 0.055);
  const relief = emptyPlane(mask.width, mask.height);
  for (let i = 0; i < relief.data.length; i++) {
    relief.data[i] = Math.sqrt(Math.max(0, wide.data[i]!)) * mask.width * 0.1;
  }
  if (!face) return relief;
  const rx = face.width * mask.width * 0.72;
  const ry = face.height * mask.height * 0.72;
  const cx = (face.x + face.width / 2) * mask.width;
  const cy = (face.y + face.height * 0.47) * mask.height;
  for (let y = 0, i = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++, i++) {
      const inside = 1 - ((x - cx) / rx) ** 2 - ((y - cy) / ry) ** 2;
      if (inside > 0) {
        relief.data[i] = relief.data[i]! + Math.sqrt(inside) * rx * 0.75 * smoothstep(0, 0.5, inside);
      }
    }
  }
  return softBlur(relief, mask.width / 90);
}

/** −1 turned away … 1 facing the light. */
function facingOf(relief: Plane, x: number, y: number, light: Direction): number {
  const { width, height, data } = relief;
  const at = y * width + x;
  const dx = (data[at + (x < width - 1 ? 1 : 0)]! - data[at - (x > 0 ? 1 : 0)]!) / 2;
  const dy = (data[at + (y < height - 1 ? width : 0)]! - data[at - (y > 0 ? width : 0)]!) / 2;
  const length = Math.hypot(dx, dy, 1);
  const lambert = (-dx * light[0] - dy * light[1] + light[2]) / length;
  return clamp((lambert - light[2]) * 1.15, -1, 1);
}

/** A pool of light on the wall, on the side away from the key; darker towards the frame's far corners. */
function behindOf(subject: Subject, x: number, y: number, light: Direction, named: Light): number {
  const away = named === "rim" ? 0.5 : -0.28;
  const u = (x - subject.focus.x - away * light[0] * 0.6) / 0.62;
  const v = (y - subject.focus.y + 0.05) / 0.75;
  const pool = Math.exp(-(u * u + v * v));
  return 1.0 * pool - 0.7;
}
