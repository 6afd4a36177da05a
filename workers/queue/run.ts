import type { ClaimedJob } from "#server/jobs/claim.ts";
import type { StopReason } from "#workers/kit/messages.ts";

/** One run that this process has in its hands, from its claim until its end is in the database. */
export interface Run {
  readonly job: ClaimedJob;
  readonly claimedAt: number;
  /** When its lease was asked for, by Date.now(): it is good for longer than that. Undefined where nobody noted it. */
  readonly leasedAt: number | undefined;
  /** The thread that runs it; undefined while it waits for a slot. */
  thread: string | undefined;
  startedAt: number;
  timeout: ReturnType<typeof setTimeout> | undefined;
  grace: ReturnType<typeof setTimeout> | undefined;
  stopReason: StopReason | undefined;
  /** The thread has ended it; its result is being written. */
  isEnding: boolean;
  /** How long the thread took for it, where it ended well. */
  tookMs: number | undefined;
}

export function newRun(job: ClaimedJob, leasedAt?: number): Run {
  const now = performance.now();
  return {
    job,
    claimedAt: now,
    leasedAt,
    thread: undefined,
    startedAt: now,
    timeout: undefined,
    grace: undefined,
    stopReason: undefined,
    isEnding: false,
    tookMs: undefined,
  };
}

export function clearRunTimers(run: Run): void {
  clearTimeout(run.timeout);
  clearTimeout(run.grace);
}
