import type * as z from "zod/mini";
import type { JobKind } from "#server/core/job_kind.ts";
import type { Tx } from "#server/db/db.ts";

/** A job as those see it for whom it was done. */
export interface SettledJob<Input = unknown> {
  readonly id: string;
  readonly kind: string;
  readonly projectId: string | null;
  readonly userId: string | null;
  readonly seedId: string | null;
  readonly takeId: string | null;
  readonly cutId: string | null;
  readonly masterId: string | null;
  readonly fileHash: string | null;
  readonly workerId: string | null;
  readonly workflowVersionId: string | null;
  readonly attempt: number;
  readonly input: Input;
}

export interface JobFailure {
  /** A code of `failure_class`. */
  readonly failureClass: string;
  /** A sentence for people. */
  readonly message: string;
}

/**
 * What a slice does when a job of its has ended for good. It runs inside the transaction that ends the job, so
 * either both are true or neither; a settlement that throws fails the job as "internal".
 */
export interface Settlement<
  I extends z.core.$ZodType = z.core.$ZodType,
  O extends z.core.$ZodType = z.core.$ZodType,
> {
  readonly kind: JobKind<I, O>;
  done(tx: Tx, job: SettledJob<z.output<I>>, output: z.output<O>): Promise<void>;
  failed(tx: Tx, job: SettledJob<z.output<I>>, failure: JobFailure): Promise<void>;
  cancelled(tx: Tx, job: SettledJob<z.output<I>>): Promise<void>;
  /** A person has queued the job again after it failed or was cancelled: take back what that made of its things. */
  retried?(tx: Tx, job: SettledJob<z.output<I>>): Promise<void>;
}
