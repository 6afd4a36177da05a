import type { ApiError } from "#client/core/call.ts";
import { formatBytes, formatCount } from "#client/core/format.ts";
import type { Sprite } from "#client/ui/scrub.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { Worker } from "#server/fleet/contract.ts";
import type { HealthStatus } from "#server/health/contract.ts";
import type { Job, QueueState } from "#server/jobs/contract.ts";
import { w } from "./words.ts";

/** A finished cut or master, as a picture. */
export interface Final {
  readonly assetId: string;
  readonly name: string;
  readonly kind: "cut" | "master";
  /** Address of its picture; undefined while there is none. */
  readonly picture: string | undefined;
  /** Its pictures over time; undefined while there are none. */
  readonly sprite: Sprite | undefined;
  readonly projectName: string;
  readonly createdAt: string;
}

/** All that the status page shows, as it was read; a part that one may not see, or that was not read yet, is undefined. */
export interface StatusFacts {
  readonly studio: HealthStatus | undefined;
  readonly workers: readonly Worker[] | undefined;
  readonly queue: QueueState | undefined;
  readonly running: readonly Job[];
  readonly waiting: readonly Job[];
  readonly failed: readonly Job[];
  readonly finals: readonly Final[];
  /** Names of projects by id. */
  readonly projects: ReadonlyMap<string, string>;
  /** Why the last reading failed; what shows is older then. */
  readonly problem: ApiError | undefined;
  /** When it was read, in milliseconds; undefined until it was. */
  readonly readAt: number | undefined;
}

export const NOTHING_READ: StatusFacts = {
  studio: undefined,
  workers: undefined,
  queue: undefined,
  running: [],
  waiting: [],
  failed: [],
  finals: [],
  projects: new Map(),
  problem: undefined,
  readAt: undefined,
};

/** Something that wants a person, with what to do about it. */
export interface Finding {
  readonly state: Extract<State, "failed" | "attention">;
  readonly text: string;
  readonly mend: string;
}

export interface Summary {
  readonly state: State;
  /** How the studio is, in one sentence. */
  readonly sentence: string;
  /** The worst first. */
  readonly findings: readonly Finding[];
}

const LOW_BYTES = 5e9;
const LOW_RATIO = 0.1;
const FULL_RATIO = 0.02;
const RESTARTS_TO_TELL = 3;

/** What one would say to somebody who asks how the studio is. */
export function summarise(facts: StatusFacts): Summary {
  const findings = [
    ...aboutConnection(facts),
    ...aboutThreads(facts),
    ...aboutWorkers(facts),
    ...aboutDisk(facts),
    ...aboutQueue(facts),
  ];
  findings.push(...aboutReadiness(facts, findings));
  findings.sort((one, other) => Number(other.state === "failed") - Number(one.state === "failed"));
  const broken = findings.filter(({ state }) => state === "failed").length;
  const state = broken > 0 ? "failed" : findings.length > 0 ? "attention" : "good";
  // What runs is not known then.
  if (facts.problem?.status === 0) return { state, sentence: w("silent"), findings };
  if (isUnread(facts)) return { state, sentence: w("unread"), findings };
  return { state, sentence: `${opening(broken, findings.length)} ${activity(facts)}`, findings };
}

/** Nothing is known yet, and the first question for it failed. */
export function isUnread({ problem, readAt }: StatusFacts): boolean {
  return problem !== undefined && readAt === undefined;
}

function opening(broken: number, all: number): string {
  if (broken > 0) return broken === 1 ? w("brokenOne") : w("brokenMany", { count: formatCount(broken) });
  if (all > 0) return all === 1 ? w("needsOne") : w("needsMany", { count: formatCount(all) });
  return w("good");
}

function activity(facts: StatusFacts): string {
  const running = sum(facts, "running") ?? facts.running.length;
  const waiting = waitingCount(facts);
  if (running === 0 && waiting === 0) return w("idle");
  const runs = running === 0 ? w("nothingRuns") : w("runs", { n: running });
  const waits = waiting === 0 ? w("noneWaits") : w("waits", { n: waiting });
  return `${runs}, ${waits}.`;
}

/** How many jobs wait for their turn, for another job or for a person. */
export function waitingCount(facts: StatusFacts): number {
  const counted = (["queued", "blocked", "held"] as const).map((name) => sum(facts, name));
  return counted.some((count) => count === undefined)
    ? facts.waiting.length
    : counted.reduce<number>((total, count) => total + (count ?? 0), 0);
}

function sum(facts: StatusFacts, name: "running" | "queued" | "blocked" | "held"): number | undefined {
  return facts.queue?.lanes.reduce((total, lane) => total + lane[name], 0);
}

function aboutConnection({ problem, readAt }: StatusFacts): Finding[] {
  if (!problem) return [];
  if (readAt === undefined) {
    return [{ state: "failed", text: problem.message, mend: w("unreadMend") }];
  }
  const text = problem.status === 0 ? w("fromBefore") : problem.message;
  const mend = problem.status === 0 ? w("silentMend") : w("problemMend");
  return [{ state: "failed", text, mend }];
}

/** What the studio itself misses, unless the rest has said so already. */
function aboutReadiness({ studio }: StatusFacts, said: readonly Finding[]): Finding[] {
  if (!studio || studio.isReady || said.some(({ state }) => state === "failed")) return [];
  const mend = w("readinessMend");
  return studio.missing.map((text) => ({ state: "attention", text: text.replace(/\.$/, ""), mend }));
}

function aboutThreads({ studio }: StatusFacts): Finding[] {
  return (studio?.threads ?? []).flatMap((thread): Finding[] => {
    if (thread.status === "waiting" || thread.status === "stopped") {
      const why = thread.lastError ? `: ${thread.lastError}` : "";
      return [{
        state: "failed",
        text: w("threadDown", { name: thread.name, why }),
        mend: w("threadDownMend"),
      }];
    }
    if (thread.restarts < RESTARTS_TO_TELL) return [];
    return [{
      state: "attention",
      text: w("threadRestarted", {
        name: thread.name,
        times: thread.restarts,
        why: thread.lastError ? `: ${thread.lastError}` : "",
      }),
      mend: w("threadRestartedMend"),
    }];
  });
}

function aboutWorkers({ workers }: StatusFacts): Finding[] {
  if (!workers) return [];
  const used = workers.filter(({ status }) => status !== "disabled");
  if (!used.some(({ status }) => status === "online" || status === "draining")) {
    return [{
      state: "failed",
      text: workers.length === 0 ? w("workerNone") : w("workerNoneOnline"),
      mend: w("workerNoneMend"),
    }];
  }
  return used.filter(({ status }) => ["offline", "unhealthy", "suspect"].includes(status)).map((worker) => ({
    state: "attention",
    text: w("workerIs", {
      name: worker.name,
      status: w(`worker_${worker.status}`),
      why: worker.lastError ? `: ${worker.lastError}` : "",
    }),
    mend: w("workerMend", { url: worker.url }),
  }));
}

function aboutDisk({ studio }: StatusFacts): Finding[] {
  if (!studio?.disk) return [];
  const { freeBytes, totalBytes } = studio.disk;
  const ratio = freeBytes / totalBytes;
  if (ratio > LOW_RATIO && freeBytes > LOW_BYTES) return [];
  return [{
    state: ratio < FULL_RATIO ? "failed" : "attention",
    text: w("diskLow", { free: formatBytes(freeBytes) }),
    mend: w("diskLowMend"),
  }];
}

function aboutQueue({ queue, failed }: StatusFacts): Finding[] {
  const paused = (queue?.lanes ?? []).filter(({ isPaused }) => isPaused).map(({ label }) => label);
  const findings: Finding[] = [];
  if (failed.length > 0) {
    findings.push({
      state: "attention",
      text: w("jobsFailed", { n: failed.length }),
      mend: w("jobsFailedMend"),
    });
  }
  if (paused.length > 0) {
    findings.push({
      state: "attention",
      text: w("pausedLanes", { lanes: paused.join(", ") }),
      mend: w("pausedLanesMend"),
    });
  }
  return findings;
}
