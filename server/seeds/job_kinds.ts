import * as z from "zod/mini";
import { FileRef } from "#server/core/file_ref.ts";
import { jobKind } from "#server/core/job_kind.ts";

/** A face in a picture. Boxes and points are in pixels of that picture; angles in degrees. */
export const Face = z.object({
  box: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
  score: z.number(),
  eyeDistancePx: z.number(),
  yawDeg: z.number(),
  pitchDeg: z.number(),
  rollDeg: z.number(),
  /** 5 points: left eye, right eye, nose tip, left and right mouth corner (as seen in the picture). */
  points: z.array(z.object({ x: z.number(), y: z.number() })),
  eyesOpen: z.nullable(z.number()),
});
export type Face = z.infer<typeof Face>;

/** The model behind a score. Scores of different models are never compared. */
export const FaceModel = z.object({ name: z.string(), hash: z.string(), metric: z.string() });
export type FaceModel = z.infer<typeof FaceModel>;

/**
 * Measures a still: faces, sharpness, colour, a perceptual hash; against a portrait also likeness.
 * `likeness` is null, never 0, when it can't be told (no usable face on either side); then `likenessReason` says why.
 */
export const measureSeed = jobKind({
  code: "seeds.measure",
  lane: "cpu",
  thread: "vision",
  timeoutMs: 120_000,
  standsAlone: true,
  input: z.object({ image: FileRef, portrait: z.optional(FileRef) }),
  output: z.object({
    model: FaceModel,
    faces: z.array(Face),
    likeness: z.nullable(z.number()),
    likenessReason: z.optional(z.string()),
    sharpness: z.number(),
    meanLab: z.tuple([z.number(), z.number(), z.number()]),
    /** 64-bit difference hash, hex: near duplicates differ in few bits. */
    dhash: z.string(),
  }),
});
