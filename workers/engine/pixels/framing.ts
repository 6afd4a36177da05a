import type { Draws } from "./draws.ts";
import { type Box, clamp, type Picture, smoothstep } from "./picture.ts";
import { evenly } from "./resample.ts";
import type { FaceShape } from "./subject.ts";

/** How much of a person the frame shows. "auto" lets the seed choose among what the picture can give. */
export const FRAMINGS = ["auto", "close", "medium", "wide"] as const;
export type Framing = (typeof FRAMINGS)[number];

/** Where the frame's pixels come from. */
export interface FramePlan {
  /** Source positions per column and row. */
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** Per column and row: 0 real picture … 1 far outside of it, where nothing is known. */
  readonly beyondX: Float32Array;
  readonly beyondY: Float32Array;
  /** Output pixels per source pixel in the middle. */
  readonly scale: number;
}

/** Face height as a share of the frame's. */
const FACE_SHARES = { close: 0.4, medium: 0.3, wide: 0.21 } as const;

/** Chooses the part of `picture` that fills a frame of this size, faces near a third and never stretched. */
export function planFrame(
  picture: Picture,
  face: FaceShape | undefined,
  focus: { x: number; y: number },
  size: { width: number; height: number },
  framing: Framing,
  draws: Draws,
): FramePlan {
  const aspect = size.width / size.height;
  const box = face
    ? boxAroundFace(picture, face.box, aspect, framing, draws)
    : boxAroundFocus(picture, focus, aspect, framing, draws);
  const core = face?.box ??
    {
      x: focus.x - box.width * 0.2,
      y: focus.y - box.height * 0.25,
      width: box.width * 0.4,
      height: box.height * 0.5,
    };
  const across = stretchAlong(
    box.x,
    box.width,
    size.width,
    picture.width,
    core.x - core.width * 0.7,
    core.x + core.width * 1.7,
  );
  const down = stretchAlong(
    box.y,
    box.height,
    size.height,
    picture.height,
    core.y - core.height * 0.7,
    picture.height,
  );
  return {
    xs: across.positions,
    ys: down.positions,
    beyondX: across.beyond,
    beyondY: down.beyond,
    scale: size.height / box.height,
  };
}

function boxAroundFace(picture: Picture, face: Box, aspect: number, framing: Framing, draws: Draws): Box {
  const share = faceShare(picture, face, aspect, framing, draws) * draws.between(0.94, 1.06);
  const height = Math.min(face.height / share, picture.height * 1.06);
  const width = height * aspect;
  const eyeX = face.x + face.width / 2;
  const eyeY = face.y + face.height * 0.38;
  const third = draws.pick([0.36, 0.42, 0.58, 0.64]);
  const line = draws.between(0.35, 0.4) + (share > 0.4 ? 0.03 : 0);
  return {
    x: clamp(eyeX - third * width, Math.min(0, picture.width - width), Math.max(0, picture.width - width)),
    // Never below the picture: a body has no made-up end.
    y: Math.min(eyeY - line * height, picture.height - height),
    width,
    height,
  };
}

function faceShare(picture: Picture, face: Box, aspect: number, framing: Framing, draws: Draws): number {
  const named = framing === "auto" ? draws.pick(["close", "medium", "medium", "wide"] as const) : framing;
  // Wider than the picture by more than a quarter would show more invention than picture.
  const smallest = face.height / Math.min(picture.height * 1.05, (picture.width * 1.25) / aspect);
  return clamp(
    FACE_SHARES[named],
    framing === "auto" ? Math.min(0.55, smallest * 1.02) : Math.min(0.5, smallest * 0.7),
    0.7,
  );
}

function boxAroundFocus(
  picture: Picture,
  focus: { x: number; y: number },
  aspect: number,
  framing: Framing,
  draws: Draws,
): Box {
  const whole = Math.min(picture.width / aspect, picture.height);
  const zoom = { auto: draws.between(1, 1.22), close: 1.4, medium: 1.15, wide: 1 }[framing];
  const height = whole / zoom;
  const width = height * aspect;
  const x = focus.x - draws.between(0.42, 0.58) * width;
  const y = focus.y - draws.between(0.46, 0.54) * height;
  return { x: clamp(x, 0, picture.width - width), y: clamp(y, 0, picture.height - height), width, height };
}

/** Outermost source pixels are spread over at most this many times their own width. */
const MOST_STRETCH = 1.7;

/**
 * Even positions over [start, start + span) where the source has them. What is missing beyond an edge is
 * given by spreading the source between `coreFrom`/`coreTo` and that edge outwards, more towards the edge;
 * what is missing still comes from the mirrored picture and counts as beyond.
 */
function stretchAlong(
  start: number,
  span: number,
  count: number,
  source: number,
  coreFrom: number,
  coreTo: number,
): { positions: Float64Array; beyond: Float32Array } {
  const positions = evenly(start, span, count);
  const beyond = new Float32Array(count);
  const low = spread(-start, Math.max(0, coreFrom));
  const high = spread(start + span - source, Math.max(0, source - coreTo));
  for (let i = 0; i < count; i++) {
    const at = positions[i]! + 0.5;
    const moved = at < source / 2 ? low(at) : source - high(source - at);
    positions[i] = moved - 0.5;
    const out = Math.max(-moved, moved - source);
    beyond[i] = smoothstep(-0.05 * span, 0.05 * span, out) *
      (start < -1 || start + span > source + 1 ? 1 : 0);
  }
  return { positions, beyond };
}

/** Maps distance from an edge (negative outside) to the source distance shown there. */
function spread(missing: number, free: number): (at: number) => number {
  if (missing <= 0 || free <= 0) return (at) => at;
  const least = 1 / MOST_STRETCH;
  const reach = free + missing;
  // With slope falling linearly from 1 to `end` over `reach`, the free source just fills it.
  const end = Math.max(least, 2 * (free / reach) - 1);
  return (at) => {
    if (at >= free) return at;
    const u = free - at;
    return free - u * (1 - ((1 - end) * u) / (2 * reach));
  };
}
