import type { ApiGraph, generate } from "#server/fleet/job_kinds.ts";
import type * as z from "zod/mini";

/** The input of the job `comfy.generate`. */
export type GenerateInput = z.output<typeof generate.input>;

/** Stands in templates' string inputs for a file name prefix that no other prompt has. */
export const PREFIX_TOKEN = "%SEEDLOOP_PREFIX%";

/** Where a prompt's files lie on its worker: two prompts never share a prefix, so nothing is served stale. */
export function outputPrefix(promptId: string): string {
  return `seedloop/${promptId}`;
}

/**
 * The graph as it will be sent: prefix tokens replaced, and `names[i]` at each place of `uploads[i]`.
 * `graph` itself stays as it is.
 */
export function fillGraph(
  graph: ApiGraph,
  promptId: string,
  uploads: GenerateInput["uploads"],
  names: readonly string[],
): ApiGraph {
  const prefix = outputPrefix(promptId);
  const filled: ApiGraph = {};
  for (const [id, node] of Object.entries(graph)) {
    const inputs = Object.entries(node.inputs).map(([name, value]) => [
      name,
      typeof value === "string" ? value.replaceAll(PREFIX_TOKEN, prefix) : value,
    ]);
    filled[id] = { ...node, inputs: Object.fromEntries(inputs) };
  }
  for (const [at, upload] of uploads.entries()) {
    for (const place of upload.places) {
      const node = filled[place.node];
      if (node !== undefined) node.inputs[place.input] = names[at];
    }
  }
  return filled;
}
