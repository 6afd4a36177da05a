import type { Candidate, FreeWorker, Placement } from "#server/jobs/claim.ts";

/**
 * How much later work may be taken first because its models are loaded already: as far behind a job as this many
 * times its own expected run time, in the lane's virtual time. Never past a higher priority, and past another user's
 * job only while a worker that has that job's models loaded will come to it.
 */
export const AFFINITY_REACH = 24;

/**
 * Pairs ready jobs, given in order, with workers that have free slots. Each takes the first job that it can run, or
 * one within reach of it whose models it has loaded. A job goes back to where an earlier run of it may still be going
 * on, away from where it has failed if there is another, and waits when a faster worker would be through with all that
 * waits before a slow one had done this.
 */
export function placeJobs(candidates: readonly Candidate[], workers: readonly FreeWorker[]): Placement[] {
  const room: Room = {
    jobs: [...candidates],
    workers,
    slots: new Map(workers.map((worker) => [worker.id, worker.freeSlots])),
    budget: new Map(workers.map((worker) => [worker.id, worker.budgetBytes])),
    placements: [],
  };
  for (const job of candidates) {
    const last = workers.find((worker) => worker.id === job.lastWorkerId);
    if (job.isAdoptable && last && hasSlot(room, last) && canRun(room, last, job)) place(room, last, job);
  }
  // One job each before any gets a second: uneven workers share the load.
  for (let round = 0, placed = -1; placed !== room.placements.length; round++) {
    placed = room.placements.length;
    const left = new Set(workers.filter((worker) => worker.freeSlots > round && hasSlot(room, worker)));
    for (let best = bestWish(room, left); best; best = bestWish(room, left)) {
      left.delete(best.worker);
      place(room, best.worker, best.job);
    }
  }
  return room.placements;
}

/** What is still to be placed, and what is left of each worker. */
interface Room {
  readonly jobs: Candidate[];
  readonly workers: readonly FreeWorker[];
  readonly slots: Map<string, number>;
  readonly budget: Map<string, number | null>;
  readonly placements: Placement[];
}

interface Wish {
  readonly worker: FreeWorker;
  readonly job: Candidate;
  readonly isWarm: boolean;
}

function place({ jobs, slots, budget, placements }: Room, worker: FreeWorker, job: Candidate): void {
  placements.push({ jobId: job.id, workerId: worker.id });
  jobs.splice(jobs.indexOf(job), 1);
  slots.set(worker.id, (slots.get(worker.id) ?? 0) - 1);
  const bytes = budget.get(worker.id) ?? null;
  if (bytes !== null) budget.set(worker.id, bytes - (job.needBytes ?? 0));
}

function hasSlot({ slots }: Room, worker: FreeWorker): boolean {
  return (slots.get(worker.id) ?? 0) > 0;
}

/** Of what the workers would take, that first whose models are loaded, then the first in line, on its fastest worker. */
function bestWish(room: Room, workers: ReadonlySet<FreeWorker>): Wish | undefined {
  const wishes = [...workers].flatMap((worker): Wish[] => {
    const job = chooseJob(room, worker);
    return job ? [{ worker, job, isWarm: isWarm(worker, job) }] : [];
  });
  return wishes.sort(byWish)[0];
}

function byWish(one: Wish, other: Wish): number {
  return Number(other.isWarm) - Number(one.isWarm) || one.job.orderKey - other.job.orderKey ||
    usualMs(one.worker, one.job) - usualMs(other.worker, other.job) ||
    missingModels(one.worker, one.job) - missingModels(other.worker, other.job) ||
    (other.worker.freeBytes ?? 0) - (one.worker.freeBytes ?? 0);
}

function chooseJob(room: Room, worker: FreeWorker): Candidate | undefined {
  const passed: Candidate[] = [];
  let reach = Infinity;
  for (const job of room.jobs) {
    const [first] = passed;
    if (first && (job.priority !== first.priority || job.orderKey > reach)) break;
    if (!canRun(room, worker, job) || isBetterElsewhere(room, worker, job)) continue;
    if (isWarm(worker, job)) {
      return passed.every((one) => mayPass(room, worker, one, job)) ? job : first;
    }
    // What has nothing to load waits for no model.
    if (!first && job.models.length === 0) return job;
    passed.push(job);
    reach = Math.min(reach, job.orderKey + AFFINITY_REACH * job.costMs * 1000);
  }
  return passed[0];
}

/** Of one user the order is theirs; another's job is passed only where its turn comes on a worker that has it loaded. */
function mayPass(room: Room, worker: FreeWorker, passed: Candidate, job: Candidate): boolean {
  return passed.userId === job.userId ||
    room.workers.some((other) => other !== worker && isWarm(other, passed) && canRun(room, other, passed));
}

function isBetterElsewhere(room: Room, worker: FreeWorker, job: Candidate): boolean {
  const others = room.workers.filter((other) => other !== worker && canRun(room, other, job));
  if (job.failedWorkerIds.includes(worker.id)) {
    if (others.some((other) => hasSlot(room, other) && !job.failedWorkerIds.includes(other.id))) return true;
  }
  const own = usualMs(worker, job);
  return own < Infinity && others.some((other) => throughAllMs(room, other, own) < own);
}

/** When a worker would be through with what it does and all that waits; given up at `limit`. */
function throughAllMs(room: Room, worker: FreeWorker, limit: number): number {
  let ms = worker.busyMs ?? Infinity;
  for (const job of room.jobs) {
    if (ms >= limit) return ms;
    if (canRun(room, worker, job)) ms += usualMs(worker, job);
  }
  return ms;
}

function canRun({ budget }: Room, worker: FreeWorker, job: Candidate): boolean {
  if (job.pinnedWorkerId !== null && job.pinnedWorkerId !== worker.id) return false;
  if (job.minVramBytes !== null && (worker.vramTotalBytes ?? 0) < job.minVramBytes) return false;
  // Of a full worker the question is whether it could once it is free.
  const bytes = worker.freeSlots > 0 ? budget.get(worker.id) ?? null : worker.vramTotalBytes;
  if (bytes !== null && job.needBytes !== null && bytes < job.needBytes) return false;
  return job.workflowVersionId === null || worker.able.includes(job.workflowVersionId);
}

/** All that it needs is loaded; what needs no model is neither warm nor cold. */
function isWarm(worker: FreeWorker, job: Candidate): boolean {
  return job.models.length > 0 && missingModels(worker, job) === 0;
}

function missingModels({ loaded }: FreeWorker, { models }: Candidate): number {
  return models.filter((model) => !loaded.includes(model)).length;
}

/** Infinity where it never did such work. */
function usualMs(worker: FreeWorker, { workflowVersionId }: Candidate): number {
  return (workflowVersionId === null ? undefined : worker.usualMs[workflowVersionId]) ?? Infinity;
}
