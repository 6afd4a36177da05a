import type { Log, LogLevel } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import { errorMessage } from "#server/core/errors.ts";
import { type HostMessage, ThreadMessage } from "./messages.ts";

export interface ThreadOptions {
  readonly log: Log;
  /** Sent to the thread at each start; must survive structured cloning. */
  readonly settings?: unknown;
  /** What the thread may do; everything that the studio may, unless said. */
  readonly permissions?: Deno.PermissionOptions;
  /** Messages that are no business of the supervisor: progress, previews, engine_ready … */
  readonly onMessage?: (message: ThreadMessage) => void;
  /** How often the thread says that it lives; at most 2000. */
  readonly beatMs?: number;
  /** Silence after which it counts as dead. Longer than any honest synchronous stretch of work. */
  readonly silenceMs?: number;
  /** First wait before a restart; doubles up to `MAX_BACKOFF_MS`. */
  readonly backoffMs?: number;
}

export type ThreadStatus = "starting" | "running" | "waiting" | "stopped";

/** How a thread is, for the health page. */
export interface ThreadState {
  readonly name: string;
  readonly status: ThreadStatus;
  readonly restarts: number;
  readonly since: string;
  readonly lastError?: string;
}

const MAX_BACKOFF_MS = 30_000;
const STEADY_MS = 60_000;
const STOP_MS = 3_000;

/** Starts the worker at `moduleUrl` and keeps it alive until `stop()`. */
export function startThread(name: string, moduleUrl: string | URL, options: ThreadOptions): Thread {
  return new Thread(name, moduleUrl, options);
}

/** A supervised worker: a crash, a silent exit or a hang restarts it with back-off. Use startThread(). */
export class Thread {
  readonly name: string;
  /** Resolves when the thread is ready for the first time. */
  readonly ready: Promise<void>;
  readonly #url: string;
  readonly #options: ThreadOptions;
  readonly #log: Log;
  readonly #listeners = new Set<ThreadListener>();
  #worker: Worker | undefined;
  #status: ThreadStatus = "starting";
  #since = new Date();
  #restarts = 0;
  #failuresInRow = 0;
  #lastError: string | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #onReady: () => void = () => {};
  #onStopped: (() => void) | undefined;
  readonly #ended = new AbortController();

  constructor(name: string, moduleUrl: string | URL, options: ThreadOptions) {
    this.name = name;
    this.#url = String(moduleUrl);
    this.#options = options;
    this.#log = options.log.with({ thread: name });
    this.ready = new Promise((resolve) => this.#onReady = resolve);
    this.#spawn();
  }

  get state(): ThreadState {
    return {
      name: this.name,
      status: this.#status,
      restarts: this.#restarts,
      since: this.#since.toISOString(),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** Sends to the thread; dropped when it is down. */
  post(message: HostMessage, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  /** Ends the worker now and starts another. */
  restart(reason: string): void {
    this.#fail(reason);
  }

  /** Calls `listener` at each ready and each death; at once when it is ready already. */
  watch(listener: ThreadListener): void {
    this.#listeners.add(listener);
    if (this.#status === "running") listener.up();
  }

  /** Ends the thread in order: it is told, given 3 s, then cut off. */
  async stop(): Promise<void> {
    if (this.#status === "stopped") return;
    const worker = this.#worker;
    const stopped = new Promise<void>((resolve) => this.#onStopped = resolve);
    this.#setStatus("stopped");
    this.#ended.abort();
    if (worker) {
      worker.postMessage({ t: "stop" } satisfies HostMessage);
      await deadline(stopped, STOP_MS, () => new Error("Late")).catch(() => {
        this.#log.warn("thread did not stop in time, cutting it off");
      });
    }
    this.#drop();
  }

  #spawn(): void {
    this.#setStatus("starting");
    const { permissions } = this.#options;
    const worker = new Worker(this.#url, {
      type: "module",
      name: this.name,
      ...(permissions === undefined ? {} : { deno: { permissions } }),
    });
    this.#worker = worker;
    worker.onmessage = (event) => {
      if (this.#worker === worker) this.#receive(event.data);
    };
    worker.onerror = (event) => {
      // Without this an uncaught error in a worker ends the whole process.
      event.preventDefault();
      if (this.#worker === worker) this.#fail(event.message || "uncaught error");
    };
    worker.onmessageerror = () => this.#log.error("thread sent a message that cannot be read");
    const beatMs = Math.min(this.#options.beatMs ?? 1_000, 2_000);
    worker.postMessage(
      {
        t: "start",
        name: this.name,
        settings: this.#options.settings ?? {},
        beatMs,
      } satisfies HostMessage,
    );
    this.#expectSign(30_000);
  }

  #receive(data: unknown): void {
    const parsed = ThreadMessage.safeParse(data);
    if (!parsed.success) {
      return this.#log.error("thread sent an unknown message", { problem: parsed.error.message });
    }
    const message = parsed.data;
    this.#expectSign(this.#options.silenceMs ?? 10_000);
    switch (message.t) {
      case "beat":
        return;
      case "ready":
        this.#setStatus("running");
        this.#onReady();
        this.#log.debug("thread is ready");
        for (const listener of this.#listeners) listener.up();
        return;
      case "line":
        return this.#writeLine(message.line);
      case "crashed":
        return this.#fail(message.message);
      case "stopped":
        return this.#onStopped?.();
      default:
        this.#options.onMessage?.(message);
    }
  }

  #writeLine(line: Record<string, unknown>): void {
    const { at: _at, level, message, ...fields } = line;
    const known: readonly LogLevel[] = ["debug", "info", "warn", "error"];
    const to = known.find((one) => one === level) ?? "info";
    this.#options.log[to](String(message), fields);
  }

  /** Deno tells nobody when a worker exits by itself or hangs; only silence does. */
  #expectSign(withinMs: number): void {
    clearTimeout(this.#silence);
    if (this.#status === "stopped") return;
    this.#silence = setTimeout(() => this.#fail(`nothing was heard from it for ${withinMs} ms`), withinMs);
  }

  #fail(reason: string): void {
    if (this.#status === "stopped" || this.#status === "waiting") return;
    if (this.#status === "running" && Date.now() - this.#since.getTime() > STEADY_MS) this.#failuresInRow = 0;
    const wasUp = this.#status === "running";
    this.#lastError = reason;
    this.#setStatus("waiting");
    this.#drop();
    this.#restarts++;
    const waitMs = Math.min(MAX_BACKOFF_MS, (this.#options.backoffMs ?? 250) * 2 ** this.#failuresInRow++);
    this.#log.error("thread died, restarting it", { reason, waitMs, restarts: this.#restarts });
    if (wasUp) { for (const listener of this.#listeners) listener.down(reason); }
    delay(waitMs, this.#ended.signal).then(() => this.#spawn(), () => {});
  }

  #drop(): void {
    clearTimeout(this.#silence);
    const worker = this.#worker;
    this.#worker = undefined;
    try {
      worker?.terminate();
    } catch (error) {
      this.#log.debug("thread was gone already", { reason: errorMessage(error) });
    }
  }

  #setStatus(status: ThreadStatus): void {
    this.#status = status;
    this.#since = new Date();
  }
}

export interface ThreadListener {
  up(): void;
  down(reason: string): void;
}

/**
 * Joins two threads by a MessagePort, and again with a fresh one whenever one of them was restarted. When one
 * dies the other is told, so that calls over the old port can be given up at once.
 */
export function linkThreads(a: Thread, b: Thread): void {
  const up = new Set<Thread>();
  const join = () => {
    if (up.size < 2) return;
    const { port1, port2 } = new MessageChannel();
    a.post({ t: "attach", name: b.name }, [port1]);
    b.post({ t: "attach", name: a.name }, [port2]);
  };
  for (const [self, other] of [[a, b], [b, a]] as const) {
    self.watch({
      up: () => {
        up.add(self);
        join();
      },
      down: (reason) => {
        up.delete(self);
        if (up.has(other)) other.post({ t: "detach", name: self.name, reason });
      },
    });
  }
}
