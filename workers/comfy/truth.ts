import type { ComfyClient } from "./client.ts";
import { ComfyError } from "./comfy_error.ts";
import type { Features } from "./features.ts";
import type { HistoryEntry } from "./history.ts";
import { asRecord, asText } from "./json.ts";

/** Where a prompt really is. "unknown": the server has never heard of it, or has forgotten it. */
export type Truth =
  | { readonly state: "pending" }
  | { readonly state: "running" }
  | { readonly state: "ended"; readonly entry: HistoryEntry }
  | { readonly state: "unknown" };

/**
 * Reads from the server where a prompt is. Throws ComfyError when the server doesn't answer. `isSaidToHaveEnded`
 * only spares the question whether it has: its record says so too.
 */
export async function readTruth(
  client: ComfyClient,
  features: Features,
  promptId: string,
  signal?: AbortSignal,
  isSaidToHaveEnded = false,
): Promise<Truth> {
  if (isSaidToHaveEnded) {
    const entry = await client.history(promptId, { signal });
    if (entry !== undefined) return { state: "ended", entry };
  }
  if (features.jobsApi) {
    const state = await readJobState(client, promptId, signal);
    if (state !== undefined) return { state };
  }
  const options = { signal };
  const entry = await client.history(promptId, options);
  if (entry !== undefined) return { state: "ended", entry };
  const queue = await client.queue(options);
  if (queue.running.some((one) => one.promptId === promptId)) return { state: "running" };
  if (queue.pending.some((one) => one.promptId === promptId)) return { state: "pending" };
  // It may have ended between the two readings.
  const later = await client.history(promptId, options);
  return later === undefined ? { state: "unknown" } : { state: "ended", entry: later };
}

/**
 * Where several prompts are. The queue is read once and first: what is absent from it and from the history
 * read afterwards is unknown, for a prompt goes from one to the other in one step.
 */
export async function readTruths(
  client: ComfyClient,
  features: Features,
  promptIds: readonly string[],
  signal?: AbortSignal,
): Promise<Truth[]> {
  if (features.jobsApi) {
    return await Promise.all(promptIds.map((promptId) => readTruth(client, features, promptId, signal)));
  }
  const { running, pending } = await client.queue({ signal });
  return await Promise.all(promptIds.map(async (promptId): Promise<Truth> => {
    if (running.some((one) => one.promptId === promptId)) return { state: "running" };
    if (pending.some((one) => one.promptId === promptId)) return { state: "pending" };
    const entry = await client.history(promptId, { signal });
    return entry === undefined ? { state: "unknown" } : { state: "ended", entry };
  }));
}

/** The cheap question of current servers; undefined when history has to say more. */
async function readJobState(
  client: ComfyClient,
  promptId: string,
  signal: AbortSignal | undefined,
): Promise<"pending" | "running" | "unknown" | undefined> {
  try {
    const job = asRecord(await client.getJson(`/jobs/${encodeURIComponent(promptId)}`, { signal }));
    const status = asText(job?.status);
    if (status === "pending") return "pending";
    return status === "in_progress" ? "running" : undefined;
  } catch (problem) {
    if (problem instanceof ComfyError && problem.status === 404) return "unknown";
    if (problem instanceof ComfyError && problem.reason === "refused") return undefined;
    throw problem;
  }
}
