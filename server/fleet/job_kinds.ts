import * as z from "zod/mini";
import { FileRef } from "#server/core/file_ref.ts";
import { jobKind } from "#server/core/job_kind.ts";

/** A ComfyUI API-format graph: node id → class and inputs. Kept verbatim; never rewritten on the way. */
export const ApiGraph = z.record(
  z.string(),
  z.object({
    class_type: z.string(),
    inputs: z.record(z.string(), z.unknown()),
    _meta: z.optional(z.object({ title: z.optional(z.string()) })),
  }),
);
export type ApiGraph = z.infer<typeof ApiGraph>;

/**
 * Runs one prompt on one worker and fetches its outputs. Safe to run again: it first asks the worker for
 * `earlierPromptIds` (attempts of this job before a crash) and adopts one that is queued, running or done.
 */
export const generate = jobKind({
  code: "comfy.generate",
  lane: "gpu",
  thread: "comfy",
  timeoutMs: 7_200_000,
  standsAlone: true,
  input: z.object({
    workerId: z.string(),
    workerUrl: z.string(),
    /** UUID under which this attempt is submitted. */
    promptId: z.string(),
    earlierPromptIds: z.array(z.string()),
    graph: ApiGraph,
    /** Files the graph reads: uploaded once by hash, then the name the worker gave is set at each place. */
    uploads: z.array(z.object({
      file: FileRef,
      extension: z.string(),
      places: z.array(z.object({ node: z.string(), input: z.string() })),
      /** What it was bound as: kept for provenance, not read by the bridge. */
      parameter: z.optional(z.string()),
    })),
    /** Nodes whose files are wanted. Success without a file from each is the failure "output_missing". */
    outputNodes: z.array(z.string()),
    /** What was bound, by parameter: kept for provenance, not read by the bridge. */
    values: z._default(z.record(z.string(), z.unknown()), {}),
  }),
  output: z.object({
    promptId: z.string(),
    adopted: z.boolean(),
    outputs: z.array(z.object({ node: z.string(), fileName: z.string(), file: FileRef })),
    /** The graph as it was sent, uploads in place: provenance (SPEC rule 5). */
    graph: ApiGraph,
    software: z.object({ name: z.string(), version: z.string(), details: z.record(z.string(), z.unknown()) }),
    timings: z.object({
      submittedAt: z.string(),
      startedAt: z.nullable(z.string()),
      finishedAt: z.string(),
      /** Milliseconds each node ran, by node id; cached nodes are absent. */
      nodesMs: z.record(z.string(), z.number()),
      cachedNodes: z.array(z.string()),
    }),
  }),
});
