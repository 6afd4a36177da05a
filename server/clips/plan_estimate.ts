import type { Queryable } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import type { Estimate } from "#server/jobs/contract.ts";
import { ingestTake, measureCut, measureTake, stitchCut } from "./job_kinds.ts";
import { findUsualTimes, type UsualTime } from "./queries.ts";

const PER_TAKE = [generate.code, ingestTake.code, measureTake.code];
const PER_CUT = [stitchCut.code, measureCut.code];

/**
 * How long the planned takes and the cut would take, one after the other; null when this workflow version never ran
 * here, so that nothing honest can be said.
 */
export async function estimatePlan(
  db: Queryable,
  workflowVersionId: string,
  takes: number,
): Promise<Estimate | null> {
  const usual = await findUsualTimes(db, workflowVersionId, [...PER_TAKE, ...PER_CUT]);
  if (takes > 0 && !usual.some(({ kind }) => kind === generate.code)) return null;
  const total = (of: "p50Ms" | "p90Ms") =>
    Math.round(usual.reduce((sum, time) => sum + time[of] * timesDone(time, takes), 0));
  return { p50Ms: total("p50Ms"), p90Ms: total("p90Ms") };
}

function timesDone({ kind }: UsualTime, takes: number): number {
  return PER_TAKE.includes(kind) ? takes : 1;
}
