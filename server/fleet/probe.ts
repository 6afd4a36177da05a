import * as z from "zod/mini";
import { connectionProblem } from "#server/core/connection_problem.ts";
import type { WorkerProbe } from "./contract.ts";

const Stats = z.object({
  system: z.object({ comfyui_version: z.optional(z.nullable(z.string())) }),
  devices: z.optional(z.array(z.object({
    name: z.optional(z.string()),
    type: z.optional(z.string()),
    vram_total: z.optional(z.nullable(z.number())),
  }))),
});
const PROBE_MS = 5_000;
const MAX_BYTES = 1_000_000;
/** A ComfyUI with hundreds of node packs describes them in some ten megabytes. */
const MAX_NODE_BYTES = 64_000_000;
const NODES_MS = 20_000;

/** Asks the server at `url` what it is. Redirects are not followed: the address was checked, not where it leads. */
export async function probeWorker(url: string, signal: AbortSignal): Promise<Omit<WorkerProbe, "workflows">> {
  const none = { isReachable: false, software: null, version: null, devices: [] };
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
    const response = await fetch(`${url}/system_stats`, { redirect: "manual", signal: deadline });
    const text = await readText(response);
    if (!response.ok) {
      return {
        ...none,
        problem: `Something answers there, but not ComfyUI: it said ${response.status}. Check the port`,
      };
    }
    const stats = Stats.parse(JSON.parse(text));
    return {
      isReachable: true,
      software: "ComfyUI",
      version: stats.system.comfyui_version ?? null,
      devices: (stats.devices ?? []).map(({ name, type, vram_total }) => ({
        name: name ?? "unnamed",
        // On a CPU, ComfyUI gives the machine's memory here.
        vramTotalBytes: vram_total == null || type === "cpu" ? null : Math.round(vram_total),
      })),
      problem: null,
    };
  } catch (error) {
    return { ...none, problem: describe(error) };
  }
}

/** How the server at `url` describes its node classes (`/object_info`); undefined when it can't be read. */
export async function readNodes(
  url: string,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(NODES_MS)]);
    const response = await fetch(`${url}/object_info`, { redirect: "manual", signal: deadline });
    const text = await readText(response, MAX_NODE_BYTES);
    // Python writes numbers that JSON has not.
    const nodes: unknown = response.ok
      ? JSON.parse(text.replace(/(?<=[:[,]\s*)-?(?:NaN|Infinity)(?=\s*[,}\]])/g, "null"))
      : undefined;
    return typeof nodes === "object" && nodes !== null ? nodes as Record<string, unknown> : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function describe(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof z.core.$ZodError) {
    return "Something answers there, but not ComfyUI. Check the port";
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return "Nothing answered in 5 seconds: is ComfyUI started with --listen, and does a firewall let it through?";
  }
  return `It can't be reached: ${connectionProblem(error)}`;
}

async function readText(response: Response, maxBytes = MAX_BYTES): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return text + decoder.decode();
    text += decoder.decode(part.value, { stream: true });
    if (text.length > maxBytes) {
      await reader?.cancel();
      throw new SyntaxError("Too long an answer");
    }
  }
}
