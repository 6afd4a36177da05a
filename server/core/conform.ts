import { type Rate, reduceRate, sameRate } from "./media_time.ts";

/** How generated frames become project frames; the words of the job kind `clips.stitch`. */
export type ConformMethod = "none" | "interpolate";

/**
 * The stated rule by which a clip generated at `nativeRate` is delivered at `rate` (SPEC rule 12).
 * `relabelled` says that frames are taken one for one although the model's nominal rate differs by up to 0.2 %
 * (24 counts as 24000/1001): nobody sees that, but a doubled or invented frame is seen.
 */
export interface Conform {
  readonly rate: Rate;
  readonly nativeRate: Rate;
  readonly method: ConformMethod;
  readonly relabelled: boolean;
}

/** Rates nearer than this are one rate under two names. */
const RELABEL_TOLERANCE = 0.002;

/**
 * The rate to generate at for a project at `rate`, and the rule to get from one to the other. With native rates
 * "any" it is the project's own; else the nearest by ratio, the higher of two that are equally near.
 */
export function planConform(rate: Rate, native: "any" | readonly Rate[]): Conform {
  const project = reduceRate(rate);
  if (native === "any") return { rate: project, nativeRate: project, method: "none", relabelled: false };
  const nearest =
    [...native].sort((a, b) => distance(a, project) - distance(b, project) || hertz(b) - hertz(a))[0];
  if (!nearest) throw new RangeError('The template names no native rate: list at least one, or say "any"');
  if (distance(nearest, project) < Math.log(1 + RELABEL_TOLERANCE)) {
    return { rate: project, nativeRate: project, method: "none", relabelled: !sameRate(nearest, project) };
  }
  return { rate: project, nativeRate: reduceRate(nearest), method: "interpolate", relabelled: false };
}

/**
 * How many frames must be generated for exactly `frames` project frames. Enough by both readings of a length:
 * the last project frame lies at or before the last generated one, so nothing is extrapolated, and the generated
 * frames last at least as long as the project frames, so a filter that counts durations finds enough too.
 */
export function nativeFrames(frames: number, conform: Conform): number {
  if (conform.method === "none") return frames;
  const { up, down } = ratio(conform);
  const reach = ceilDivide(BigInt(frames - 1) * up, down) + 1n;
  const duration = ceilDivide(BigInt(frames) * up, down);
  return Number(reach > duration ? reach : duration);
}

/** The first project frame at or after the start of generated frame `frame`. */
export function projectFrame(frame: number, conform: Conform): number {
  if (conform.method === "none") return frame;
  const { up, down } = ratio(conform);
  return Number(ceilDivide(BigInt(frame) * down, up));
}

/** Generated frames per project frame as an exact fraction; products of rates pass 2^53. */
function ratio({ rate, nativeRate }: Conform): { up: bigint; down: bigint } {
  return {
    up: BigInt(nativeRate.num) * BigInt(rate.den),
    down: BigInt(nativeRate.den) * BigInt(rate.num),
  };
}

function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

function hertz(rate: Rate): number {
  return rate.num / rate.den;
}

function distance(a: Rate, b: Rate): number {
  return Math.abs(Math.log(hertz(a) / hertz(b)));
}

/** Whether a template with these native rates may be asked for `rate`: one of them, or one under another name. */
export function isNativeRate(rate: Rate, native: "any" | readonly Rate[]): boolean {
  return native === "any" || native.some((own) => distance(own, rate) < Math.log(1 + RELABEL_TOLERANCE));
}
