import { isImageBatch } from "./image_batch.ts";

/** What a node made: one list per output (lists fan out), and what it showed, if anything. */
export interface NodeRecord {
  readonly outputs: readonly (readonly unknown[])[];
  readonly ui: Readonly<Record<string, readonly unknown[]>> | undefined;
}

/** Results by signature, the longest unused dropped first once their memory passes the limit. */
export interface ResultCache {
  /** The record, marked as used now. */
  get(signature: string): NodeRecord | undefined;
  set(signature: string, record: NodeRecord): void;
  clear(): void;
  /** Bytes that the records hold, as far as the engine can know. */
  readonly memory: number;
}

/** An empty cache that holds about `limit` bytes beside what the running prompt itself needs. */
export function createCache(limit: number): ResultCache {
  // A Map iterates in insertion order: re-inserting on use makes it an LRU.
  const records = new Map<string, { record: NodeRecord; memory: number }>();
  let memory = 0;

  function drop(signature: string): void {
    const entry = records.get(signature);
    if (!entry) return;
    records.delete(signature);
    memory -= entry.memory;
  }

  return {
    get memory() {
      return memory;
    },
    get(signature) {
      const entry = records.get(signature);
      if (!entry) return undefined;
      records.delete(signature);
      records.set(signature, entry);
      return entry.record;
    },
    set(signature, record) {
      drop(signature);
      const size = memoryOf(record);
      records.set(signature, { record, memory: size });
      memory += size;
      for (const oldest of records.keys()) {
        if (memory <= limit || oldest === signature) break;
        drop(oldest);
      }
    },
    clear() {
      records.clear();
      memory = 0;
    },
  };
}

function memoryOf(record: NodeRecord): number {
  // Every record costs something, so that a flood of small ones is bounded too.
  let bytes = 1024;
  for (const value of record.outputs.flat()) {
    if (isImageBatch(value)) bytes += value.memory;
    else if (typeof value === "string") bytes += 2 * value.length;
    else if (hasSamples(value)) bytes += value.samples.byteLength;
  }
  return bytes;
}

function hasSamples(value: unknown): value is { samples: Float32Array } {
  return typeof value === "object" && value !== null && "samples" in value &&
    value.samples instanceof Float32Array;
}
