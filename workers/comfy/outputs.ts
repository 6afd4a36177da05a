import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { delay } from "#server/core/time.ts";
import type { FileStore } from "#server/files/store.ts";
import { Retry } from "#workers/kit/handle.ts";
import type { FileOnWorker } from "./client.ts";
import { ComfyError } from "./comfy_error.ts";
import { isPassing } from "./failure.ts";
import type { HistoryEntry } from "./history.ts";
import { mediaTypeOf } from "./media_type.ts";
import type { WorkerLink } from "./worker_link.ts";

export interface FetchedOutput {
  readonly node: string;
  readonly fileName: string;
  readonly file: FileRef;
}

/** A file is asked for so often before the job as a whole is tried again. */
const TRIES = 3;

export interface FetchOptions {
  /** Nodes whose files are wanted. */
  readonly nodes: readonly string[];
  /** What blocked branches said while the prompt ran: history doesn't keep it. */
  readonly blocked: readonly string[];
  readonly store: FileStore;
  readonly signal: AbortSignal;
  readonly onFile: (fetched: number, all: number) => void;
}

/**
 * Brings the files of `nodes` from the worker into the store, in order. Throws Retry("output_missing") when a
 * node left none or a file is gone, Retry("storage_full") when the store is full. A broken transfer leaves
 * nothing behind.
 */
export async function fetchOutputs(
  link: WorkerLink,
  entry: HistoryEntry,
  options: FetchOptions,
): Promise<FetchedOutput[]> {
  const { nodes, blocked, store, signal, onFile } = options;
  const wanted = nodes.flatMap((node) => filesOf(entry, node, blocked).map((file) => ({ node, file })));
  const outputs: FetchedOutput[] = [];
  for (const { node, file } of wanted) {
    outputs.push({ node, fileName: file.filename, file: await fetchFile(link, file, store, signal) });
    onFile(outputs.length, wanted.length);
  }
  return outputs;
}

function filesOf(entry: HistoryEntry, node: string, blocked: readonly string[]): readonly FileOnWorker[] {
  const files = entry.outputs.get(node)?.files ?? [];
  if (files.length > 0) return files;
  const because = blocked.length === 0 ? "" : `; a branch was blocked: ${blocked.join("; ")}`;
  throw new Retry(
    `Cannot find the result: the prompt succeeded, but node ${node} left no file${because}`,
    "output_missing",
  );
}

async function fetchFile(
  link: WorkerLink,
  file: FileOnWorker,
  store: FileStore,
  signal: AbortSignal,
): Promise<FileRef> {
  for (let tries = 1;; tries++) {
    try {
      return await fetchOnce(link, file, store, signal);
    } catch (problem) {
      signal.throwIfAborted();
      if (!isPassing(problem) || tries === TRIES) throw asFetchFailure(problem, file);
      link.log.info("output was asked for again", { fileName: file.filename, problem });
      await delay(link.timings.hintMs * tries, signal);
    }
  }
}

async function fetchOnce(
  link: WorkerLink,
  file: FileOnWorker,
  store: FileStore,
  signal: AbortSignal,
): Promise<FileRef> {
  const reader = (await link.client.view(file, { signal })).getReader();
  try {
    const first = await reader.read();
    if (first.done || first.value.length === 0) {
      throw new Retry(`Cannot use the result: the worker's file ${file.filename} is empty`, "output_missing");
    }
    const body = ReadableStream.from(async function* () {
      yield first.value;
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    }());
    return await store.put(body, mediaTypeOf(first.value, file.filename), { signal });
  } catch (problem) {
    await reader.cancel(problem).catch(() => {});
    throw problem;
  }
}

function asFetchFailure(problem: unknown, file: FileOnWorker): unknown {
  if (problem instanceof ComfyError && (problem.status === 404 || problem.status === 403)) {
    const message =
      `Cannot fetch ${file.filename}: the worker names it but doesn't have it; somebody removed it`;
    return new Retry(message, "output_missing", { cause: problem });
  }
  if (problem instanceof ComfyError) {
    return new Retry(`Cannot fetch the output ${file.filename}: ${problem.message}`, "worker_gone", {
      cause: problem,
    });
  }
  if (problem instanceof AppError && problem.code === "storage_full") {
    return new Retry(problem.message, "storage_full", { cause: problem });
  }
  return problem;
}
