import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod/mini";
import { errorMessage } from "#server/core/errors.ts";
import { deadline } from "#server/core/time.ts";
import type { Db } from "#server/db/db.ts";
import type { HealthStatus, StorageFacts, ThreadHealth } from "./contract.ts";
import * as queries from "./queries.ts";

const MediaBackend = z.object({ kind: z.string(), version: z.string() });

/** What only the running process knows. The composition root gives it; threads may still be starting. */
export interface Vitals {
  readonly version: string;
  readonly startedAt: string;
  readonly isDatabaseEmbedded: boolean;
  /** The folder whose disk counts. */
  readonly dataFolder: string;
  threads(): readonly (Omit<ThreadHealth, "lastError"> & { readonly lastError?: string })[];
  /** Where the CPU engine answers; undefined while it starts. */
  engineUrl(): string | undefined;
  /** `MediaBackend` of workers/media, as its thread told it. */
  mediaBackend(): unknown;
  socketCount(): number;
}

export interface HealthParts {
  readonly db: Db;
  readonly vitals: Vitals;
}

/** How long the database may take to answer before it counts as gone. */
const ANSWER_MS = 2_000;

export async function readHealth({ db, vitals }: HealthParts): Promise<HealthStatus> {
  const [version, workers, disk] = await Promise.all([
    answer(queries.readDatabaseVersion(db)),
    answer(queries.countWorkers(db)),
    readDisk(vitals.dataFolder),
  ]);
  const missing = listMissing(vitals, version !== undefined);
  const media = MediaBackend.safeParse(vitals.mediaBackend()).data;
  return {
    version: vitals.version,
    startedAt: vitals.startedAt,
    isReady: missing.length === 0,
    missing,
    threads: vitals.threads().map((thread) => ({ ...thread, lastError: thread.lastError ?? null })),
    database: describeDatabase(vitals, version),
    media: media ? `ffmpeg ${media.version}, ${media.kind}` : null,
    disk: disk ?? null,
    workers: workers ?? { online: 0, total: 0 },
    sockets: vitals.socketCount(),
    machine: {
      host: Deno.hostname(),
      os: `${Deno.build.os} ${Deno.build.arch}`,
      cores: navigator.hardwareConcurrency,
      memoryBytes: Deno.systemMemoryInfo().total,
      freeMemoryBytes: Deno.systemMemoryInfo().available,
      runtime: `Deno ${Deno.version.deno}`,
    },
  };
}

function describeDatabase(vitals: Vitals, version: string | undefined): string | null {
  return version === undefined
    ? null
    : `PostgreSQL ${version}, ${vitals.isDatabaseEmbedded ? "embedded" : "external"}`;
}

/** Where files are kept; a small file is really written there and removed again. */
export async function readStorage({ db, vitals }: HealthParts): Promise<StorageFacts> {
  const [version, files, disk, problem] = await Promise.all([
    answer(queries.readDatabaseVersion(db)),
    answer(queries.countFiles(db)),
    readDisk(vitals.dataFolder),
    tryToWrite(vitals.dataFolder),
  ]);
  return {
    folder: resolve(vitals.dataFolder),
    isWritable: problem === undefined,
    problem: problem ?? null,
    disk: disk ?? null,
    files: files ?? { count: 0, bytes: 0 },
    database: describeDatabase(vitals, version),
  };
}

/** Why a file can't be written into `folder`; undefined when it can. */
async function tryToWrite(folder: string): Promise<string | undefined> {
  try {
    const trial = await mkdtemp(join(folder, "write_check_"));
    try {
      await writeFile(join(trial, "file"), "seedloop");
    } finally {
      await rm(trial, { recursive: true });
    }
    return undefined;
  } catch (error) {
    return `Nothing can be written to the data folder: ${errorMessage(error)}`;
  }
}

/** What stands in the way of serving, as sentences; none when the studio is ready. */
export async function findMissing({ db, vitals }: HealthParts): Promise<string[]> {
  return listMissing(vitals, await answer(queries.readDatabaseVersion(db)) !== undefined);
}

function listMissing(vitals: Vitals, hasDatabase: boolean): string[] {
  const threads = vitals.threads();
  return [
    ...(hasDatabase ? [] : ["The database does not answer"]),
    ...(threads.length > 0 ? [] : ["The threads have not been started"]),
    ...threads.filter(({ status }) => status !== "running").map(({ name, status, lastError }) =>
      `The ${name} thread is ${status}${lastError ? ` (${lastError})` : ""}`
    ),
    ...(vitals.engineUrl() ? [] : ["The CPU engine does not answer yet"]),
  ];
}

/** Bytes of the disk that holds `folder`; undefined where the system does not tell. */
export async function readDisk(
  folder: string,
): Promise<{ freeBytes: number; totalBytes: number } | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return undefined;
  }
}

async function answer<T>(query: Promise<T>): Promise<T | undefined> {
  return await deadline(query, ANSWER_MS, () => new Error("The database is late")).catch(() => undefined);
}

export const { countConnections, countOpenJobs } = queries;
