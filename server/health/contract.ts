import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { Instant } from "#server/core/time.ts";

export const ThreadHealth = z.object({
  name: z.string(),
  status: z.enum(["starting", "running", "waiting", "stopped"]),
  restarts: z.int(),
  since: Instant,
  lastError: z.nullable(z.string()),
});
export type ThreadHealth = z.infer<typeof ThreadHealth>;

export const HealthStatus = z.object({
  version: z.string(),
  startedAt: Instant,
  /** Whether everything is there that a render needs; `missing` says what is not, as sentences. */
  isReady: z.boolean(),
  missing: z.array(z.string()),
  threads: z.array(ThreadHealth),
  /** "PostgreSQL 18.4, embedded"; null when it does not answer. */
  database: z.nullable(z.string()),
  /** "ffmpeg 7.1, native"; null while it is looked for. */
  media: z.nullable(z.string()),
  /** Of the disk that holds the data; null where the system does not tell. */
  disk: z.nullable(z.object({ freeBytes: z.int(), totalBytes: z.int() })),
  workers: z.object({ online: z.int(), total: z.int() }),
  /** Open live sockets of this server process. */
  sockets: z.int(),
  machine: z.object({
    host: z.string(),
    os: z.string(),
    cores: z.int(),
    memoryBytes: z.int(),
    freeMemoryBytes: z.int(),
    runtime: z.string(),
  }),
});
export type HealthStatus = z.infer<typeof HealthStatus>;

export const getHealthStatus = endpoint({
  method: "GET",
  path: "/health/status",
  can: "signed_in",
  summary: "How the studio is: database, threads, workers, media tools, disk",
  reply: HealthStatus,
});

/** Where the studio keeps its files, and whether it can. */
export const StorageFacts = z.object({
  folder: z.string(),
  /** False when a file could not be written there just now; `problem` says why. */
  isWritable: z.boolean(),
  problem: z.nullable(z.string()),
  disk: z.nullable(z.object({ freeBytes: z.int(), totalBytes: z.int() })),
  files: z.object({ count: z.int(), bytes: z.int() }),
  database: z.nullable(z.string()),
});
export type StorageFacts = z.infer<typeof StorageFacts>;

export const getStorageFacts = endpoint({
  method: "GET",
  path: "/health/storage",
  can: "settings.read",
  summary: "Where the studio keeps its files, how full that disk is, and whether it can be written to",
  reply: StorageFacts,
});
