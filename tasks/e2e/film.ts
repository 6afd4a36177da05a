import { createHash } from "node:crypto";
import type { Rate } from "#server/core/media_time.ts";
import { decodeFrames } from "#workers/media/lossless.ts";
import { readVideoFacts } from "#workers/media/probe.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { FrameMeter } from "#workers/vision/frame_meter.ts";

/** What a film shows when every frame of it is decoded. */
export interface Film {
  /** Frames that were decoded, and what the container says. */
  readonly frames: number;
  readonly statedFrames: number;
  readonly rate: Rate;
  readonly isConstantRate: boolean;
  readonly size: readonly [number, number];
  /** SHA-256 over the decoded pixels of all frames: equal for films that look alike to the last bit. */
  readonly hash: string;
  /** Frames that are the same as the one before, or hardly differ from it beside their neighbours. */
  readonly repeated: readonly number[];
  /** Luma levels by which a frame differs from the one before (continuity.md E.5). */
  readonly motion: { readonly min: number; readonly mean: number; readonly max: number };
  /** How much of that is grain. */
  readonly noise: number;
  /**
   * Luma levels by which blocks of 8×8 pixels differ from what they were half a second before, on average: the grain
   * is averaged away in them, so that this is the picture's own movement.
   */
  readonly drift: number;
  /** Most that one frame's motion exceeds the median of its twelve neighbours, as a factor. */
  readonly worstJump: number;
}

/** A frame that moves by less than this share of its neighbours' median stands still (continuity.md E.5). */
const REPEAT_SHARE = 0.15;

/** Decodes all of a video and measures it. Throws MediaError when it can't be decoded whole. */
export async function readFilm(tools: MediaTools, path: string): Promise<Film> {
  const facts = await readVideoFacts(tools, path);
  const hash = createHash("sha256");
  const meter = new FrameMeter(facts.widthPx, facts.heightPx);
  const same: number[] = [];
  const blocks: Float32Array[] = [];
  let last = "";
  for await (const frame of decodeFrames(tools, path, { pixelFormat: "rgb24" })) {
    const digest = createHash("sha256").update(frame).digest("hex");
    if (digest === last) same.push(meter.frameCount);
    last = digest;
    hash.update(digest);
    meter.push(frame);
    blocks.push(averageBlocks(frame, facts.widthPx, facts.heightPx));
  }
  const lag = Math.max(1, Math.round(facts.rate.num / facts.rate.den / 2));
  const drifts = blocks.slice(lag).map((block, index) => meanDistance(block, blocks[index] ?? block));
  const { motion, noiseFloor } = meter.curves();
  const moves = motion.slice(1);
  const around = moves.map((_, index) =>
    median(moves.filter((_, other) => other !== index && Math.abs(other - index) <= 6))
  );
  const still = moves.flatMap((move, index) => move < REPEAT_SHARE * (around[index] ?? 0) ? [index + 1] : []);
  return {
    frames: meter.frameCount,
    statedFrames: facts.frameCount,
    rate: facts.rate,
    isConstantRate: facts.isConstantRate ?? false,
    size: [facts.widthPx, facts.heightPx],
    hash: hash.digest("hex"),
    repeated: [...new Set([...same, ...still])].sort((a, b) => a - b),
    motion: {
      min: round(Math.min(...moves)),
      mean: round(moves.reduce((sum, move) => sum + move, 0) / Math.max(1, moves.length)),
      max: round(Math.max(...moves)),
    },
    noise: round(noiseFloor),
    drift: round(drifts.reduce((sum, drift) => sum + drift, 0) / Math.max(1, drifts.length)),
    worstJump: round(Math.max(...moves.map((move, index) => move / Math.max(0.05, around[index] ?? 0)))),
  };
}

const BLOCK = 8;

/** Mean luma of each whole block of 8×8 pixels. */
function averageBlocks(rgb: Uint8Array, width: number, height: number): Float32Array {
  const columns = Math.floor(width / BLOCK);
  const out = new Float32Array(columns * Math.floor(height / BLOCK));
  for (let index = 0; index < out.length; index++) {
    const left = (index % columns) * BLOCK;
    const top = Math.floor(index / columns) * BLOCK;
    let sum = 0;
    for (let y = top; y < top + BLOCK; y++) {
      for (let at = (y * width + left) * 3, end = at + BLOCK * 3; at < end; at += 3) {
        sum += 0.2126 * (rgb[at] ?? 0) + 0.7152 * (rgb[at + 1] ?? 0) + 0.0722 * (rgb[at + 2] ?? 0);
      }
    }
    out[index] = sum / (BLOCK * BLOCK);
  }
  return out;
}

function meanDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (const [index, value] of a.entries()) sum += Math.abs(value - (b[index] ?? 0));
  return sum / Math.max(1, a.length);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
