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
  let last = "";
  for await (const frame of decodeFrames(tools, path, { pixelFormat: "rgb24" })) {
    const digest = createHash("sha256").update(frame).digest("hex");
    if (digest === last) same.push(meter.frameCount);
    last = digest;
    hash.update(digest);
    meter.push(frame);
  }
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
    worstJump: round(Math.max(...moves.map((move, index) => move / Math.max(0.05, around[index] ?? 0)))),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
