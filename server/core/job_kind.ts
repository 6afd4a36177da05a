import * as z from "zod/mini";

/** Where a job runs: gpu = a generation worker, cpu = this machine's cores, io = disk and network. */
export const Lane = z.enum(["gpu", "cpu", "io", "script"]);
export type Lane = z.infer<typeof Lane>;

/** The threads that run jobs: folders of `workers/`. */
export type ThreadName = "comfy" | "media" | "vision" | "files";

/** A kind of job, declared once: the queue, the thread's handler and the callers all read it. */
export interface JobKind<
  I extends z.core.$ZodType = z.core.$ZodType,
  O extends z.core.$ZodType = z.core.$ZodType,
> {
  readonly kind: "job";
  /** "media.proxy": `<thread or slice>.<verb or noun>`; a row of `job_kind`. */
  readonly code: string;
  readonly lane: Lane;
  readonly thread: ThreadName;
  readonly input: I;
  readonly output: O;
  /** A run longer than this is taken to be stuck, and is cancelled and retried. */
  readonly timeoutMs: number;
  /** It makes sense for no thing in particular: people may submit, duplicate and import it by itself. */
  readonly standsAlone?: boolean;
}

export function jobKind<I extends z.core.$ZodType, O extends z.core.$ZodType>(
  spec: Omit<JobKind<I, O>, "kind">,
): JobKind<I, O> {
  return { ...spec, kind: "job" };
}

// deno-lint-ignore no-explicit-any -- a job kind of any shape
export type AnyJobKind = JobKind<any, any>;
