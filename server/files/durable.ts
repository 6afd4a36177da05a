import { createHash } from "node:crypto";
import { dirname, join } from "@std/path/mod.js";
import { AppError } from "#server/core/errors.ts";
import type { FileSource, PutOptions } from "#server/files/store.ts";

/** The moments of a durable write at which a test may end the process, in order. */
export const FAIL_POINTS = [
  "temp_opened",
  "half_written",
  "written",
  "file_synced",
  "renamed",
  "folder_synced",
] as const;
export type FailPoint = (typeof FAIL_POINTS)[number];

/** What was written: SHA-256 in lower-case hex, and the size. */
export interface Written {
  readonly hash: string;
  readonly sizeBytes: number;
}

export interface DurableTarget extends PutOptions {
  /** Where the file goes, on the same file system as `tempFolder`. Its folder is made when missing. */
  readonly place: string | ((written: Written) => string);
  /** Where the bytes lie until they are complete; swept by whoever owns it. The folder of `place` by default. */
  readonly tempFolder?: string;
  /** Permission bits, 0o644 by default. */
  readonly mode?: number;
  readonly failPoint?: (point: FailPoint) => void;
}

/** Ends the name of every file that is not complete yet. */
export const TEMP_SUFFIX = ".part";

const CHUNK_BYTES = 256 * 1024;

/**
 * The one way a file comes to be: written under a temporary name, hashed on the way, checked, flushed, renamed
 * to its place, its folder flushed. When it returns, the file survives a power cut; when it throws or the
 * process dies, nothing is seen at the place, or all of it. Throws AppError storage_full, too_large, conflict.
 */
export async function writeDurably(source: FileSource, target: DurableTarget): Promise<Written> {
  try {
    const isGiven = !(source instanceof Uint8Array) && !(source instanceof ReadableStream) && source.take;
    return isGiven ? await takeFile(source.path, target) : await copyIn(source, target);
  } catch (error) {
    throw translateDiskError(error);
  }
}

async function copyIn(source: FileSource, target: DurableTarget): Promise<Written> {
  const folder = target.tempFolder ?? dirname(placeOf(target, { hash: "", sizeBytes: 0 }));
  const tempPath = join(folder, `${Deno.pid}-${crypto.randomUUID()}${TEMP_SUFFIX}`);
  const { value: file, changed } = await inFolder(
    folder,
    () => Deno.open(tempPath, { write: true, createNew: true, mode: target.mode ?? 0o644 }),
  );
  try {
    let written: Written;
    try {
      target.failPoint?.("temp_opened");
      written = await pour(source, file, target);
      target.failPoint?.("written");
      await checkSize(file, written);
      await file.sync();
    } finally {
      file.close();
    }
    await settle(tempPath, written, target, changed);
    return written;
  } catch (error) {
    await removeIfThere(tempPath);
    throw error;
  }
}

/** Moves a finished file in; where its file system is another one, copies it and removes the original. */
async function takeFile(path: string, target: DurableTarget): Promise<Written> {
  // Windows flushes only what is open for writing; elsewhere a read-only file can be given too.
  const file = await Deno.open(path, { read: true, write: Deno.build.os === "windows" });
  let written: Written;
  try {
    written = await hashOf(file, target);
    target.failPoint?.("written");
    await checkSize(file, written);
    await file.sync();
  } finally {
    file.close();
  }
  if (target.mode !== undefined && Deno.build.os !== "windows") await Deno.chmod(path, target.mode);
  // A fresh time tells the orphan sweep that someone is about to name this file.
  await Deno.utime(path, new Date(), new Date());
  try {
    await settle(path, written, target);
  } catch (error) {
    if (codeOf(error) !== "EXDEV") throw error;
    await copyIn({ path }, { ...target, expect: written });
    await removeIfThere(path);
  }
  return written;
}

/**
 * Checks against what was announced, then makes the complete file visible. `alsoChanged` are folders whose lists of
 * names were changed for it already.
 */
async function settle(
  tempPath: string,
  written: Written,
  target: DurableTarget,
  alsoChanged: readonly string[] = [],
): Promise<void> {
  checkExpected(written, target.expect);
  target.failPoint?.("file_synced");
  const place = placeOf(target, written);
  const { changed } = await inFolder(dirname(place), () => Deno.rename(tempPath, place));
  target.failPoint?.("renamed");
  // At once: nothing is promised before all are on the disk, and the disk writes them together.
  await Promise.all([...new Set([dirname(place), ...changed, ...alsoChanged])].map(syncFolder));
  target.failPoint?.("folder_synced");
}

async function pour(source: FileSource, file: Deno.FsFile, target: DurableTarget): Promise<Written> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of chunksOf(source, target.signal)) {
    target.signal?.throwIfAborted();
    sizeBytes += chunk.length;
    checkLimit(sizeBytes, target.maxBytes);
    hash.update(chunk);
    await writeAll(file, chunk);
    target.failPoint?.("half_written");
  }
  return { hash: hash.digest("hex"), sizeBytes };
}

async function hashOf(file: Deno.FsFile, target: DurableTarget): Promise<Written> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(CHUNK_BYTES);
  let sizeBytes = 0;
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    target.signal?.throwIfAborted();
    sizeBytes += read;
    checkLimit(sizeBytes, target.maxBytes);
    hash.update(buffer.subarray(0, read));
  }
  return { hash: hash.digest("hex"), sizeBytes };
}

async function* chunksOf(source: FileSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += CHUNK_BYTES) yield source.subarray(at, at + CHUNK_BYTES);
  } else if (source instanceof ReadableStream) {
    yield* readUntilAborted(source, signal);
  } else {
    using file = await Deno.open(source.path, { read: true });
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
      yield buffer.subarray(0, read);
    }
  }
}

/**
 * The chunks of a stream; an abort ends even a read that waits for a silent sender, and throws its reason.
 * By hand because a pipe with a signal does the same at two thirds of the speed.
 */
export async function* readUntilAborted(
  source: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = source.getReader();
  const onAbort = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", onAbort, { once: true });
  let isEnded = false;
  try {
    while (!isEnded) {
      signal?.throwIfAborted();
      const { value, done } = await reader.read();
      isEnded = done;
      signal?.throwIfAborted();
      if (value) yield value;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (!isEnded) await reader.cancel().catch(() => {});
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function checkSize(file: Deno.FsFile, written: Written): Promise<void> {
  const { size } = await file.stat();
  if (size !== written.sizeBytes) {
    throw new Error(
      `Cannot store the file: ${written.sizeBytes} bytes were written but the disk holds ${size}`,
    );
  }
}

function checkLimit(sizeBytes: number, maxBytes: number | undefined): void {
  if (maxBytes !== undefined && sizeBytes > maxBytes) {
    throw new AppError(
      "too_large",
      `Cannot store the file: it is larger than the allowed ${maxBytes} bytes`,
      {
        details: { maxBytes },
      },
    );
  }
}

function checkExpected(written: Written, expect: PutOptions["expect"]): void {
  if (expect?.sizeBytes !== undefined && expect.sizeBytes !== written.sizeBytes) {
    const sizes = `${written.sizeBytes} bytes arrived and ${expect.sizeBytes} were announced`;
    throw new AppError("conflict", `Cannot store the file: ${sizes}; send it again`);
  }
  if (expect?.hash !== undefined && expect.hash !== written.hash) {
    throw new AppError(
      "conflict",
      "Cannot store the file: its SHA-256 is not the announced one, so it was damaged on the way; send it again",
      { details: { announced: expect.hash, actual: written.hash } },
    );
  }
}

function placeOf(target: DurableTarget, written: Written): string {
  return typeof target.place === "string" ? target.place : target.place(written);
}

/**
 * Does `work` in a folder, which is made when it turns out to be missing: it rarely is, and looking costs as much as
 * the work. `changed` are the folders that hold the entries of those made, which must survive a power cut too.
 */
async function inFolder<T>(
  folder: string,
  work: () => Promise<T>,
): Promise<{ value: T; changed: readonly string[] }> {
  try {
    return { value: await work(), changed: [] };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const changed = await makeFolder(folder);
  return { value: await work(), changed };
}

/** The folders whose lists of names have changed. One that came meanwhile counts: its maker may not have flushed it. */
async function makeFolder(folder: string): Promise<string[]> {
  try {
    await Deno.mkdir(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return [...await makeFolder(dirname(folder)), ...await makeFolder(folder)];
    }
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return [dirname(folder)];
}

/** Flushes a folder's list of names to disk, which is what makes a rename or a new file in it last. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows can't open a folder as a file, and NTFS keeps renames in its journal.
  if (Deno.build.os === "windows") return;
  using opened = await Deno.open(folder, { read: true });
  await opened.sync();
}

/** Removes a file and says whether it was there. */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A full disk or quota as AppError("storage_full"); anything else as it came. */
export function translateDiskError(error: unknown): unknown {
  if (codeOf(error) !== "ENOSPC" && codeOf(error) !== "EDQUOT") return error;
  return new AppError(
    "storage_full",
    "Cannot store the file: the disk is full; free some space or empty the trash, then try again",
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  // Deno puts the errno's name on its errors without declaring it.
  return error instanceof Error ? (error as Error & { code?: string }).code : undefined;
}
