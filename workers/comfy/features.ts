import type { ComfyClient } from "./client.ts";
import { ComfyError } from "./comfy_error.ts";
import { asList, asNumber, asRecord, asText, asTexts } from "./json.ts";

/** How one prompt is stopped on a worker, best first. */
export type CancelPath =
  | "jobs" // POST /api/jobs/{id}/cancel: atomic
  | "interrupt_by_id" // POST /interrupt with the prompt's id
  | "interrupt_running"; // an old server: whatever runs, so only while it is ours

export interface Device {
  readonly name: string;
  readonly type: string;
  readonly vramTotalBytes: number;
  readonly vramFreeBytes: number;
}

/** What a worker is and can do, as it says itself. */
export interface Features {
  /** ComfyUI's version; "unknown" for servers too old to tell. */
  readonly version: string;
  /** What Seedloop's own CPU engine says of itself; undefined on a ComfyUI. */
  readonly seedloop: unknown;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly jobsApi: boolean;
  readonly cancelPath: CancelPath;
  readonly maxUploadBytes: number;
  readonly system: Readonly<Record<string, unknown>>;
  readonly devices: readonly Device[];
}

/** Asks a worker what it is and can do. Throws ComfyError when it can't be reached. */
export async function probeFeatures(client: ComfyClient, signal?: AbortSignal): Promise<Features> {
  const [stats, flags, jobsApi, jobsCancel] = await Promise.all([
    client.systemStats({ signal }),
    orUndefined(client.getJson("/features", { signal })),
    hasJobs(client, signal),
    hasJobsCancel(client, signal),
  ]);
  const system = asRecord(stats.system) ?? {};
  const version = asText(system.comfyui_version) ?? "unknown";
  const known = asRecord(flags) ?? {};
  return {
    version,
    seedloop: stats.seedloop ?? system.seedloop,
    flags: known,
    jobsApi,
    cancelPath: jobsCancel
      ? "jobs"
      : isAtLeast(version, [0, 3, 57])
      ? "interrupt_by_id"
      : "interrupt_running",
    maxUploadBytes: asNumber(known.max_upload_size) ?? 100 * 1024 * 1024,
    system,
    devices: readDevices(stats.devices),
  };
}

export function readDevices(devices: unknown): Device[] {
  return asList(devices).flatMap((item) => {
    const device = asRecord(item);
    if (device === undefined) return [];
    return [{
      name: asText(device.name) ?? "",
      type: asText(device.type) ?? "",
      vramTotalBytes: asNumber(device.vram_total) ?? 0,
      vramFreeBytes: asNumber(device.vram_free) ?? 0,
    }];
  });
}

/** Facts for provenance: what computed the result. */
export function softwareFacts(
  features: Features,
): { readonly name: string; readonly version: string; readonly details: Record<string, unknown> } {
  const { system } = features;
  const own = asRecord(features.seedloop);
  const details: Record<string, unknown> = {
    comfyui: features.version,
    python: asText(system.python_version),
    pytorch: asText(system.pytorch_version),
    os: asText(system.os),
    arguments: asTexts(system.argv),
    devices: features.devices.map((device) => device.name),
  };
  if (features.seedloop !== undefined) details.seedloop = features.seedloop;
  if (features.seedloop === undefined) return { name: "ComfyUI", version: features.version, details };
  const version = asText(own?.version) ?? features.version;
  return { name: asText(own?.name) ?? "Seedloop CPU engine", version, details };
}

function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split(/[.+-]/).map(Number);
  if (!Number.isFinite(parts[0])) return false;
  for (const [at, wanted] of least.entries()) {
    const part = parts[at];
    const has = part === undefined || Number.isNaN(part) ? 0 : part;
    if (has !== wanted) return has > wanted;
  }
  return true;
}

async function hasJobs(client: ComfyClient, signal: AbortSignal | undefined): Promise<boolean> {
  const answer = await orUndefined(client.getJson("/jobs", { query: { limit: "1" }, signal }));
  return Array.isArray(asRecord(answer)?.jobs);
}

/** An id that nobody has: the call changes nothing and its answer tells whether the route exists. */
async function hasJobsCancel(client: ComfyClient, signal: AbortSignal | undefined): Promise<boolean> {
  const answer = await orUndefined(client.postJson(`/jobs/${crypto.randomUUID()}/cancel`, {}, { signal }));
  return typeof asRecord(answer)?.cancelled === "boolean";
}

/** Undefined when the server has no such route; any other trouble is thrown. */
async function orUndefined(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (problem) {
    if (problem instanceof ComfyError && (problem.reason === "refused" || problem.reason === "not_json")) {
      return undefined;
    }
    throw problem;
  }
}
