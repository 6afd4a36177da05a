import * as z from "zod/mini";
import { jobKind } from "#server/core/job_kind.ts";

/** A job that does nothing, under the name of a real kind, and says how late it was started when it had a due time. */
export const benchJob = jobKind({
  code: "media.inspect",
  lane: "cpu",
  thread: "media",
  timeoutMs: 60_000,
  input: z.object({ act: z.string(), count: z.int(), dueMs: z.optional(z.number()) }),
  output: z.object({ latencyMs: z.optional(z.number()) }),
});

/** Milliseconds since 1970 with fractions, the same in every process of the machine. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
