import * as z from "zod/mini";
import { FileRef } from "#server/core/file_ref.ts";
import { jobKind } from "#server/core/job_kind.ts";
import { Rate } from "#server/core/media_time.ts";
import { SpriteLayout } from "#server/core/sprite_layout.ts";
import { FaceModel } from "#server/seeds/job_kinds.ts";

/** Likeness over time against Seed A. Frames without a usable face have a null score; N/A is not 0. */
export const LikenessTrack = z.object({
  model: FaceModel,
  points: z.array(
    z.object({ frame: z.int(), score: z.nullable(z.number()), reason: z.optional(z.string()) }),
  ),
  median: z.nullable(z.number()),
  min: z.nullable(z.number()),
  /** Share of sampled frames with a usable face, 0–1. */
  coverage: z.number(),
});
export type LikenessTrack = z.infer<typeof LikenessTrack>;

/** A measure per frame: motion[t] is mean |Y_t − Y_{t−1}| on 8-bit luma 480 px wide; motion[0] is 0. */
export const FrameCurves = z.object({
  motion: z.array(z.number()),
  /** mean |Y_t − Y_{t−2}|, for the reversal test of the seam detector; [0] and [1] are 0. */
  motion2: z.array(z.number()),
  /** Variance of the Laplacian at a fixed width. */
  sharpness: z.array(z.number()),
  meanLuma: z.array(z.number()),
  meanLab: z.array(z.tuple([z.number(), z.number(), z.number()])),
  /** What of `motion` is grain and no motion, in the same unit (workers/vision/motion.ts). */
  noiseFloor: z.number(),
});
export type FrameCurves = z.infer<typeof FrameCurves>;

/**
 * Turns what a worker made into the lossless constant-rate intermediate that everything later reads.
 * A file that already is one (see workers/media) is taken as it is.
 */
export const ingestTake = jobKind({
  code: "clips.ingest_take",
  lane: "cpu",
  thread: "media",
  timeoutMs: 600_000,
  input: z.object({
    /** One video or animated image, or the still frames in order. */
    files: z.array(FileRef).check(z.minLength(1)),
    rate: Rate,
    expectedFrames: z.int(),
    /** Frames to leave out at the head: a continued segment repeats the frame it started from. */
    dropHead: z.int(),
  }),
  output: z.object({
    intermediate: FileRef,
    frameCount: z.int(),
    widthPx: z.int(),
    heightPx: z.int(),
    proxy: FileRef,
    poster: FileRef,
    sprite: FileRef,
    spriteLayout: SpriteLayout,
  }),
});

/** The least that counts as a take's typical motion over the noise: under half of it nothing is seen to move (luma levels). */
export const LEAST_TYPICAL_MOTION = 0.5;

/** Where the take may end, and what the stable end found there is worth (continuity.md E.2). */
export const EndChoice = z.object({
  /** Frame index in the intermediate; the take keeps 0…frame. */
  frame: z.int(),
  score: z.number(),
  /** 0–1, 1 is a perfectly calm frame. */
  stability: z.number(),
  rejected: z.array(z.object({ frame: z.int(), reason: z.string() })),
});
export type EndChoice = z.infer<typeof EndChoice>;

export const measureTake = jobKind({
  code: "clips.measure_take",
  lane: "cpu",
  thread: "vision",
  timeoutMs: 600_000,
  input: z.object({
    intermediate: FileRef,
    rate: Rate,
    frameCount: z.int(),
    portrait: z.optional(FileRef),
    /** Look for the end in target ± window; absent: measure only. `exact` takes the target as it is. */
    end: z.optional(z.object({ target: z.int(), window: z.int(), exact: z.boolean() })),
    requireFace: z.boolean(),
  }),
  output: z.object({
    curves: FrameCurves,
    likeness: z.nullable(LikenessTrack),
    end: z.nullable(EndChoice),
    /** The end frame as PNG: what the next segment starts from. */
    endImage: z.nullable(FileRef),
  }),
});

/** How generated frames become project frames (SPEC rule 12): none, or motion-compensated interpolation. */
export const ConformRule = z.enum(["none", "interpolate", "repeat_nearest"]);

export const stitchCut = jobKind({
  code: "clips.stitch",
  lane: "cpu",
  thread: "media",
  timeoutMs: 1_800_000,
  input: z.object({
    parts: z.array(z.object({
      file: FileRef,
      firstFrame: z.int(),
      frameCount: z.int(),
      /** So many frames are made of these, evenly in time and with both ends kept; absent: as they are. */
      retimedFrames: z.optional(z.int().check(z.minimum(1))),
    })).check(z.minLength(1)),
    sourceRate: Rate,
    rate: Rate,
    conform: ConformRule,
    /** Frames at `rate` that the cut must have, exactly. */
    frames: z.int(),
    widthPx: z.int(),
    heightPx: z.int(),
  }),
  output: z.object({
    /** H.264 High 4:2:0, near-lossless, bt.709 tagged, closed GOPs, IDR at each part start; exact rate, pts 0,1,2… */
    cut: FileRef,
    /** Lossless intermediate of the conformed cut: what is measured. */
    intermediate: FileRef,
    frameCount: z.int(),
    /** First frame of each part in the cut. */
    boundaries: z.array(z.int()),
    proxy: FileRef,
    poster: FileRef,
    sprite: FileRef,
    spriteLayout: SpriteLayout,
  }),
});

/** One seam, judged by the four signals of continuity.md E.5. */
export const Seam = z.object({
  frame: z.int(),
  jump: z.number(),
  reversal: z.nullable(z.number()),
  colorStep: z.number(),
  lumaStep: z.number(),
  sharpnessRatio: z.number(),
  verdict: z.enum(["pass", "warn", "fail"]),
  reasons: z.array(z.string()),
});
export type Seam = z.infer<typeof Seam>;

export const measureCut = jobKind({
  code: "clips.measure_cut",
  lane: "cpu",
  thread: "vision",
  timeoutMs: 1_200_000,
  input: z.object({
    intermediate: FileRef,
    rate: Rate,
    frameCount: z.int(),
    boundaries: z.array(z.int()),
    portrait: z.optional(FileRef),
    /**
     * Likeness already measured on the very same pixels against the same portrait, by frame of the cut: those frames
     * are not looked at again.
     */
    known: z.optional(z.object({
      model: FaceModel,
      points: z.array(z.object({ frame: z.int(), score: z.nullable(z.number()) })),
    })),
  }),
  output: z.object({ curves: FrameCurves, likeness: z.nullable(LikenessTrack), seams: z.array(Seam) }),
});
