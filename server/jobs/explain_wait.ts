import type { Lane } from "#server/core/job_kind.ts";
import type { JobStatus } from "./contract.ts";
import type { WaitReason } from "./wait_reason.ts";

/** A worker as a waiting job looks at it. */
export interface WorkerFacts {
  readonly id: string;
  readonly name: string;
  /** A code of `worker_status`. */
  readonly status: string;
  readonly isPaused: boolean;
  readonly isRemoved: boolean;
  readonly problem: string | null;
  readonly isFull: boolean;
  readonly totalBytes: number | null;
}

/** Whether a worker can run a workflow version; undefined where it was not looked at yet. */
export type FindCapability = (
  workerId: string,
) => { isAble: boolean; missing: readonly string[] } | undefined;

export interface WaitFacts {
  readonly status: JobStatus;
  readonly lane: Lane;
  readonly isCancelAsked: boolean;
  readonly isDue: boolean;
  readonly runAt: string;
  readonly failureClass: string | null;
  readonly error: string | null;
  readonly needs: readonly { jobId: string; kind: string; label: string; status: JobStatus }[];
  readonly lanePause: Pause | undefined;
  readonly userPause: Pause | undefined;
  readonly userName: string | null;
  readonly workflowVersionId: string | null;
  readonly needBytes: number | null;
  readonly workerId: string | null;
  readonly pinnedWorkerId: string | null;
  /** Jobs of the lane that come first, and those of them that are other people's. */
  readonly ahead: number;
  readonly aheadOfOthers: number;
}

export interface Pause {
  readonly by: string | null;
  readonly since: string;
}

const NEEDS_SHOWN = 5;

/** Why the job does not run yet or does not go on; null when it does, or has ended. */
export function explainWait(
  job: WaitFacts,
  workers: readonly WorkerFacts[],
  capability: FindCapability,
): WaitReason | null {
  switch (job.status) {
    case "held":
      return job.isCancelAsked ? { code: "cancelling" } : { code: "held" };
    case "blocked":
      return job.isCancelAsked ? { code: "cancelling" } : explainNeeds(job.needs);
    case "queued":
      return explainQueued(job, workers, capability);
    case "running": {
      const own = workers.find(({ id }) => id === job.workerId);
      const isAway = own && (own.status === "offline" || own.status === "unhealthy");
      return isAway ? { code: "worker_away", worker: inTheWay(own) } : null;
    }
    default:
      return null;
  }
}

function explainNeeds(needs: WaitFacts["needs"]): WaitReason {
  const ended = needs.find(({ status }) => status === "failed" || status === "cancelled");
  // The ids are the database's own.
  const told = needs as Extract<WaitReason, { code: "needs_jobs" }>["jobs"];
  if (ended) return { code: "needs_ended", job: ended as (typeof told)[number] };
  return {
    code: "needs_jobs",
    jobs: told.slice(0, NEEDS_SHOWN),
    more: Math.max(0, told.length - NEEDS_SHOWN),
  };
}

function explainQueued(
  job: WaitFacts,
  workers: readonly WorkerFacts[],
  capability: FindCapability,
): WaitReason {
  const { lane, lanePause, userPause } = job;
  if (job.isCancelAsked) return { code: "cancelling" };
  if (lanePause) return { code: "lane_paused", lane, ...lanePause };
  if (userPause) return { code: "person_paused", name: job.userName ?? "", ...userPause };
  if (!job.isDue) {
    return job.failureClass === null
      ? { code: "scheduled", at: job.runAt }
      : { code: "retry_at", at: job.runAt, failureClass: job.failureClass, error: job.error };
  }
  return lane === "gpu" ? explainPlacement(job, workers, capability) : inLine(job, []);
}

function inLine(job: WaitFacts, workers: readonly WorkerFacts[]): WaitReason {
  const { lane, ahead, aheadOfOthers } = job;
  const busy = workers.filter(({ isFull }) => isFull).map(({ name }) => name);
  return {
    code: "in_line",
    lane,
    ahead,
    aheadOfOthers,
    people: [],
    ready: workers.map(({ name }) => name),
    busy,
  };
}

function explainPlacement(
  job: WaitFacts,
  all: readonly WorkerFacts[],
  capability: FindCapability,
): WaitReason {
  const pinned = all.find(({ id }) => id === job.pinnedWorkerId);
  if (pinned?.isRemoved) return { code: "pinned_worker_gone", name: pinned.name };
  const pinnedTo = pinned?.name ?? null;
  const workers = pinned ? [pinned] : all.filter(({ isRemoved }) => !isRemoved);
  if (workers.length === 0) return { code: "no_worker" };
  const isAble = ({ id }: WorkerFacts) => job.workflowVersionId === null || capability(id)?.isAble === true;
  const able = workers.filter(isAble);
  if (able.length === 0) {
    return {
      code: "no_able_worker",
      pinnedTo,
      workers: workers.map(({ id, name, status }) => {
        const found = capability(id);
        return {
          name,
          state: status,
          isChecked: found !== undefined,
          missing: [...found?.missing ?? []],
        };
      }),
    };
  }
  const { needBytes } = job;
  const roomy = able.filter(({ totalBytes }) =>
    needBytes === null || totalBytes === null || totalBytes >= needBytes
  );
  if (roomy.length === 0) {
    const small = able.map(({ name, totalBytes }) => ({ name, totalBytes: totalBytes ?? 0 }));
    return { code: "too_little_memory", pinnedTo, needBytes: needBytes ?? 0, workers: small };
  }
  const ready = roomy.filter(({ status, isPaused }) => status === "online" && !isPaused);
  if (ready.length === 0) return { code: "not_ready", pinnedTo, workers: roomy.map(inTheWay) };
  return inLine(job, ready);
}

function inTheWay({ name, status, isPaused, problem }: WorkerFacts) {
  const isOff = status !== "online" || !isPaused;
  return { name, state: isOff ? status : "paused", problem: isOff ? problem : null };
}
