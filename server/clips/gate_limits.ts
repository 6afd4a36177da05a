/** Beyond `warn` it is remarked, beyond `fail` it is a fault. */
export interface Limits {
  readonly warn: number;
  readonly fail: number;
}

/**
 * Limits of continuity.md E.2, E.4 and E.12: starting values, to be tuned on real renders. Colour and sharpness are
 * whole-frame statistics here, which a camera move changes too, so they are wider than E.4's for backgrounds.
 */
export const GATE_LIMITS = {
  /** Stability of an end that could be chosen; below 0.4 no rest was there. An exact end is never failed by motion. */
  stability: { warn: 0.4, fail: 0.1 },
  frozenFrames: 6,
  /** Change of mean luma, out and back within 4 frames. */
  flashLuma: 12,
  /** Distance of mean Lab of the last 8 kept frames from the reference's. */
  colour: { warn: 5, fail: 12 },
  /** Sharpness of the last 8 kept frames ÷ the reference's. */
  sharpness: { warn: 0.7, fail: 0.4 },
  /** Share of looked-at frames with a usable face, where a face is required. */
  coverage: { warn: 0.6, fail: 0.3 },
  maxWarnings: 2,
  /** Automatic new takes of a segment before a person is asked. */
  maxRerolls: 2,
} as const;
export type GateLimits = Omit<typeof GATE_LIMITS, "maxRerolls"> & { readonly maxRerolls: number };

/** Limits of one face model: its score, and how far it may fall against segment 1. */
export interface LikenessLimits {
  readonly score: Limits;
  readonly drop: Limits;
}

/** By the model's name: scores of different models are never compared. A model not listed here gates nothing. */
export const LIKENESS_LIMITS: Readonly<Record<string, LikenessLimits>> = {
  // 0.5 is this net's own limit between two people; its score falls steeply there, so drops are wide.
  "blazeface+facemesh+dlib-resnet": { score: { warn: 0.75, fail: 0.5 }, drop: { warn: 0.2, fail: 0.4 } },
};

/** Which of its limits a value is under. */
export function below(value: number, { warn, fail }: Limits): "warn" | "fail" | undefined {
  return value < fail ? "fail" : value < warn ? "warn" : undefined;
}

/** Which of its limits a value is over. */
export function above(value: number, { warn, fail }: Limits): "warn" | "fail" | undefined {
  return value > fail ? "fail" : value > warn ? "warn" : undefined;
}
