import type { Db } from "#server/db/db.ts";
import {
  type ClaimedJob,
  claimPlaced,
  listCandidates,
  listEarlierPrompts,
  listFreeWorkers,
} from "#server/jobs/claim.ts";
import { placeJobs } from "./placement.ts";

const CANDIDATES = 64;

/**
 * Claims generations for the workers of this process until none is free or none fits; `begin` gets each, filled in.
 * Says whether more may wait for a worker: false where all were free and everything that is ready was claimed.
 */
export async function claimGenerations(
  db: Db,
  nodeId: string,
  begin: (job: ClaimedJob, input: unknown, leasedAt: number) => void,
  stopping: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const workers = await listFreeWorkers(db, nodeId);
    const free = workers.filter(({ freeSlots }) => freeSlots > 0);
    if (free.length === 0) return true;
    // What is listed fits those that are free now, with the memory that is free now.
    const seesAll = workers.every(({ busyMs }) => busyMs === 0);
    const candidates = await listCandidates(db, free, CANDIDATES);
    const placements = placeJobs(candidates, workers);
    if (placements.length === 0 || stopping.aborted) return !seesAll || candidates.length > 0;
    const slots = workers.reduce((sum, { freeSlots }) => sum + freeSlots, 0);
    const leasedAt = Date.now();
    const jobs = await claimPlaced(db, nodeId, placements, workers);
    for (const job of jobs) {
      const worker = workers.find((one) => one.id === job.workerId);
      begin(job, {
        ...Object(job.input),
        workerId: job.workerId,
        workerUrl: worker?.url ?? "",
        promptId: job.attemptId,
        earlierPromptIds: job.attempt > 1 ? await listEarlierPrompts(db, job) : [],
      }, leasedAt);
    }
    // No slot is left: the end of a run asks anew.
    if (jobs.length >= slots) {
      return !seesAll || jobs.length < candidates.length || candidates.length === CANDIDATES;
    }
  }
}
