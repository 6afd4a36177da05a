import { dirname, join } from "@std/path/mod.js";
import { errorMessage } from "#server/core/errors.ts";
import { deadline } from "#server/core/time.ts";
import type { Config } from "#server/config.ts";
import { connect } from "#server/db/db.ts";
import { describeEmbeddedPostgres } from "#server/db/pg_programs.ts";
import { countWorkers, readDatabaseVersion } from "#server/health/queries.ts";
import { S3Store } from "#server/files/s3_store.ts";
import type { StorePlace } from "#server/files/store_place.ts";
import { readDisk } from "#server/health/service.ts";
import { openMediaTools } from "#workers/media/run.ts";
import { describeVision } from "#workers/vision/describe.ts";

/** One part that the studio stands on. */
export interface Finding {
  /** "runtime", "database", "media", "browser", "disk", "store", "workers", "faces". */
  readonly name: string;
  /** degraded: it works, and would work better after the mend. missing: the studio does not work without it. */
  readonly state: "ok" | "degraded" | "missing";
  /** What is there, for people. */
  readonly found: string;
  /** What to do about it; absent when it is ok. */
  readonly mend?: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

const OLDEST_DENO = "2.9.6";
const OLDEST_POSTGRES = 14;
const GB = 1_000_000_000;
const ANSWER_MS = 5_000;
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Looks at every part and changes nothing. Never throws: a part that can't be looked at is a finding. */
export async function examine(config: Config): Promise<Finding[]> {
  const running = await findRunning(config);
  return await Promise.all([
    lookAt("runtime", () => Promise.resolve(examineRuntime())),
    lookAt("database", () => examineDatabase(config, running)),
    lookAt("media", () => examineMedia(config)),
    lookAt("workers", () => examineWorkers(config, running)),
    lookAt("faces", examineFaces),
    lookAt("disk", () => examineDisk(config.data)),
    lookAt("store", () => examineStore(config.store)),
    lookAt("browser", examineBrowser),
  ]);
}

type Look = Omit<Finding, "name">;

async function lookAt(name: string, look: () => Promise<Look>): Promise<Finding> {
  try {
    return { name, ...await look() };
  } catch (error) {
    return {
      name,
      state: "missing",
      found: errorMessage(error),
      mend: 'Run "deno install" in the project\'s folder, then this again',
      facts: {},
    };
  }
}

export function examineRuntime(version: string = Deno.version.deno): Look {
  const memory = Deno.systemMemoryInfo();
  const facts = {
    deno: version,
    os: Deno.build.os,
    arch: Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memoryBytes: memory.total,
    freeMemoryBytes: memory.available,
  };
  const found = `Deno ${version} on ${facts.os} ${facts.arch}, ${facts.cores} cores, ${
    gigabytes(memory.total)
  }`;
  if (compareVersions(version, OLDEST_DENO) < 0) {
    const mend =
      `Install Deno ${OLDEST_DENO} or newer ("deno upgrade" or "npm install -g deno"): older ones stall uploads`;
    return { state: "missing", found, mend, facts };
  }
  if (memory.total < 4 * GB) {
    return { state: "degraded", found, mend: "Give the machine 4 GB of memory or more", facts };
  }
  return { state: "ok", found, facts };
}

/** Below 0 when `a` is the older one. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.+-]/).slice(0, 3).map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] || 0) - (right?.[index] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The address of the database that is in use now: the one given, or that of a studio which runs on this folder. */
async function findRunning(config: Config): Promise<string | undefined> {
  if (config.databaseUrl) return config.databaseUrl;
  try {
    const [, , , port] = (await Deno.readTextFile(join(config.data, "pg", "postmaster.pid"))).split("\n");
    const password = (await Deno.readTextFile(join(config.data, "pg.password"))).trim();
    return `postgres://seedloop:${password}@127.0.0.1:${Number(port)}/postgres`;
  } catch {
    return undefined;
  }
}

async function ask<T>(url: string, question: (db: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
  const db = connect({ url, max: 1, applicationName: "seedloop-doctor", statementTimeoutMs: ANSWER_MS });
  try {
    return await deadline(question(db), ANSWER_MS, () => new Error("It does not answer within 5 s"));
  } finally {
    await db.end({ timeout: 1 });
  }
}

async function examineDatabase(config: Config, running: string | undefined): Promise<Look> {
  if (config.databaseUrl) return await examineExternal(config.databaseUrl);
  const { version } = await describeEmbeddedPostgres();
  const answers = running ? await ask(running, readDatabaseVersion).catch(() => undefined) : undefined;
  return {
    state: "ok",
    found: `PostgreSQL ${answers ?? /^\d+\.\d+/.exec(version)?.[0] ?? version}, embedded${
      answers ? ", running" : ""
    }`,
    facts: { mode: "embedded", version, isRunning: answers !== undefined },
  };
}

async function examineExternal(url: string): Promise<Look> {
  const { hostname, port, pathname } = new URL(url);
  const place = `${hostname}:${port || 5432}${pathname}`;
  try {
    const version = await ask(url, readDatabaseVersion);
    const isOld = Number.parseInt(version) < OLDEST_POSTGRES;
    return {
      state: isOld ? "missing" : "ok",
      found: `PostgreSQL ${version} at ${place}`,
      ...(isOld
        ? { mend: `Upgrade it to PostgreSQL ${OLDEST_POSTGRES} or newer, or unset DATABASE_URL` }
        : {}),
      facts: { mode: "external", version, isRunning: true },
    };
  } catch (error) {
    return {
      state: "missing",
      found: `No PostgreSQL at ${place}: ${errorMessage(error)}`,
      mend: "Start it or correct DATABASE_URL; without DATABASE_URL the studio brings its own",
      facts: { mode: "external", isRunning: false },
    };
  }
}

async function examineMedia(config: Config): Promise<Look> {
  const tools = await openMediaTools({ ffmpeg: config.ffmpeg, backend: config.mediaBackend });
  const { kind, version, path, notes } = tools.backend;
  await tools.close();
  const facts = { kind, version, path, notes };
  const found = `ffmpeg ${version}, ${kind === "native" ? path ?? "native" : "the one in WebAssembly"}`;
  if (kind === "native") return { state: "ok", found, facts };
  const why = notes.length > 0 ? ` (${notes.join("; ")})` : "";
  return {
    state: "degraded",
    found: found + why,
    mend: "Install ffmpeg and ffprobe with libx264, or name them with --ffmpeg: it is several times faster",
    facts,
  };
}

async function examineWorkers(config: Config, running: string | undefined): Promise<Look> {
  const workers = running ? await ask(running, countWorkers).catch(() => undefined) : undefined;
  const embedded = "CPU engine (embedded): an honest preview without a model";
  const mend = "Start the studio and register a ComfyUI server in its settings for real generation";
  if (!workers) {
    const found = `${embedded}; the studio does not run on ${config.data}, so no others are known`;
    return { state: "degraded", found, mend, facts: { engine: "embedded" } };
  }
  const found = `${workers.online} of ${workers.total} workers online`;
  const facts = { engine: "embedded", ...workers };
  // One of them is the CPU engine.
  if (workers.online > 1) return { state: "ok", found, facts };
  return { state: "degraded", found: `${found}; ${embedded}`, mend, facts };
}

async function examineFaces(): Promise<Look> {
  const { status, model, hash, mend } = await describeVision();
  if (status === "ready") return { state: "ok", found: `Likeness by ${model}`, facts: { model, hash } };
  return { state: "degraded", found: "No face model", ...(mend ? { mend } : {}), facts: { model, hash } };
}

/** A bucket is written to, read and listed, as the studio would. */
async function examineStore(place: StorePlace): Promise<Look> {
  if (typeof place === "string") return { state: "ok", found: `Media in ${place}`, facts: { folder: place } };
  const { endpoint, bucket, prefix } = place;
  const facts = { endpoint, bucket, prefix };
  try {
    await new S3Store(place).check(AbortSignal.timeout(ANSWER_MS));
    return { state: "ok", found: `Media in the bucket "${bucket}" at ${endpoint}`, facts };
  } catch (error) {
    const mend = "Mend what it says, or choose a folder with --store";
    return { state: "missing", found: errorMessage(error), mend, facts };
  }
}

async function examineDisk(folder: string): Promise<Look> {
  const disk = await readDisk(await nearestFolder(folder));
  if (!disk) {
    const mend = "Watch the free space yourself: this system does not tell it";
    return { state: "degraded", found: `Free space of ${folder} is unknown`, mend, facts: { folder } };
  }
  const found = `${gigabytes(disk.freeBytes)} of ${gigabytes(disk.totalBytes)} free for ${folder}`;
  return { ...judgeDisk(disk.freeBytes), found, facts: { folder, ...disk } };
}

/** Under 1 GB nothing can be rendered; under 20 GB a day of takes fills it. */
export function judgeDisk(freeBytes: number): Pick<Look, "state" | "mend"> {
  if (freeBytes < GB) {
    return { state: "missing", mend: "Free some space, or choose another folder with --data" };
  }
  if (freeBytes < 20 * GB) {
    return {
      state: "degraded",
      mend: "Have 20 GB or more free: takes are kept without loss until they are reclaimed",
    };
  }
  return { state: "ok" };
}

/** The folder itself, or the nearest above it that is there: it is made at the first start. */
async function nearestFolder(folder: string): Promise<string> {
  for (let path = folder;; path = dirname(path)) {
    if (path === dirname(path) || await Deno.stat(path).then(() => true, () => false)) return path;
  }
}

async function examineBrowser(): Promise<Look> {
  for (const name of BROWSERS) {
    try {
      const { success, stdout } = await new Deno.Command(name, {
        args: ["--version"],
        stdin: "null",
        stderr: "null",
        signal: AbortSignal.timeout(ANSWER_MS),
      }).output();
      if (success) return { state: "ok", found: new TextDecoder().decode(stdout).trim(), facts: { name } };
    } catch {
      // Not this one.
    }
  }
  return {
    state: "degraded",
    found: "No Chromium on the PATH: tests of the browser fetch one from npm (67 MB)",
    mend: "Install Chromium, or name it in SEEDLOOP_CHROMIUM; only tests need it",
    facts: {},
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / GB).toFixed(bytes < 10 * GB ? 1 : 0)} GB`;
}
