import { createHash } from "node:crypto";
import type { Profile } from "#workers/kit/fleet_messages.ts";
import { asRecord, writeJson } from "./json.ts";
import type { WorkerState } from "./monitor.ts";

/** What a worker is made of, from its `/object_info` and what was last seen of it. */
export function profileOf(
  workerId: string,
  nodes: Readonly<Record<string, unknown>>,
  state: WorkerState,
): Profile {
  return {
    workerId,
    version: state.version ?? null,
    nodes: Object.entries(nodes).map(([name, info]) => [name, digestOf(info)]),
    models: Object.entries(state.models ?? {}).flatMap(([folder, files]) =>
      files.map(({ name, sizeBytes }) => ({ folder, name, sizeBytes }))
    ),
    devices: state.devices.map(({ name, vramTotalBytes }) => ({ name, vramTotalBytes })),
  };
}

/** A digest of how a node is described, without the lists of files that it offers: those are no change of the node. */
export function digestOf(info: unknown): string {
  const node = asRecord(info);
  const described = node === undefined ? info : { ...node, input: withoutFiles(node.input) };
  return createHash("sha256").update(writeJson(described)).digest("hex").slice(0, 32);
}

const FILE = /\.[A-Za-z0-9]{2,12}$/;
/** Inputs whose choices are what lies on the disk: models, folders; not the samplers, which are code. */
const DISK = /folder|file|image|video|audio|directory|^(?!sampler_)\w+_name\d*$/i;

function withoutFiles(value: unknown): unknown {
  if (Array.isArray(value)) {
    const isTexts = value.every((item) => typeof item === "string");
    // An empty list of files gets its first one some day.
    if (isTexts && (value.length === 0 || value.some((item) => FILE.test(item)))) return "files";
    return value.map(withoutFiles);
  }
  const record = asRecord(value);
  if (record === undefined) return value;
  // The default of a list of files is the first of them.
  const { default: given, ...rest } = record;
  const kept = typeof given === "string" && FILE.test(given) ? rest : record;
  return Object.fromEntries(
    Object.entries(kept).map(([key, item]) => {
      const isChoice = DISK.test(key) && Array.isArray(item) && Array.isArray(item[0]);
      return [key, withoutFiles(isChoice ? ["files", ...item.slice(1)] : item)];
    }),
  );
}
