import type { Estimate, Job } from "./contract.ts";
import type { Waiting, WaitReason } from "./outlook.ts";

/** When a job is to start and to end, from what such work took lately and what is before it. */
export function estimate(
  job: Pick<Job, "status">,
  waiting: Waiting | undefined,
): { aheadCount: number | null; startsIn: Estimate | null; endsIn: Estimate | null } {
  if (!waiting) return { aheadCount: null, startsIn: null, endsIn: null };
  if (job.status === "running") {
    return { aheadCount: null, startsIn: { p50Ms: 0, p90Ms: 0 }, endsIn: remaining(waiting) };
  }
  const untilStart = (waiting.aheadMs + waiting.runningMs) / waiting.slots;
  const spread = waiting.p50 > 0 ? waiting.p90 / waiting.p50 : 1;
  return {
    aheadCount: waiting.aheadCount,
    startsIn: { p50Ms: Math.round(untilStart), p90Ms: Math.round(untilStart * spread) },
    endsIn: {
      p50Ms: Math.round(untilStart + waiting.p50),
      p90Ms: Math.round(untilStart * spread + waiting.p90),
    },
  };
}

/** Once a good part is done, the job itself tells more than those before it. */
const TRUSTED_RATIO = 0.2;

function remaining({ p50, p90, elapsedMs, ratio }: Waiting): Estimate {
  const elapsed = elapsedMs ?? 0;
  if (ratio !== null && ratio >= TRUSTED_RATIO) {
    const left = elapsed * (1 - ratio) / ratio;
    return { p50Ms: Math.round(left), p90Ms: Math.round(left * Math.max(1, p90 / p50)) };
  }
  return { p50Ms: Math.max(0, Math.round(p50 - elapsed)), p90Ms: Math.max(0, Math.round(p90 - elapsed)) };
}

/** Why a job does not go on, as a sentence; null when it does, has ended or is next. */
export function describeWait(reason: WaitReason): string | null {
  switch (reason.status) {
    case "held":
      return "It is held: release it to let it wait its turn";
    case "blocked":
      return describeNeeds(reason.needs);
    case "queued":
      return describeQueued(reason);
    case "running":
      return describeOwnWorker(reason.workers);
    default:
      return null;
  }
}

/** The job follows its work on the worker; while that is gone nothing happens and nothing has failed yet. */
function describeOwnWorker(workers: WaitReason["workers"]): string | null {
  const gone = workers.find((worker) =>
    worker.isOwn && (worker.status === "offline" || worker.status === "unhealthy")
  );
  return gone
    ? `${gone.name} is ${gone.status}: it goes on, or begins again, when ${gone.name} is back`
    : null;
}

function describeNeeds(needs: WaitReason["needs"]): string {
  const ended = needs.find(({ status }) => status === "failed" || status === "cancelled");
  if (ended) {
    return `It needs "${ended.label}", which ${
      ended.status === "failed" ? "failed" : "was cancelled"
    }: retry that, or cancel this`;
  }
  const [first] = needs;
  const more = needs.length > 1 ? ` and ${needs.length - 1} more` : "";
  return first ? `It waits for "${first.label}"${more} to be done` : "It is about to be queued";
}

function describeQueued(reason: WaitReason): string | null {
  if (reason.isCancelAsked) return "It is being cancelled";
  if (reason.isLanePaused) return `The ${reason.lane} lane is paused: resume it to go on`;
  if (reason.isUserPaused) return "Jobs of this user are paused";
  if (!reason.isDue) return `It is to be tried again at ${reason.runAt}`;
  return reason.lane === "gpu" ? describeWorkers(reason.workers) : null;
}

function describeWorkers(workers: WaitReason["workers"]): string | null {
  if (workers.length === 0) return "There is no worker: register a ComfyUI server, or start the CPU engine";
  const able = workers.filter((worker) => worker.isAble === true);
  const ready = able.filter((worker) => worker.status === "online" && !worker.isPaused);
  if (ready.length > 0) return null;
  if (able.length > 0) {
    const states = able.map((worker) => `${worker.name} is ${worker.isPaused ? "paused" : worker.status}`);
    return `No worker that can run it is ready: ${states.join(", ")}`;
  }
  const lacks = workers.map((worker) => {
    if (worker.isAble === null) return `${worker.name} has not been checked yet (${worker.status})`;
    const shown = worker.missing.slice(0, 3).join(", ");
    const more = worker.missing.length > 3 ? ` and ${worker.missing.length - 3} more` : "";
    return `${worker.name} lacks ${shown}${more}`;
  });
  return `No worker can run its workflow: ${lacks.join("; ")}`;
}
