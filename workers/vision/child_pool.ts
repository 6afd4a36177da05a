import { fromFileUrl } from "@std/path/from_file_url.js";
import { eachLine } from "#workers/media/lines.ts";
import { GiveUp, Retry } from "#workers/kit/handle.ts";
import type { AnswerTo, ChildInput, ChildOutput, VisionRequest } from "./requests.ts";

export interface VisionPoolOptions {
  /** Path of an ffmpeg to use; found on the machine or built in when absent. */
  readonly ffmpeg?: string | undefined;
  readonly backend?: "native" | "wasm" | "auto" | undefined;
  /** Children at once; 2 by default. Each holds 150–400 MB while it is warm. */
  readonly maxChildren?: number | undefined;
  /** A child is replaced after this many requests; 200 by default. */
  readonly requestsPerChild?: number | undefined;
}

const RETIRE_ABOVE_BYTES = 1200 * 1024 * 1024;
const STDERR_LINES = 20;

/** Runs requests in warm child processes, one each at a time. */
export interface VisionPool {
  /**
   * Answers a request. An abort kills the child that works on it, at once, and rejects with the signal's
   * reason. Bad media rejects with GiveUp, a child that died or a full disk with Retry.
   */
  ask<R extends VisionRequest>(
    request: R,
    options: { readonly signal: AbortSignal; readonly onProgress?: (ratio: number) => void },
  ): Promise<AnswerTo<R>>;
  /** Process ids of the living children. */
  processIds(): number[];
  /** Ends all children; requests under way reject. */
  close(): Promise<void>;
}

interface Child {
  readonly process: Deno.ChildProcess;
  readonly input: WritableStreamDefaultWriter<Uint8Array>;
  readonly stderr: string[];
  served: number;
  onOutput: (output: ChildOutput) => void;
  readonly ended: Promise<void>;
}

/** Opens a pool; its children start when there is work. */
export function openVisionPool(options: VisionPoolOptions = {}): VisionPool {
  const { maxChildren = 2, requestsPerChild = 200 } = options;
  const idle: Child[] = [];
  const all = new Set<Child>();
  const waiting: (() => void)[] = [];
  let isClosed = false;

  const free = () => waiting.shift()?.();
  const end = async (child: Child) => {
    all.delete(child);
    try {
      child.process.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
    child.input.abort().catch(() => {});
    await child.ended;
    free();
  };
  const take = async (signal: AbortSignal): Promise<Child> => {
    for (;;) {
      if (isClosed) throw new Retry("The vision pool was closed", "thread_died");
      if (signal.aborted) {
        free();
        throw signal.reason;
      }
      const child = idle.pop();
      if (child) return child;
      if (all.size < maxChildren) {
        const fresh = startChild(options);
        all.add(fresh);
        return fresh;
      }
      await turn(waiting, signal);
    }
  };
  return {
    async ask<R extends VisionRequest>(
      request: R,
      { signal, onProgress }: { signal: AbortSignal; onProgress?: (ratio: number) => void },
    ): Promise<AnswerTo<R>> {
      const child = await take(signal);
      const onAbort = () => void end(child);
      signal.addEventListener("abort", onAbort, { once: true });
      let isReusable = false;
      try {
        const output = await converse(child, request, onProgress);
        if (signal.aborted) throw signal.reason;
        if (output.type === "failed") {
          isReusable = output.isInputsFault;
          throw explain(output);
        }
        isReusable = ++child.served < requestsPerChild && output.rssBytes < RETIRE_ABOVE_BYTES;
        // The child answers each kind of request with its own kind of answer.
        return output.answer as AnswerTo<R>;
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        throw thrown;
      } finally {
        signal.removeEventListener("abort", onAbort);
        if (isReusable && !signal.aborted && !isClosed) {
          idle.push(child);
          free();
        } else {
          await end(child);
        }
      }
    },
    processIds: () => [...all].map((child) => child.process.pid),
    async close() {
      isClosed = true;
      await Promise.all([...all].map(end));
      while (waiting.length > 0) free();
    },
  };
}

type Reply = Extract<ChildOutput, { type: "answer" | "failed" }>;

async function converse(
  child: Child,
  request: VisionRequest,
  onProgress: ((ratio: number) => void) | undefined,
): Promise<Reply> {
  const reply = Promise.withResolvers<Reply>();
  child.onOutput = (output) => {
    if (output.type === "progress") onProgress?.(output.ratio);
    if (output.type === "answer" || output.type === "failed") reply.resolve(output);
  };
  const died = child.ended.then(() => {
    throw new Retry(
      `The process that measures pictures ended unexpectedly: ${child.stderr.at(-1) ?? "it said nothing"}`,
      "internal",
    );
  });
  // It may die before anyone waits for that.
  died.catch(() => {});
  try {
    await tell(child, { type: "request", request }).catch(() => {});
    return await Promise.race([reply.promise, died]);
  } finally {
    child.onOutput = () => {};
  }
}

function explain(failed: Extract<ChildOutput, { type: "failed" }>): Error {
  if (failed.isInputsFault) return new GiveUp(failed.message);
  if (failed.failure === "no_space") return new Retry(failed.message, "storage_full");
  if (failed.failure === "out_of_memory") return new Retry(failed.message, "out_of_memory");
  return new Retry(failed.message, "internal");
}

function startChild(options: VisionPoolOptions): Child {
  // Files, native picture code and ffmpeg are all it needs: no network.
  const allowed = ["read", "write", "env", "ffi", "sys", "run"].map((name) => `--allow-${name}`);
  const script = fromFileUrl(import.meta.resolve("./child.ts"));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...allowed, script],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr: string[] = [];
  const reads = [
    eachLine(process.stdout, (line) => {
      const output = parseOutput(line);
      if (output) child.onOutput(output);
    }),
    eachLine(process.stderr, (line) => {
      stderr.push(line);
      if (stderr.length > STDERR_LINES) stderr.shift();
    }),
  ];
  const child: Child = {
    process,
    input: process.stdin.getWriter(),
    stderr,
    served: 0,
    onOutput: () => {},
    ended: Promise.allSettled([process.status, ...reads]).then(() => {}),
  };
  const { ffmpeg, backend = "auto" } = options;
  tell(child, { type: "start", ffmpeg, backend }).catch(() => {});
  return child;
}

async function tell(child: Child, input: ChildInput): Promise<void> {
  await child.input.write(new TextEncoder().encode(`${JSON.stringify(input)}\n`));
}

function parseOutput(line: string): ChildOutput | undefined {
  if (!line.startsWith('{"type":')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function turn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = () => {
      waiting.splice(waiting.indexOf(go), 1);
      resolve();
    };
    signal.addEventListener("abort", leave, { once: true });
    waiting.push(go);
  });
}
