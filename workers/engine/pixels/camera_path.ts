import { type Draws, drawsFrom } from "./draws.ts";
import { type Box, clamp, smoothstep } from "./picture.ts";

/** Camera moves a director may name. "auto" lets seed and framing choose. */
export const CAMERA_MOVES = [
  "auto",
  "push_in",
  "pull_out",
  "pan_left",
  "pan_right",
  "tilt_up",
  "tilt_down",
  "orbit",
  "handheld",
  "still",
] as const;
export type CameraMove = (typeof CAMERA_MOVES)[number];

/** Where the camera is, against where it started. */
export interface CameraState {
  /** Natural logarithm of the magnification. */
  readonly zoom: number;
  /** How far the subject has moved in the frame, in frame widths (right) and heights (down). */
  readonly panX: number;
  readonly panY: number;
  /** How far near things have moved against far ones, in frame widths and heights. */
  readonly slideX: number;
  readonly slideY: number;
  /** Radians, clockwise. */
  readonly roll: number;
  /** −1 … 1: chest empty … full. */
  readonly breath: number;
}

/** Shares of the frame that may come in at an edge without stretching the subject. */
export interface EdgeRoom {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** What a path is made from. */
export interface PathRequest {
  readonly move: CameraMove;
  readonly seconds: number;
  readonly seed: number;
  /** 1 is a normal move, 0 almost none, 2 a lively one. */
  readonly amount: number;
  /** The face in shares of the frame; the path keeps it well framed. */
  readonly face: Box | undefined;
  /** How far the camera may look past each edge. */
  readonly room: EdgeRoom;
  /** The path must end where it began: another picture takes over there. */
  readonly closed: boolean;
}

/** The camera's state `t` seconds after the start; all zero at 0. */
export type CameraPath = (t: number) => CameraState;

/** Zoom per second that never stops: every segment starts and rests with it, so joints keep their speed. */
const DRIFT = 0.008;
/** The same for parallax (frame widths per second): the two change sign at different times, so one always moves. */
const SLIDE_DRIFT = 0.007;
/** The move is over after this share of the time; from there on the camera rests in its drift. */
const MOVE_SHARE = 0.8;

/** A move with ease in and out, curved so that it never stands still, resting near the end. */
export function planPath(request: PathRequest): CameraPath {
  const { seconds, amount } = request;
  const draws = drawsFrom(request.seed, "camera");
  const move = chooseMove(request, draws);
  const net = request.closed ? { zoom: 0, panX: 0, panY: 0 } : netMove(move, request);
  const arc = arcOf(move, request, draws);
  const effort = 0.25 + 0.75 * Math.min(1.5, amount);
  const drift = DRIFT * effort;
  const slide = SLIDE_DRIFT * effort;
  const hand = handheld(draws, (move === "handheld" ? 0.8 : 0.35) * (move === "still" ? 0.3 : 1) * amount);
  const breathRate = draws.between(0.22, 0.3);
  const over = seconds * MOVE_SHARE;
  return (t) => {
    const done = ease(t / over);
    const out = bump(t / over);
    const aside = loop(t / over);
    const calm = 1 - smoothstep(0.4, 0.78, t / seconds);
    const life = smoothstep(0, Math.min(0.9, seconds / 3), t) * calm;
    const shake = hand(t);
    return {
      zoom: drift * t + (net.zoom - drift * seconds) * done + arc.zoom * out + arc.swing * aside,
      panX: net.panX * done + arc.panX * out + shake.x * life,
      panY: net.panY * done + arc.panY * out + shake.y * life,
      slideX: slide * (t - seconds * done) + arc.slideX * out,
      slideY: arc.slideY * aside,
      roll: shake.roll * life,
      breath: Math.sin(2 * Math.PI * breathRate * t) * life,
    };
  };
}

const WORDS: readonly (readonly [RegExp, CameraMove])[] = [
  [/\b(hand[- ]?held|shaky|documentary)\b/i, "handheld"],
  [/\b(orbit\w*|arc (shot|around)|circl\w+|around (her|him|them|the))\b/i, "orbit"],
  [/\b(pull(s|ing)?[- ](back|out|away)|zoom(s|ing)?[- ]out|dolly[- ](out|back)|reveal\w*)\b/i, "pull_out"],
  [/\b(push(es|ing)?[- ]in|zoom(s|ing)?[- ]in|dolly[- ]in|mov\w+ closer|close(s|ing) in)\b/i, "push_in"],
  [/\b(pan|truck|track|slid)\w*( \w+){0,3} left\b/i, "pan_left"],
  [/\b(pan|truck|track|slid)\w*( \w+){0,3} right\b/i, "pan_right"],
  [/\b(tilt|crane|boom|ris)\w*( \w+){0,3} up(wards?)?\b/i, "tilt_up"],
  [/\b(tilt|crane|boom|lower)\w*( \w+){0,3} down(wards?)?\b/i, "tilt_down"],
  [/\b(static|locked[- ]off|tripod|still) (shot|camera|frame)\b/i, "still"],
];

/** The first camera move that a prompt names in plain English; undefined when it names none. */
export function moveFromPrompt(prompt: string): CameraMove | undefined {
  return WORDS.find(([word]) => word.test(prompt))?.[1];
}

/** Face heights (shares of the frame) that a shot should stay between. */
const SIZES = { smallest: 0.13, largest: 0.58 };
const SHOTS = [0.17, 0.26, 0.38, 0.52];
const THIRDS = [0.37, 0.5, 0.63];
const EYE_LINE = 0.39;

function chooseMove(request: PathRequest, draws: Draws): CameraMove {
  const dice = draws.unit();
  const flip = draws.unit();
  if (request.move !== "auto") return request.move;
  if (dice < 0.5) {
    const want = request.face ? wantedZoom(request.face) : 0;
    if (flip < 1 / (1 + Math.exp(-want / 0.04))) return "push_in";
    return widest(request.room) > 0.025 ? "pull_out" : "orbit";
  }
  if (dice < 0.75) {
    const want = request.face ? wantedPan(request.face).x : 0;
    return flip < 1 / (1 + Math.exp(-want / 0.02)) ? "pan_left" : "pan_right";
  }
  return "orbit";
}

function wantedZoom(face: Box): number {
  const nearest = nearestOf(SHOTS.map(Math.log), Math.log(face.height));
  return nearest - Math.log(face.height);
}

function wantedPan(face: Box): { x: number; y: number } {
  const x = face.x + face.width / 2;
  const off = EYE_LINE - (face.y + face.height * 0.4);
  return { x: nearestOf(THIRDS, x) - x, y: off - clamp(off, -0.05, 0.05) };
}

function nearestOf(values: readonly number[], to: number): number {
  return values.reduce((best, value) => (Math.abs(value - to) < Math.abs(best - to) ? value : best));
}

/** How far the camera can pull out before it would have to stretch the subject. */
function widest(room: EdgeRoom): number {
  return Math.min(room.top + room.bottom, room.left + room.right);
}

interface Net {
  zoom: number;
  panX: number;
  panY: number;
}

/** Where the segment ends up: as far as the move and the time allow, less where the framing would suffer. */
function netMove(move: CameraMove, { seconds, amount, face, room }: PathRequest): Net {
  const far = (perSecond: number, most: number) =>
    Math.min(most, perSecond * seconds) * Math.min(1.6, amount);
  const net: Net = { zoom: 0, panX: 0, panY: 0 };
  if (move === "push_in") net.zoom = far(0.02, 0.1);
  if (move === "pull_out") net.zoom = -Math.min(far(0.013, 0.055), widest(room));
  if (move === "pan_left") net.panX = far(0.012, 0.06);
  if (move === "pan_right") net.panX = -far(0.012, 0.06);
  if (move === "tilt_up") net.panY = far(0.01, 0.05);
  if (move === "tilt_down") net.panY = -far(0.01, 0.05);
  // With no face there is nothing to steer by, so moves keep closer to where they were.
  if (!face) return { zoom: net.zoom * 0.4, panX: net.panX * 0.4, panY: net.panY * 0.4 };
  return frameWell(net, face, Math.min(1, amount));
}

function frameWell(net: Net, face: Box, effort: number): Net {
  const pan = wantedPan(face);
  const x = face.x + face.width / 2;
  const y = face.y + face.height * 0.4;
  const zoom = net.zoom === 0 ? effort * clamp(wantedZoom(face) * 0.25, -0.015, 0.015) : net.zoom;
  return {
    zoom: clamp(zoom, Math.min(0, Math.log(SIZES.smallest / face.height)), roomBelow(face)),
    panX: clamp(
      net.panX === 0 ? effort * clamp(pan.x * 0.4, -0.02, 0.02) : net.panX,
      Math.min(0, 0.3 - x),
      Math.max(0, 0.7 - x),
    ),
    panY: clamp(
      net.panY + effort * clamp(pan.y * 0.4, -0.02, 0.02),
      Math.min(0, 0.3 - y),
      Math.max(0, 0.58 - y),
    ),
  };
}

function roomBelow(face: Box): number {
  const room = Math.log(SIZES.largest / face.height);
  return room > 0 ? room : Math.max(-0.04, room);
}

type Arc = Pick<CameraState, "zoom" | "panX" | "panY" | "slideX" | "slideY"> & { readonly swing: number };

/** The way out and back on top of the net move: the camera travels along curves, as on a track. */
function arcOf(move: CameraMove, { seconds, amount, closed }: PathRequest, draws: Draws): Arc {
  const reach = Math.min(1.5, seconds / 3) * Math.min(1.8, amount);
  const side = draws.sign();
  const rise = draws.between(0.3, 0.6) * draws.sign();
  const wide = move === "orbit" ? 0.024 : move === "still" ? 0.003 : 0.018;
  return {
    zoom: closed && move !== "still" ? 0.03 * reach : 0,
    panX: (move === "orbit" ? -0.006 : move === "still" ? 0 : -0.003) * side * reach,
    panY: 0,
    slideX: wide * side * reach,
    slideY: wide * rise * reach,
    swing: move === "orbit" ? 0.009 * draws.sign() * reach : 0,
  };
}

/** Slow irregular sway of a held camera; zero at the start. */
function handheld(draws: Draws, amount: number): (t: number) => { x: number; y: number; roll: number } {
  const waves = [0.31, 0.53, 0.87].map((rate, i) => ({
    rate: rate * draws.between(0.85, 1.15),
    size: [1, 0.6, 0.3][i]!,
    x: draws.between(0, 2 * Math.PI),
    y: draws.between(0, 2 * Math.PI),
    roll: draws.between(0, 2 * Math.PI),
  }));
  const sum = (t: number, phase: "x" | "y" | "roll") =>
    waves.reduce((total, wave) => {
      const swing = Math.sin(2 * Math.PI * wave.rate * t + wave[phase]) - Math.sin(wave[phase]);
      return total + wave.size * swing;
    }, 0);
  return (t) => ({
    x: 0.0045 * amount * sum(t, "x"),
    y: 0.0055 * amount * sum(t, "y"),
    roll: 0.0022 * amount * sum(t, "roll"),
  });
}

/** 0 to 1, speed 60·t²·(1−t)³: sets off gently, is fastest at two fifths and comes to rest slowly. */
function ease(value: number): number {
  const t = clamp(value, 0, 1);
  return t * t * t * (20 + t * (-45 + t * (36 - 10 * t)));
}

/** 0 at both ends, 1 between, with no speed at the ends. */
function bump(value: number): number {
  return Math.sin(Math.PI * pace(value)) ** 2;
}

/** 0 at both ends and where `bump` turns, fastest there: with it a way out and back is a loop, not a stop. */
function loop(value: number): number {
  const u = Math.PI * pace(value);
  return Math.sin(2 * u) * Math.sin(u);
}

function pace(value: number): number {
  const t = clamp(value, 0, 1);
  return 0.35 * t + 0.65 * ease(t);
}
