import type { CameraState, EdgeRoom } from "./camera_path.ts";
import { clamp, emptyPlane, type Plane, smoothstep } from "./picture.ts";
import { resizePlane, softBlur } from "./planes.ts";
import { CELL, emptyField, type Field, PAD } from "./spline_warp.ts";
import type { Subject } from "./subject.ts";

/** How a picture stands in space, on the nodes of a displacement field. */
export interface Stage {
  readonly width: number;
  readonly height: number;
  /** 0 far … 1 near, smooth: subjects move as one piece and the stretch falls on the background around them. */
  readonly depth: Plane;
  /** How much breathing lifts each place. */
  readonly chest: Plane;
  /** Where the camera points, in pixels. */
  readonly pivotX: number;
  readonly pivotY: number;
  /** How far each edge may give way. */
  readonly room: EdgeRoom;
  /** The share of the frame at each edge that is free of the subject's head. */
  readonly clear: EdgeRoom;
}

/** How much faster near things grow than far ones while the camera pushes in. */
const ZOOM_DEPTH = 0.3;
/** A full breath moves the chest by this share of the height. */
const BREATH = 0.0042;
/** The share of the frame over which edges give way instead of showing what was never there. */
const GIVE = 0.27;
const LEAST_GIVE = 0.04;
const WIDE_GIVE = 0.45;

/** Stands the subject in front of its background. Width and height are those of the frame. */
export function buildStage(subject: Subject, width: number, height: number): Stage {
  const field = emptyField(width, height);
  const { columns, rows } = field;
  const small = subject.mask;
  const near = softBlur(small, small.width * 0.022);
  for (let i = 0; i < near.data.length; i++) near.data[i] = smoothstep(0.06, 0.6, near.data[i]!);
  const body = resizePlane(softBlur(near, small.width * 0.028), 96, Math.round((96 * height) / width));
  const depth = emptyPlane(columns, rows);
  const chest = emptyPlane(columns, rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const x = (i * CELL) / width;
      const y = (j * CELL) / height;
      const solid = sampleShare(body, x, y);
      const floor = 0.14 + 0.22 * smoothstep(0.35, 1.1, y);
      depth.data[j * columns + i] = Math.max(solid, floor) * 0.85 + 0.15 * roundness(subject, x, y);
      chest.data[j * columns + i] = solid * chestShare(subject, y);
    }
  }
  const clear = clearance(subject);
  return {
    width,
    height,
    depth,
    chest,
    pivotX: subject.focus.x * width,
    pivotY: subject.focus.y * height,
    room: roomBeside(clear),
    clear,
  };
}

/** How much of the frame lies free at each edge. Under a face there is a body, which may be cut anywhere. */
function clearance({ mask, face }: Subject): EdgeRoom {
  const { width, height, data } = mask;
  const lowest = face ? Math.ceil((face.y + face.height) * height) : height;
  let top = height;
  let bottom = height;
  let left = width;
  let right = width;
  for (let i = 0; i < data.length; i++) {
    const y = Math.floor(i / width);
    if (data[i]! < 0.5 || y > lowest) continue;
    const x = i - y * width;
    top = Math.min(top, y);
    bottom = Math.min(bottom, height - 1 - y);
    left = Math.min(left, x);
    right = Math.min(right, width - 1 - x);
  }
  return {
    top: top / height,
    right: right / width,
    bottom: face ? 0.5 : bottom / height,
    left: left / width,
  };
}

function roomBeside(clear: EdgeRoom): EdgeRoom {
  const room = (share: number) => clamp(share * 0.14, 0.004, 0.05);
  return {
    top: room(clear.top),
    right: room(clear.right),
    bottom: room(clear.bottom),
    left: room(clear.left),
  };
}

/** Shifts the camera so that no edge gives way further than its room; smooth, as a spring. */
function heldInRoom(stage: Stage, state: CameraState): CameraState {
  const { width, height, pivotX, pivotY, room } = stage;
  const grow = Math.exp(-state.zoom) - 1;
  const x = pivotX / width;
  const y = pivotY / height;
  const pastLeft = excess(state.panX + grow * x, room.left);
  const pastRight = excess(-state.panX + grow * (1 - x), room.right);
  const pastTop = excess(state.panY + grow * y, room.top);
  const pastBottom = excess(-state.panY + grow * (1 - y), room.bottom);
  return { ...state, panX: state.panX - pastLeft + pastRight, panY: state.panY - pastTop + pastBottom };
}

/** What of `over` lies above `limit`, coming in softly from half of it. */
function excess(over: number, limit: number): number {
  const knee = limit / 2;
  if (over <= knee) return 0;
  return over - knee - knee * Math.tanh((over - knee) / knee);
}

/** The displacement of every pixel when the camera is in `state`. No output pixel looks past the picture's edge. */
export function fieldFor(stage: Stage, wanted: CameraState): Field {
  const state = heldInRoom(stage, wanted);
  const { width, height, depth, chest, pivotX, pivotY } = stage;
  const field = emptyField(width, height);
  const cos = Math.cos(state.roll);
  const sin = Math.sin(state.roll);
  for (let j = 0, at = 0; j < field.rows; j++) {
    for (let i = 0; i < field.columns; i++, at++) {
      const near = depth.data[at]! - 0.6;
      const scale = Math.exp(-state.zoom * (1 + ZOOM_DEPTH * near));
      const x = (i * CELL - pivotX) * scale;
      const y = (j * CELL - pivotY) * scale;
      const sway = chest.data[at]! * state.breath * BREATH * height;
      field.dx[at] = pivotX + cos * x + sin * y - (state.panX + state.slideX * near) * width - i * CELL;
      field.dy[at] = pivotY - sin * x + cos * y - (state.panY + state.slideY * near) * height - j * CELL +
        sway;
    }
  }
  holdEdges(field, { ...stage, clear: { top: 1, right: 1, bottom: 1, left: 1 } }, WIDE_GIVE);
  return field;
}

/** Adds another field, holding the frame's edges again, over a wide band: a crossing moves far. */
export function addField(field: Field, other: Field, stage: Stage): Field {
  for (let at = 0; at < field.dx.length; at++) {
    field.dx[at] = field.dx[at]! + other.dx[at]!;
    field.dy[at] = field.dy[at]! + other.dy[at]!;
  }
  holdEdges(field, stage);
  return field;
}

/**
 * Where the camera would look past an edge, the last quarter of the frame gives way like cloth pinned at that
 * edge: content comes in stretched by a few percent instead of mirrored or black.
 */
function holdEdges(field: Field, { width, height, clear }: Stage, give = GIVE): void {
  const { columns, rows, dx, dy } = field;
  for (let j = 0; j < rows; j++) {
    const right = edgeAt(width, columns);
    const overLeft = Math.max(0, -dx[j * columns]!);
    const last = j * columns + columns - 1;
    const overRight = Math.max(0, mix(dx[last - 1]!, dx[last]!, right));
    for (let i = 0; i < columns; i++) {
      const at = j * columns + i;
      const source = giveWay(
        i * CELL + dx[at]!,
        width - 1,
        [overLeft, clear.left],
        [overRight, clear.right],
        give,
      );
      dx[at] = source - i * CELL;
    }
  }
  for (let i = 0; i < columns; i++) {
    const bottom = edgeAt(height, rows);
    const overTop = Math.max(0, -dy[i]!);
    const last = (rows - 1) * columns + i;
    const overBottom = Math.max(0, mix(dy[last - columns]!, dy[last]!, bottom));
    for (let j = 0; j < rows; j++) {
      const at = j * columns + i;
      const source = giveWay(
        j * CELL + dy[at]!,
        height - 1,
        [overTop, clear.top],
        [overBottom, clear.bottom],
        give,
      );
      dy[at] = source - j * CELL;
    }
  }
}

/** How far between the last two nodes the last pixel lies. */
function edgeAt(size: number, nodes: number): number {
  return (size - 1) / CELL - (nodes - 2);
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** How far an edge must give way, in pixels, and the free share of the frame beside it. */
type Edge = readonly [over: number, clear: number];

/** Maps [−before, last + after] onto [0, last]: unchanged in the middle, without a kink. */
function giveWay(at: number, last: number, before: Edge, after: Edge, give: number): number {
  const bandBefore = last * clamp(before[1], LEAST_GIVE, give);
  const bandAfter = last * clamp(after[1], LEAST_GIVE, give);
  let source = at;
  if (before[0] > 0 && at < bandBefore) source = bend(at, bandBefore, before[0]);
  if (after[0] > 0 && last - at < bandAfter) source = last - bend(last - at, bandAfter, after[0]);
  // Nodes beyond the frame only steer the last cell; the mirrored margin holds what they reach.
  return clamp(source, -PAD + 3, last + PAD - 3);
}

/** A parabola through (−over, 0) that meets the identity at `band` with slope 1. */
function bend(at: number, band: number, missing: number): number {
  // More than the band holds would fold it: what is left over shows the mirrored margin.
  const over = Math.min(missing, band * 0.9);
  const span = band + over;
  const t = (band - at) / span;
  return band - span * t + over * t * t;
}

function sampleShare(plane: Plane, x: number, y: number): number {
  const column = clamp(Math.round(x * plane.width - 0.5), 0, plane.width - 1);
  const row = clamp(Math.round(y * plane.height - 0.5), 0, plane.height - 1);
  return plane.data[row * plane.width + column]!;
}

/** A face is nearest at the nose and falls away to the ears. */
function roundness(subject: Subject, x: number, y: number): number {
  const { face } = subject;
  if (!face) return 0.5;
  const u = (x - face.x - face.width / 2) / (face.width * 0.95);
  const v = (y - face.y - face.height / 2) / (face.height * 0.95);
  return Math.exp(-(u * u + v * v));
}

/** Breath shows most below the collar and carries the head along a little. */
function chestShare(subject: Subject, y: number): number {
  if (!subject.face) return 0.8;
  const chin = subject.face.y + subject.face.height;
  return 0.35 + 0.65 * smoothstep(chin - subject.face.height * 0.3, chin + subject.face.height * 0.9, y);
}
