import type { Candidate, FreeWorker, Placement } from "#server/jobs/claim.ts";

/**
 * How much later work may be taken first because its models are loaded already: this many times the expected run
 * time of the first in line, among jobs of its priority. So a job is overtaken by at most that much of each user's
 * work, however long the stream of others is.
 */
const AFFINITY_REACH = 24;

/**
 * Pairs ready jobs, given in order, with free workers. Each worker takes the first job that it can run, or one
 * within reach of it that needs what the worker has in memory. A job goes back to where an earlier run of it may
 * still be going on, and away from where it has failed if there is another.
 */
export function placeJobs(candidates: readonly Candidate[], workers: readonly FreeWorker[]): Placement[] {
  const left = [...candidates];
  const slots = new Map(workers.map((worker) => [worker.id, worker.freeSlots]));
  const placements: Placement[] = [];
  const place = (job: Candidate, workerId: string) => {
    placements.push({ jobId: job.id, workerId });
    left.splice(left.indexOf(job), 1);
    slots.set(workerId, (slots.get(workerId) ?? 0) - 1);
  };
  for (const job of candidates) {
    const last = workers.find((worker) => worker.id === job.lastWorkerId);
    if (job.isAdoptable && last && (slots.get(last.id) ?? 0) > 0 && canRun(last, job)) place(job, last.id);
  }
  // One job each before any gets a second: uneven workers share the load.
  for (let round = 0, placed = -1; placed !== placements.length; round++) {
    placed = placements.length;
    for (const worker of workersInTurn(workers, left)) {
      if ((slots.get(worker.id) ?? 0) < 1 || worker.freeSlots <= round) continue;
      const job = chooseJob(worker, left, workers);
      if (job) place(job, worker.id);
    }
  }
  return placements;
}

/** Those first that have loaded what some job needs, so that no other takes it from them. */
function workersInTurn(workers: readonly FreeWorker[], jobs: readonly Candidate[]): FreeWorker[] {
  const isWarm = (worker: FreeWorker) => jobs.some((job) => isLoaded(worker, job));
  return [...workers].sort((a, b) => Number(isWarm(b)) - Number(isWarm(a)));
}

function chooseJob(
  worker: FreeWorker,
  jobs: readonly Candidate[],
  workers: readonly FreeWorker[],
): Candidate | undefined {
  const able = jobs.filter((job) => canRun(worker, job) && !isBetterElsewhere(worker, job, workers));
  const [first] = able;
  if (!first) return undefined;
  const reach = first.orderKey + AFFINITY_REACH * first.costMs * 1000;
  const isNear = (job: Candidate) => job.orderKey <= reach && job.priority === first.priority;
  return able.find((job) => isNear(job) && isLoaded(worker, job)) ?? first;
}

function isBetterElsewhere(worker: FreeWorker, job: Candidate, workers: readonly FreeWorker[]): boolean {
  return job.failedWorkerIds.includes(worker.id) &&
    workers.some((other) => !job.failedWorkerIds.includes(other.id) && canRun(other, job));
}

function canRun(worker: FreeWorker, job: Candidate): boolean {
  return job.workflowVersionId === null || worker.able.includes(job.workflowVersionId);
}

function isLoaded(worker: FreeWorker, job: Candidate): boolean {
  return job.workflowVersionId !== null && worker.lastWorkflowVersionId === job.workflowVersionId;
}
