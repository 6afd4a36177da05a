import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import type { Db } from "#server/db/db.ts";
import { changeJob } from "./change_job.ts";
import type { Job, JobSteering } from "./contract.ts";
import { cancelJob, holdJob, releaseJob, retryJob } from "./service.ts";
import type { Settlement } from "./settle.ts";

interface Steered {
  items: Job[];
  refused: { jobId: Job["id"]; reason: string }[];
}

/**
 * Does the same to each of the jobs, in their order and each by the rules of its own request; what refuses one stops
 * no other. Throws the first refusal where all were refused.
 */
export async function steerJobs(
  db: Db,
  actor: Actor,
  steering: JobSteering,
  settlements: readonly Settlement[],
): Promise<Steered> {
  const steered: Steered = { items: [], refused: [] };
  let first: AppError | undefined;
  for (const jobId of new Set(steering.jobIds)) {
    try {
      steered.items.push(await steerOne(db, actor, jobId, steering, settlements));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      first ??= error;
      steered.refused.push({ jobId, reason: error.message });
    }
  }
  if (first && steered.items.length === 0) throw first;
  return steered;
}

async function steerOne(
  db: Db,
  actor: Actor,
  jobId: string,
  steering: JobSteering,
  settlements: readonly Settlement[],
): Promise<Job> {
  if ("priority" in steering) return await changeJob(db, actor, jobId, { priority: steering.priority });
  switch (steering.verb) {
    case "hold":
      return await holdJob(db, actor, jobId);
    case "release":
      return await releaseJob(db, actor, jobId);
    case "retry":
      return await retryJob(db, actor, jobId, settlements);
    case "cancel":
    case "cancel_with_dependents": {
      const withDependents = steering.verb === "cancel_with_dependents";
      return await cancelJob(db, actor, jobId, { withDependents });
    }
  }
}
