import type { JobKind } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import type { ClaimedJob } from "#server/jobs/claim.ts";
import type { RunEnd } from "#server/jobs/finish.ts";
import type { CallReply, StopReason } from "#workers/kit/messages.ts";
import type { Dispatch } from "./dispatch.ts";
import { clearRunTimers, newRun, type Run } from "./run.ts";
import type { Telemetry } from "./telemetry.ts";

/** Something for the main thread. */
export type Post = (
  message: { readonly t: string } & Record<string, unknown>,
  transfer?: Transferable[],
) => void;

export interface CallsOptions {
  readonly log: Log;
  readonly kinds: ReadonlyMap<string, JobKind>;
  readonly dispatch: Dispatch;
  readonly telemetry: Telemetry;
  readonly post: Post;
  readonly onTell: ((thread: string, about: string, data: unknown) => void) | undefined;
  readonly stopping: AbortSignal;
  /** Takes a run that has not begun out of its line; false when it is in none. */
  readonly unpark: (run: Run) => boolean;
  /** Renews the lease of a run and says whether it still is this process's. */
  readonly confirm: (run: Run) => Promise<boolean>;
  /** How a run ended, told once of each; of `undefined` it is to be given back, and "stale" is not ours any more. */
  readonly ended: (run: Run, end: RunEnd | "stale" | undefined) => void;
}

/** How long a told call may take to end before its thread counts as stuck. */
const STOP_GRACE_MS = 5_000;

/** The runs in this process's hands, as calls of the threads that do them: begun, timed, told to stop, answered. */
export class Calls {
  readonly #options: CallsOptions;
  /** By attempt id, which is the call id. */
  readonly #runs = new Map<string, Run>();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  get runs(): ReadonlyMap<string, Run> {
    return this.#runs;
  }

  hold(job: ClaimedJob, leasedAt?: number): Run {
    const run = newRun(job, leasedAt);
    this.#runs.set(job.attemptId, run);
    return run;
  }

  /** Its end is written, or it is not ours any more. */
  forget(run: Run): void {
    clearRunTimers(run);
    this.#runs.delete(run.job.attemptId);
  }

  begin(run: Run, input: unknown): void {
    const { job } = run;
    const { dispatch, kinds, log, stopping, ended } = this.#options;
    const thread = dispatch.threadOf(job.kind);
    if (!thread || stopping.aborted) return ended(run, undefined);
    run.thread = thread;
    run.startedAt = performance.now();
    const timeoutMs = Math.min(kinds.get(job.kind)?.timeoutMs ?? 600_000, 2 ** 31 - 1);
    run.timeout = setTimeout(() => void this.#timedOut(run), timeoutMs);
    log.debug("job started", { jobId: job.id, kind: job.kind, attempt: job.attempt });
    dispatch.send(thread, {
      t: "run",
      callId: job.attemptId,
      jobId: job.id,
      attempt: job.attempt,
      kind: job.kind,
      input,
      leasedAt: run.leasedAt,
    });
  }

  /** Tells the thread to stop a run; one that doesn't is ended here, and its thread is to be replaced. */
  stop(run: Run, reason: StopReason): void {
    if (run.isEnding || run.stopReason) return;
    const { dispatch, log, post, unpark } = this.#options;
    const { thread } = run;
    if (thread === undefined && !unpark(run)) return;
    run.stopReason = reason;
    clearTimeout(run.timeout);
    if (thread === undefined) return this.#endStopped(run);
    const { attemptId: callId, kind, id: jobId } = run.job;
    dispatch.stop(thread, callId, reason);
    if (reason === "handed_back") return;
    run.grace = setTimeout(() => {
      if (run.isEnding || !this.#runs.has(callId)) return;
      log.error("run did not stop when told to", { jobId, kind, reason, thread });
      post({ t: "restart_thread", name: thread, reason: `A run of "${kind}" did not stop when told to` });
      this.#endStopped(run);
    }, STOP_GRACE_MS);
  }

  receive(thread: string, reply: CallReply): void {
    const { telemetry, post, onTell, ended } = this.#options;
    if (reply.t === "tell") return onTell?.(thread, reply.about, reply.data);
    const run = this.#runs.get(reply.callId);
    if (reply.t === "confirm") return void this.#confirm(thread, reply.callId, run);
    if (!run || run.isEnding) return;
    const { id: jobId, projectId } = run.job;
    switch (reply.t) {
      case "progress": {
        const note = reply.note ?? "";
        telemetry.progress(jobId, reply.ratio, note);
        return post({ t: "progress", jobId, projectId, ratio: reply.ratio, note });
      }
      case "preview":
        return post({ t: "preview", jobId, projectId, bytes: reply.bytes, mediaType: reply.mediaType }, [
          reply.bytes.buffer,
        ]);
      case "log":
        return telemetry.line({ ...reply, jobId });
      case "done":
        return ended(run, { how: "done", output: reply.output });
      case "failed":
        return this.#fail(run, reply);
    }
  }

  /** Ends what the thread had in its hands. */
  threadDied(thread: string, reason: string): void {
    for (const run of [...this.#runs.values()]) {
      if (run.thread !== thread || run.isEnding) continue;
      if (run.stopReason) this.#endStopped(run);
      else {
        const message = `The ${thread} thread died: ${reason}`;
        this.#options.ended(run, { how: "retry", failureClass: "thread_died", message });
      }
    }
  }

  /** A process that was frozen finds its timers due: what it would stop may be another's by now. */
  async #timedOut(run: Run): Promise<void> {
    this.stop(run, await this.#options.confirm(run) ? "timeout" : "lease_lost");
  }

  async #confirm(thread: string, callId: string, run: Run | undefined): Promise<void> {
    const isOurs = run !== undefined && !run.isEnding && await this.#options.confirm(run);
    this.#options.dispatch.send(thread, { t: "confirmed", callId, isOurs });
  }

  #fail(run: Run, { failure }: Extract<CallReply, { t: "failed" }>): void {
    const { how, failureClass, message, afterMs = 1_000, stack } = failure;
    if (run.stopReason || how === "aborted") return this.#endStopped(run);
    const { id: jobId, kind } = run.job;
    this.#options.log.warn("job run failed", { jobId, kind, how, failureClass, reason: message, stack });
    if (how === "try_later") return this.#options.ended(run, { how, failureClass, message, afterMs });
    this.#options.ended(run, { how, failureClass, message });
  }

  #endStopped(run: Run): void {
    const { kinds, ended } = this.#options;
    switch (run.stopReason) {
      case "cancelled":
        return ended(run, { how: "cancelled" });
      case "timeout": {
        const minutes = Math.round((kinds.get(run.job.kind)?.timeoutMs ?? 0) / 60_000);
        const message = `It was stopped because it took longer than ${minutes} minutes`;
        return ended(run, { how: "retry", failureClass: "timeout", message });
      }
      case "lease_lost":
        return ended(run, "stale");
      default:
        return ended(run, undefined);
    }
  }
}
