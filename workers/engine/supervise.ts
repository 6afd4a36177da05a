import { errorMessage } from "#server/core/errors.ts";
import type { Log, LogLevel } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import { eachLine } from "#workers/media/lines.ts";
import { isRecord } from "./json_text.ts";

/** How an engine's process is kept. */
export interface SupervisorOptions {
  /** Folder of the engine's input, output and temp folders. */
  readonly base: string;
  /** Path of an ffmpeg to use; found or built in otherwise. */
  readonly ffmpeg?: string | undefined;
  readonly log: Log;
  /** Called after each start of the process, with where it listens. */
  ready(url: string): void;
  /** Called when a process that was ready is gone; another one is started. */
  lost(reason: string): void;
  /** First wait before a restart; doubles up to 30 s while starts keep failing. 250 by default. */
  readonly backoffMs?: number;
}

/** A kept process. */
export interface Supervisor {
  /** Ends the process in order, within 2.5 s; no other is started. */
  stop(): Promise<void>;
  /** Process id while one runs. */
  readonly pid: number | undefined;
}

const MAX_BACKOFF_MS = 30_000;
/** A process that lasted this long starts the back-off anew. */
const STEADY_MS = 60_000;
const START_MS = 60_000;
const STOP_MS = 2_000;
const CHILD = new URL("./child.ts", import.meta.url);

/** Starts the engine in a process of its own and starts another whenever it ends, until `stop()`. */
export function superviseEngine(options: SupervisorOptions): Supervisor {
  const stopping = new AbortController();
  let child: Deno.ChildProcess | undefined;
  const kept = keep();

  async function keep(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const started = Date.now();
      const reason = await runOnce().catch(errorMessage);
      if (stopping.signal.aborted) return;
      failures = Date.now() - started > STEADY_MS ? 0 : failures + 1;
      const waitMs = Math.min(MAX_BACKOFF_MS, (options.backoffMs ?? 250) * 2 ** (failures - 1));
      options.log.error("engine process ended, starting another", { reason, waitMs });
      await delay(waitMs, stopping.signal).catch(() => {});
    }
  }

  /** Resolves, when the process has ended, with why. */
  async function runOnce(): Promise<string> {
    child = spawn(options);
    const ready = Promise.withResolvers<string>();
    // Nothing but the one line is said on stdout; its end before that line is the process's.
    const heard = eachLine(child.stdout, (line) => ready.resolve(line)).then(() => ready.resolve(""));
    const logged = eachLine(child.stderr, (line) => forward(line, options.log));
    let isReady = false;
    let reason = "it did not say why";
    try {
      const line = await deadline(ready.promise, START_MS, () => new Error("It was not ready in 60 s"));
      const url = readUrl(line);
      if (url === undefined) throw new Error("It ended before it was ready");
      isReady = true;
      options.log.info("engine is ready", { url, pid: child.pid });
      options.ready(url);
    } catch (error) {
      reason = errorMessage(error);
      kill(child);
    }
    const { code, signal } = await child.status;
    await Promise.allSettled([heard, logged]);
    child = undefined;
    if (isReady) reason = signal ? `it was ended by ${signal}` : `it ended with code ${code}`;
    if (isReady && !stopping.signal.aborted) options.lost(reason);
    return reason;
  }

  return {
    get pid() {
      return child?.pid;
    },
    async stop() {
      stopping.abort();
      const ending = child;
      if (ending) {
        await ending.stdin.close().catch(() => {});
        await deadline(ending.status, STOP_MS, () => new Error("Late")).catch(() => kill(ending));
      }
      await kept;
    },
  };
}

function spawn({ base, ffmpeg }: SupervisorOptions): Deno.ChildProcess {
  const args = ["run", "-A", "--no-prompt", CHILD.href, "--base", base];
  if (ffmpeg !== undefined) args.push("--ffmpeg", ffmpeg);
  return new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
}

function readUrl(line: string): string | undefined {
  const message = parseLine(line);
  return message?.["ready"] === true && typeof message["url"] === "string" ? message["url"] : undefined;
}

/** A log line of the process, into ours; what is no line of it is kept as it is. */
function forward(text: string, log: Log): void {
  const line = parseLine(text);
  if (!line) return log.warn("engine printed", { text });
  const { at: _at, level, message, ...fields } = line;
  const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
  log[levels.find((each) => each === level) ?? "info"](String(message), fields);
}

function parseLine(text: string): Record<string, unknown> | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isRecord(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It is gone already.
  }
}
