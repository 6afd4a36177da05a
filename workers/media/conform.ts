import { formatRate, type Rate, sameRate } from "#server/core/media_time.ts";
import type { ConformRule } from "#server/clips/job_kinds.ts";
import type * as z from "zod/mini";
import { MediaError } from "./media_error.ts";

export type ConformRuleName = z.infer<typeof ConformRule>;

export interface ConformPlan {
  readonly rule: ConformRuleName;
  readonly sourceRate: Rate;
  readonly rate: Rate;
  /** Frames at the source rate. */
  readonly sourceFrames: number;
  /** Frames at the target rate, to be met exactly. */
  readonly frames: number;
}

/**
 * The filters that turn `sourceFrames` at the source rate into exactly `frames` at the rate. With "none"
 * there are none and no frame is altered; then rates and counts must agree, else a MediaError says so.
 */
export function conformFilters(plan: ConformPlan): string[] {
  const { rule, sourceRate, rate, sourceFrames, frames } = plan;
  if (rule === "none" || (sameRate(sourceRate, rate) && sourceFrames === frames)) {
    if (!sameRate(sourceRate, rate)) {
      throw new MediaError(
        `The parts run at ${formatRate(sourceRate)} and the cut at ${
          formatRate(rate)
        }: choose a rule that conforms them`,
        "unsupported",
      );
    }
    if (sourceFrames !== frames) {
      throw new MediaError(
        `The parts have ${sourceFrames} frames and the cut asks for ${frames}: they must agree`,
        "unsupported",
      );
    }
    return [];
  }
  // enough copies of the last frame that neither look-ahead nor rounding can leave the end short
  const spare = 4 + Math.ceil((frames * sourceRate.num * rate.den) / (sourceRate.den * rate.num)) -
    sourceFrames;
  const hold = `tpad=stop=${Math.max(4, spare)}:stop_mode=clone`;
  const end = [`trim=end_frame=${frames}`, "format=gbrp"];
  if (rule === "repeat_nearest") return [hold, `fps=fps=${formatRate(rate)}:start_time=0:round=near`, ...end];
  // measured on a 768×512 pan with a moving subject, 16 → 24: bilateral search and plain overlap made new frames
  // 1 dB nearer to the truth than bidirectional with adaptive overlap, in half the time (0.11 s of CPU each)
  const motion = `minterpolate=fps=${formatRate(rate)}:mi_mode=mci:mc_mode=obmc:me_mode=bilat`;
  const toYuv = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv444p";
  const toRgb = "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int,format=gbrp";
  return [hold, toYuv, motion, `trim=end_frame=${frames}`, toRgb];
}

/** Where a frame at the source rate falls at the target rate; for boundaries. */
export function conformFrame(
  frame: number,
  plan: Pick<ConformPlan, "sourceRate" | "rate" | "frames">,
): number {
  const { sourceRate, rate, frames } = plan;
  return Math.min(frames - 1, Math.round((frame * sourceRate.den * rate.num) / (sourceRate.num * rate.den)));
}
