import type { Actor } from "#server/core/actor.ts";
import type { Lane } from "#server/core/job_kind.ts";
import type { Db } from "#server/db/db.ts";
import { requireAccess } from "#server/projects/service.ts";
import type { Estimate } from "./contract.ts";
import { forecastLane } from "./outlook.ts";
import * as queries from "./queries.ts";

export interface QueueForecast {
  readonly lanes: { lane: Lane; endsIn: Estimate | null }[];
  readonly endsIn: Estimate | null;
  readonly jobs: { jobId: string; startsIn: Estimate; endsIn: Estimate }[];
}

/** Jobs told of by themselves; the lanes count all. */
const MOST_TOLD = 2_000;

/**
 * When the queue is to be through, lane by lane, and each job of it that the actor may see. With a project, `endsIn`
 * is that of its last job. What nobody has seen before is left out of `jobs` and guessed in the lanes.
 */
export async function forecastQueue(
  db: Db,
  actor: Actor,
  all: readonly Lane[],
  { lane, projectId }: { lane?: Lane | undefined; projectId?: string | undefined },
): Promise<QueueForecast> {
  if (projectId) await requireAccess(db, actor, projectId, "job.read");
  const lanes: QueueForecast["lanes"] = [];
  const jobs: QueueForecast["jobs"] = [];
  for (const code of lane ? [lane] : all) {
    const line = await forecastLane(db, code);
    lanes.push({ lane: code, endsIn: line.all });
    const told = [...line.jobs].filter(([jobId]) => !line.guessed.has(jobId)).slice(0, MOST_TOLD);
    const seen = await queries.findVisible(db, actor, told.map(([jobId]) => jobId), projectId);
    for (const [jobId, times] of told) if (seen.has(jobId)) jobs.push({ jobId, ...times });
  }
  const ends = projectId ? jobs.map(({ endsIn }) => endsIn) : lanes.flatMap(({ endsIn }) => endsIn ?? []);
  return { lanes, jobs, endsIn: latest(ends) };
}

/** Lanes go on side by side, so the last of them is the end of all. */
function latest(ends: readonly Estimate[]): Estimate | null {
  if (ends.length === 0) return null;
  return {
    p50Ms: Math.max(...ends.map(({ p50Ms }) => p50Ms)),
    p90Ms: Math.max(...ends.map(({ p90Ms }) => p90Ms)),
  };
}
