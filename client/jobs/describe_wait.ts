import { formatBytes, formatDuration } from "#client/core/format.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import { kindName, laneName } from "./names.ts";
import { w } from "./words.ts";

type WaitReason = NonNullable<QueueJob["wait"]>;
type Of<Code extends WaitReason["code"]> = Extract<WaitReason, { code: Code }>;

/** Why a job waits, as a sentence; undefined where its turn says it all. */
export function waitOf(reason: WaitReason | null, now: number): string | undefined {
  if (reason === null) return undefined;
  switch (reason.code) {
    case "cancelling":
      return w("stopping");
    case "held":
      return w("waitHeld");
    case "needs_jobs":
      return needs(reason);
    case "needs_ended":
      return w(reason.job.status === "failed" ? "waitNeedsFailed" : "waitNeedsCancelled", {
        name: kindName(reason.job),
      });
    case "lane_paused": {
      const lane = laneName(reason.lane);
      return reason.by ? w("waitLanePausedBy", { lane, by: reason.by }) : w("waitLanePaused", { lane });
    }
    case "person_paused":
      return reason.by
        ? w("waitPersonPausedBy", { name: reason.name, by: reason.by })
        : w("waitPersonPaused", { name: reason.name });
    case "scheduled":
      return w("waitScheduled", { time: w("inTime", { time: until(reason.at, now) }) });
    case "retry_at":
      return w("waitRetry", { time: until(reason.at, now), error: reason.error ?? "" });
    case "in_line":
      return inLine(reason);
    default:
      return ofWorkers(reason);
  }
}

function needs({ jobs, more }: Of<"needs_jobs">): string | undefined {
  const [first] = jobs;
  return first && w("waitNeeds", { n: jobs.length + more, name: kindName(first) });
}

/** In lists the turn is told beside it; here whose jobs come first, and who is busy. */
function inLine({ ahead, people, ready, busy }: Of<"in_line">): string | undefined {
  const workers = busy.join(", ");
  if (people.length > 0) {
    const names = people.map(({ name, jobs }) =>
      w("waitPerson", { name: name ?? w("studioItself"), n: jobs })
    );
    return w("waitShare", { n: ahead, people: names.join(", ") });
  }
  if (busy.length === 0 || busy.length < ready.length) return undefined;
  return ahead === 0 ? w("waitNextBusy", { workers }) : w("waitBusy", { n: ahead, workers });
}

type OfWorkers = Of<
  "no_worker" | "pinned_worker_gone" | "no_able_worker" | "too_little_memory" | "not_ready" | "worker_away"
>;

function ofWorkers(reason: OfWorkers): string {
  switch (reason.code) {
    case "no_worker":
      return w("waitNoWorker");
    case "pinned_worker_gone":
      return w("waitPinGone", { name: reason.name });
    case "no_able_worker":
      return w(reason.pinnedTo ? "waitUnablePinned" : "waitUnable", {
        workers: reason.workers.map(lacks).join("; "),
      });
    case "too_little_memory": {
      const has = reason.workers.map(({ name, totalBytes }) =>
        w("waitHas", { name, size: formatBytes(totalBytes) })
      );
      return w("waitMemory", { need: formatBytes(reason.needBytes), workers: has.join(", ") });
    }
    case "not_ready":
      return w(reason.pinnedTo ? "waitNotReadyPinned" : "waitNotReady", {
        workers: reason.workers.map(isIn).join(", "),
      });
    case "worker_away":
      return w("waitAway", { name: reason.worker.name, state: workerState(reason.worker.state) });
  }
}

function lacks({ name, isChecked, missing }: Of<"no_able_worker">["workers"][number]): string {
  if (!isChecked) return w("waitUnchecked", { name });
  const shown = missing.slice(0, 3).join(", ");
  return missing.length > 3
    ? w("waitLacksMore", { name, missing: shown, n: missing.length - 3 })
    : w("waitLacks", { name, missing: shown });
}

function isIn({ name, state, problem }: Of<"not_ready">["workers"][number]): string {
  return problem
    ? w("waitIsBecause", { name, state: workerState(state), problem })
    : w("waitIs", { name, state: workerState(state) });
}

const STATES = {
  unknown: "stateUnknown",
  online: "stateOnline",
  offline: "stateOffline",
  unhealthy: "stateUnhealthy",
  draining: "stateDraining",
  disabled: "stateDisabled",
  suspect: "stateSuspect",
  resting: "stateResting",
  paused: "statePaused",
} as const;

/** A code of `worker_status`, or "paused", as a word; one of a newer studio as it is. */
export function workerState(code: string): string {
  return Object.hasOwn(STATES, code) ? w(STATES[code as keyof typeof STATES]) : code;
}

function until(instant: string, now: number): string {
  return formatDuration(Math.max(0, Date.parse(instant) - now));
}
