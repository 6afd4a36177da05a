import { type Conform, projectFrame } from "#server/core/conform.ts";
import { type GenerateStep, type Loop, loopBound, nextStep } from "./planner.ts";

export interface ForecastSegment {
  readonly index: number;
  readonly state: "accepted" | "next" | "later";
  readonly keepFrames: number;
  /** Null for accepted segments. */
  readonly generateFrames: number | null;
  readonly window: number;
  readonly exact: boolean;
  /** Where it starts in the cut, in project frames. */
  readonly firstFrame: number;
  /** Project frames it covers. */
  readonly frames: number;
}

export interface Forecast {
  readonly segments: readonly ForecastSegment[];
  readonly askedFrames: number;
  readonly generatedTotal: number;
  readonly bound: number;
  readonly conform: Conform;
  /** "Plan 144 frames · 3 segments". */
  readonly summary: string;
}

/**
 * The whole plan as it would run if every take ended on its target; shown before anything is generated. `remake` is an
 * accepted segment that is made again while the others stay.
 */
export function forecast(loop: Loop, accepted: readonly number[] = [], remake?: GenerateStep): Forecast {
  const kept = [...accepted];
  const steps = new Map<number, GenerateStep>();
  if (remake) {
    kept[remake.index] = remake.keepFrames;
    steps.set(remake.index, remake);
  }
  let step = nextStep(loop, kept);
  while (step.kind === "generate") {
    steps.set(step.index, step);
    kept.push(step.keepFrames);
    step = nextStep(loop, kept);
  }
  if (step.kind === "trim") kept.splice(step.index, kept.length, step.keepFrames);
  const segments = layOut(loop, kept, steps);
  const plural = segments.length === 1 ? "segment" : "segments";
  return {
    segments,
    askedFrames: loop.askedFrames,
    generatedTotal: [...steps.values()].reduce((sum, { generateFrames }) => sum + generateFrames, 0),
    bound: loopBound(loop),
    conform: loop.conform,
    summary: `Plan ${loop.askedFrames} frames · ${segments.length} ${plural}`,
  };
}

function layOut(
  loop: Loop,
  kept: readonly number[],
  steps: ReadonlyMap<number, GenerateStep>,
): ForecastSegment[] {
  const firstPlanned = Math.min(...steps.keys());
  let start = 0;
  return kept.map((keepFrames, index) => {
    const step = steps.get(index);
    const firstFrame = cutFrame(loop, start);
    start += keepFrames;
    const isClipEnd = index === kept.length - 1 && loop.lockedAfter === 0;
    const end = isClipEnd ? loop.askedFrames : cutFrame(loop, start);
    return {
      index,
      state: !step ? "accepted" : index === firstPlanned ? "next" : "later",
      keepFrames,
      generateFrames: step?.generateFrames ?? null,
      window: step?.end.window ?? 0,
      exact: step?.end.exact ?? true,
      firstFrame,
      frames: end - firstFrame,
    };
  });
}

/** A conformed cut may end between its last two generated frames: nothing starts after its end. */
function cutFrame(loop: Loop, frame: number): number {
  return Math.min(loop.askedFrames, projectFrame(frame, loop.conform));
}
