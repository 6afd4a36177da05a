import * as z from "zod/mini";
import type { JobKind } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import type { FileStore } from "#server/files/store.ts";

/**
 * Why a job failed, by what is to be done about it. Rows of `failure_class`, which hold the retry budget.
 */
export const FailureClass = z.enum([
  "bad_input", // the input can never work: a truncated file, an impossible size
  "rejected", // the worker refused the graph
  "missing_requirement", // a model or node that the worker lacks
  "out_of_memory",
  "worker_gone", // the generation worker died or can't be reached
  "output_missing", // "success", but no file
  "storage_full", // the studio's disk
  "timeout",
  "thread_died",
  "internal", // anything else: a bug, retried with back-off
  "worker_poisoned", // the worker's GPU process is at fault: nothing runs there until it is restarted
  "prompt_forgotten", // accepted, then unknown: the worker was restarted, or somebody cleared its queue
  "worker_storage_full",
]);
export type FailureClass = z.infer<typeof FailureClass>;

/** The job can't succeed as it is: fail now, spend no retries. */
export class GiveUp extends Error {
  override readonly name = "GiveUp";
  constructor(message: string, readonly failureClass: FailureClass = "bad_input", options?: ErrorOptions) {
    super(message, options);
  }
}

/** A passing hindrance: run again after `afterMs`; no attempt is spent. */
export class TryLater extends Error {
  override readonly name = "TryLater";
  constructor(
    message: string,
    readonly afterMs: number,
    readonly failureClass: FailureClass = "worker_gone",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A failure of a known class that is retried by that class's rule. */
export class Retry extends Error {
  override readonly name = "Retry";
  constructor(message: string, readonly failureClass: FailureClass, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * The reason of a job's signal when this process only hands the job back: it stops or lost the lease, and the job
 * goes on elsewhere or after a restart. Work that lives outside (a prompt on a worker) is then left alone.
 */
export class HandedBack extends Error {
  override readonly name = "HandedBack";
}

/** What a handler is given beside its input. */
export interface JobContext {
  readonly jobId: string;
  /** 1 for the first run. */
  readonly attempt: number;
  /** Aborted when the job is cancelled, times out or its lease is lost. Handlers must stop within 2 s. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** The content-addressed store: inputs are read from it, outputs are put into it. */
  readonly store: FileStore;
  /** A private empty folder for scratch files; removed after the run. */
  readonly workDir: string;
  /** How far it is, 0–1, and optionally what it does now ("sampling 3/20"). Cheap: call it often. */
  progress(ratio: number, note?: string): void;
  /** A picture of the work so far. Latest wins; may be dropped. */
  preview(bytes: Uint8Array, mediaType: string): void;
  /**
   * Called right before an act outside that can't be taken back. Resolves with the lease renewed for some seconds;
   * rejects with HandedBack when another process has the job by now, as after a freeze of this one.
   */
  confirm(): Promise<void>;
}

export interface Handler {
  readonly jobKind: JobKind;
  run(input: unknown, job: JobContext): Promise<unknown>;
}

/**
 * Binds a job kind to the function that does it. The kit parses the input before and the output after;
 * the function is told nothing of queues or databases and can be tested alone.
 */
export function handle<I extends z.core.$ZodType, O extends z.core.$ZodType>(
  kind: JobKind<I, O>,
  run: (input: z.output<I>, job: JobContext) => Promise<z.input<O>>,
): Handler {
  return { jobKind: kind as unknown as JobKind, run: run as Handler["run"] };
}
