import { workOf } from "#server/core/work.ts";
import type { Queryable } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import type { Estimate } from "#server/jobs/contract.ts";
import { estimateInTurn } from "#server/jobs/service.ts";
import { ingestTake, measureCut, measureTake, stitchCut } from "./job_kinds.ts";

interface PlannedWork {
  readonly width: number;
  readonly height: number;
  /** Frames to generate for each take; undefined where that is not known yet. */
  readonly takes: readonly (number | undefined)[];
  /** Of the cut. */
  readonly frames: number;
}

/**
 * How long the planned takes and the cut would take, one after the other; null when this workflow version never ran
 * here, so that nothing honest can be said.
 */
export async function estimatePlan(
  db: Queryable,
  workflowVersionId: string,
  { width, height, takes, frames }: PlannedWork,
): Promise<Estimate | null> {
  const work = workOf({ width, height, frames });
  const steps = takes.flatMap((count) => {
    const pixels = count === undefined ? undefined : workOf({ width, height, frames: count });
    return [
      { kind: generate.code, workflowVersionId, work: pixels, isNeeded: true },
      { kind: ingestTake.code, work: workOf({ frames: count }) },
      { kind: measureTake.code, work: pixels },
    ];
  });
  return await estimateInTurn(db, [...steps, { kind: stitchCut.code, work }, {
    kind: measureCut.code,
    work,
  }]);
}
