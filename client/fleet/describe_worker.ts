import type { State } from "#client/ui/state_mark.ts";
import type { Worker, WorkerStatus } from "#server/fleet/contract.ts";
import { w } from "./words.ts";

const MARKS: Readonly<Record<WorkerStatus, State>> = {
  unknown: "waiting",
  online: "good",
  offline: "failed",
  unhealthy: "failed",
  draining: "waiting",
  disabled: "off",
  suspect: "attention",
  resting: "waiting",
};

/** The shape of a worker's state: it runs something, is ready, needs somebody, or is off. */
export function markOfWorker(
  { status, running, isPaused }: Pick<Worker, "status" | "running" | "isPaused">,
): State {
  if (isPaused && status === "online") return "attention";
  return status === "online" && running > 0 ? "running" : MARKS[status];
}

/** How it is, as words: "ready", "runs 2 jobs", "can't be reached: …". */
export function statusOfWorker(
  worker: Pick<Worker, "status" | "running" | "isPaused" | "lastError">,
): string {
  const { status, running, isPaused, lastError } = worker;
  if (status === "online" && isPaused) return w("paused");
  if (status === "online") return running > 0 ? w("runs", { n: running }) : w("ready");
  if (status === "draining") return w("drains", { n: running });
  const name = w(status);
  return lastError && status !== "disabled" ? `${name}: ${lastError}` : name;
}
