import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import type { Command } from "#workers/kit/fleet_messages.ts";
import { environmentOf } from "./command.ts";
import { killTree } from "./process_tree.ts";

export interface KeepOptions {
  readonly log: Log;
  /** Its process has started, or ended with this reason. */
  readonly onChange: () => void;
  /** First wait before another start; doubles up to a minute while it keeps ending. 1000 by default. */
  readonly backoffMs?: number;
}

/** A process that the studio keeps running until `stop()`. */
export interface KeptProcess {
  /** The process id while it runs. */
  readonly pid: number | undefined;
  /** Counts starts: a change means another process. */
  readonly starts: number;
  /** Why the last one ended; undefined before. */
  readonly lastEnd: string | undefined;
  /** The last lines that it printed, for people. */
  readonly tail: readonly string[];
  /** Asks it to end, then makes it; another is started at once. */
  restart(): Promise<void>;
  /** Kills it and everything that it started; another is started at once. */
  kill(): Promise<void>;
  /** Ends it and everything that it started, within 2 s; no other is started. */
  stop(): Promise<void>;
}

const MAX_BACKOFF_MS = 60_000;
/** A process that lasted this long starts the back-off anew. */
const STEADY_MS = 60_000;
const STOP_MS = 1_900;
const TAIL_LINES = 50;
const CHILD = new URL("./keep_child.ts", import.meta.url);

/** Starts a command in a process group of its own and starts it again whenever it ends. */
export function keepProcess(command: Command, options: KeepOptions): KeptProcess {
  return new Keeper(command, options);
}

class Keeper implements KeptProcess {
  pid: number | undefined;
  starts = 0;
  lastEnd: string | undefined;
  readonly tail: string[] = [];
  readonly #command: Command;
  readonly #options: KeepOptions;
  readonly #stopping = new AbortController();
  readonly #kept: Promise<void>;
  #guard: Deno.ChildProcess | undefined;
  #hurry: () => void = () => {};
  #isAsked = false;

  constructor(command: Command, options: KeepOptions) {
    this.#command = command;
    this.#options = options;
    this.#kept = this.#keep();
  }

  async restart(): Promise<void> {
    this.#isAsked = true;
    this.#hurry();
    await this.#end();
  }

  async kill(): Promise<void> {
    this.#isAsked = true;
    this.#hurry();
    if (this.pid !== undefined) await killTree(this.pid);
    await this.#end();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#end();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const started = Date.now();
      this.lastEnd = await this.#runOnce().catch(errorMessage);
      this.pid = undefined;
      this.#guard = undefined;
      if (this.#stopping.signal.aborted) break;
      failures = this.#isAsked || Date.now() - started > STEADY_MS ? 0 : failures + 1;
      const waitMs = failures === 0
        ? 0
        : Math.min(MAX_BACKOFF_MS, (this.#options.backoffMs ?? 1_000) * 2 ** (failures - 1));
      this.#isAsked = false;
      this.#options.log.warn("worker's process ended, starting another", { reason: this.lastEnd, waitMs });
      this.#options.onChange();
      await this.#pause(waitMs);
    }
    this.#options.onChange();
  }

  async #pause(ms: number): Promise<void> {
    const hurried = new AbortController();
    this.#hurry = () => hurried.abort();
    await delay(ms, AbortSignal.any([hurried.signal, this.#stopping.signal])).catch(() => {});
    this.#hurry = () => {};
  }

  /** Resolves, when the process has ended, with why. */
  async #runOnce(): Promise<string> {
    const guard = this.#guard = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", CHILD.href],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: environmentOf(this.#command),
    }).spawn();
    const writer = guard.stdin.getWriter();
    const { args, folder } = this.#command;
    await writer.write(new TextEncoder().encode(`${JSON.stringify({ args, folder })}\n`));
    writer.releaseLock();
    let end = "it did not say why";
    await Promise.all([
      eachLine(guard.stderr, (line) => {
        const said = readWord(line);
        if (said?.pid !== undefined) this.#began(said.pid);
        else if (said?.end !== undefined) end = said.end;
        else this.#heard(line);
      }),
      eachLine(guard.stdout, (line) => this.#heard(line)),
      guard.status,
    ]);
    return end;
  }

  #began(pid: number): void {
    this.pid = pid;
    this.starts++;
    this.#options.log.info("worker's process was started", { pid });
    this.#options.onChange();
  }

  #heard(line: string): void {
    this.tail.push(line.slice(0, 1_000));
    if (this.tail.length > TAIL_LINES) this.tail.shift();
    this.#options.log.debug("worker printed", { text: line.slice(0, 1_000) });
  }

  /** The guard ends the group when its stdin ends; one that does not is killed with it. */
  async #end(): Promise<void> {
    const guard = this.#guard;
    const pid = this.pid;
    if (!guard) return;
    await guard.stdin.close().catch(() => {});
    await deadline(guard.status, STOP_MS, () => new Error("Late")).catch(async () => {
      if (pid !== undefined) await killTree(pid);
      kill(guard);
    });
  }
}

/** What the guard says itself, among what its child prints. */
function readWord(line: string): { pid?: number; end?: string } | undefined {
  if (!line.startsWith('{"seedloopKeeper":')) return undefined;
  try {
    // Written by keep_child.ts.
    return (JSON.parse(line) as { seedloopKeeper: { pid?: number; end?: string } }).seedloopKeeper;
  } catch {
    return undefined;
  }
}

async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n|\r/);
    // A line without an end is cut: progress bars write megabytes of them.
    rest = (lines.pop() ?? "").slice(-10_000);
    for (const line of lines) if (line !== "") take(line);
  }
  if (rest !== "") take(rest);
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It is gone already.
  }
}
