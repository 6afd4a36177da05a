import * as z from "zod/mini";
import { AppError, errorMessage } from "#server/core/errors.ts";
import "#server/core/field_sentence.ts";
import { createLog, type Log } from "#server/core/log.ts";
import type { FileStore } from "#server/files/store.ts";
import { GiveUp, HandedBack, type Handler, type JobContext, Retry, TryLater } from "./handle.ts";
import { Mailbox } from "./mailbox.ts";
import { type CallFailure, type CallReply, CallRequest, HostMessage, type StopReason } from "./messages.ts";

/** What a thread is told at its start. */
export interface ThreadStart {
  readonly name: string;
  /** What the composition root chose for this thread; the thread parses it. */
  readonly settings: unknown;
  /** Lines go to the studio's log, with the thread's name. */
  readonly log: Log;
  /** Says something to the queue thread beside jobs; kept until the queue is there. */
  tell(about: string, data: unknown): void;
  /** Says something to the main thread. */
  post(message: { readonly t: string } & Record<string, unknown>, transfer?: Transferable[]): void;
}

/** What a thread is made of. A thread without handlers lives for what it tells. */
export interface ThreadParts {
  readonly handlers?: readonly Handler[];
  readonly store?: FileStore;
  /** Folder under which each run gets its own empty one. */
  readonly workRoot?: string;
  /** Something that the queue thread or the main thread tells beside jobs. */
  onTell?(about: string, data: unknown): void;
  /** A port to another thread, for threads that serve several; by default the queue's port is served as jobs. */
  onAttach?(name: string, port: MessagePort): void;
  onDetach?(name: string, reason: string): void;
  /** Ends what the thread holds. Running calls have been told to stop. */
  stop?(): Promise<void>;
}

// The lib has no type for the scope of a dedicated worker together with the DOM's.
const scope = self as unknown as {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
  addEventListener(type: "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
};

/**
 * Makes this worker a thread of the studio: beats, answers its host, and runs the jobs that the queue sends over
 * their port. `open` is called once, with the first message. A thread whose `open` throws says so and is restarted.
 */
export function serveThread(open: (start: ThreadStart) => ThreadParts | Promise<ThreadParts>): void {
  let parts: ThreadParts = {};
  let calls: CallServer | undefined;
  const untold: CallReply[] = [];

  const tell = (about: string, data: unknown) => {
    const message: CallReply = { t: "tell", about, data };
    if (calls) calls.post(message);
    else if (untold.length < 1000) untold.push(message);
  };
  const attach = (name: string, port: MessagePort) => {
    if (parts.onAttach) return parts.onAttach(name, port);
    if (name !== "queue") return;
    // A new queue knows nothing of the old one's calls: it will send them again.
    calls?.stopAll("handed_back");
    calls?.close();
    calls = new CallServer(parts, port);
    for (const message of untold.splice(0)) calls.post(message);
  };

  scope.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    const { reason } = event;
    scope.postMessage({ t: "line", line: crashLine("promise was rejected unseen", reason) });
  });
  scope.onmessage = async (event) => {
    const message = HostMessage.parse(event.data);
    switch (message.t) {
      case "start": {
        setInterval(() => scope.postMessage({ t: "beat" }), message.beatMs);
        const log = createLog((line) => scope.postMessage({ t: "line", line: plain(line) }), "debug", {
          thread: message.name,
        });
        try {
          const post = (out: unknown, transfer: Transferable[] = []) => scope.postMessage(out, transfer);
          parts = await open({ name: message.name, settings: message.settings, log, tell, post });
          scope.postMessage({ t: "ready" });
        } catch (error) {
          scope.postMessage({ t: "crashed", message: errorMessage(error), stack: stackOf(error) });
        }
        return;
      }
      case "attach": {
        const port = event.ports[0];
        if (port) attach(message.name, port);
        return;
      }
      case "detach":
        if (parts.onDetach) parts.onDetach(message.name, message.reason);
        else calls?.stopAll("handed_back");
        return;
      case "tell":
        return parts.onTell?.(message.about, message.data);
      case "stop":
        calls?.stopAll("handed_back");
        await parts.stop?.().catch(() => {});
        await calls?.drained();
        scope.postMessage({ t: "stopped" });
        scope.close();
    }
  };
}

interface Running {
  readonly abort: AbortController;
  readonly context: CallContext;
  readonly ended: Promise<void>;
}

/** Serves the calls of one port, at which it first says what it has handlers for. */
export class CallServer {
  readonly #parts: ThreadParts;
  readonly #mailbox: Mailbox<CallReply>;
  readonly #running = new Map<string, Running>();

  constructor(parts: ThreadParts, port: MessagePort) {
    this.#parts = parts;
    this.#mailbox = new Mailbox<CallReply>(
      port,
      (message) => this.#receive(message),
      (reply, error) => this.#refused(reply, error),
    );
    this.post({ t: "tell", about: "hello", data: (parts.handlers ?? []).map((one) => one.jobKind.code) });
  }

  post(reply: CallReply, transfer?: Transferable[]): void {
    this.#mailbox.post(reply, transfer);
  }

  close(): void {
    this.#mailbox.close();
  }

  stopAll(reason: StopReason): void {
    for (const { abort } of this.#running.values()) abort.abort(stopError(reason));
  }

  async drained(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #receive(data: unknown): void {
    const message = CallRequest.parse(data);
    if (message.t === "tell") return this.#parts.onTell?.(message.about, message.data);
    if (message.t === "cancel") {
      return this.#running.get(message.callId)?.abort.abort(stopError(message.reason));
    }
    if (message.t === "confirmed") {
      return this.#running.get(message.callId)?.context.confirmed(message.isOurs);
    }
    const abort = new AbortController();
    const context = new CallContext(message, abort.signal, this.#parts, (reply, transfer) => {
      this.post(reply, transfer);
    });
    const ended = this.#run(message, context).finally(() => this.#running.delete(message.callId));
    this.#running.set(message.callId, { abort, context, ended });
  }

  async #run(call: Extract<CallRequest, { t: "run" }>, context: CallContext): Promise<void> {
    const { callId } = call;
    const { signal } = context;
    try {
      const output = await runHandler(this.#parts, call, context);
      context.flush();
      this.post({ t: "done", callId, output });
    } catch (error) {
      this.post({ t: "failed", callId, failure: describeFailure(error, signal) });
    } finally {
      context.end();
      await context.removeWorkDir();
    }
  }

  /** A result that structured clone can't carry is a failure of whoever made it. */
  #refused(reply: CallReply, error: unknown): void {
    if (reply.t !== "done") throw error;
    const failure = { how: "retry", failureClass: "internal", message: errorMessage(error) } as const;
    this.post({ t: "failed", callId: reply.callId, failure });
  }
}

async function runHandler(
  parts: ThreadParts,
  call: Extract<CallRequest, { t: "run" }>,
  context: CallContext,
): Promise<unknown> {
  const handler = parts.handlers?.find((one) => one.jobKind.code === call.kind);
  if (!handler) throw new GiveUp(`Cannot run "${call.kind}": this thread has no handler for it`, "internal");
  const input = z.safeParse(handler.jobKind.input, call.input);
  if (!input.success) throw new GiveUp(`Cannot run "${call.kind}": ${describeIssues(input.error)}`);
  context.signal.throwIfAborted();
  const output = z.safeParse(handler.jobKind.output, await handler.run(input.data, context));
  if (!output.success) {
    throw new GiveUp(`Cannot take the result of "${call.kind}": ${describeIssues(output.error)}`, "internal");
  }
  return output.data;
}

function describeIssues(error: z.core.$ZodError): string {
  return error.issues.slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "the value"} ${issue.message}`)
    .join("; ");
}

const PROGRESS_EVERY_MS = 50;
/** A confirmation, or a claim, is good for this long from when it was asked for: less than the lease that it gave. */
const CONFIRMED_MS = 5_000;

class CallContext implements JobContext {
  readonly jobId: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly #workDir: string;
  #hasWorkDir = false;
  readonly #call: string;
  readonly #leasedAt: number | undefined;
  readonly #store: FileStore | undefined;
  readonly #send: (reply: CallReply, transfer?: Transferable[]) => void;
  #latest: { ratio: number; note?: string } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;
  #confirming: PromiseWithResolvers<boolean> | undefined;

  constructor(
    call: Extract<CallRequest, { t: "run" }>,
    signal: AbortSignal,
    parts: ThreadParts,
    send: (reply: CallReply, transfer?: Transferable[]) => void,
  ) {
    this.jobId = call.jobId;
    this.attempt = call.attempt;
    this.signal = signal;
    this.#workDir = parts.workRoot ? `${parts.workRoot}/${call.callId}` : "";
    this.#call = call.callId;
    this.#leasedAt = call.leasedAt;
    this.#store = parts.store;
    this.#send = send;
    signal.addEventListener("abort", () => this.#confirming?.reject(signal.reason), { once: true });
    this.log = createLog(({ at, level, message, ...fields }) => {
      send({ t: "log", callId: call.callId, at, level, message, fields: plain(fields) });
    }, "debug");
  }

  get store(): FileStore {
    if (!this.#store) throw new Error("Cannot reach files: this thread was opened without a store");
    return this.#store;
  }

  /** Made when first asked for: many jobs need none, and two calls of the file system cost more than they do. */
  get workDir(): string {
    if (this.#workDir && !this.#hasWorkDir) {
      Deno.mkdirSync(this.#workDir, { recursive: true });
      this.#hasWorkDir = true;
    }
    return this.#workDir;
  }

  async removeWorkDir(): Promise<void> {
    if (this.#hasWorkDir) await Deno.remove(this.#workDir, { recursive: true }).catch(() => {});
  }

  progress(ratio: number, note?: string): void {
    if (this.#hasEnded || !Number.isFinite(ratio)) return;
    this.#latest = { ratio: Math.min(1, Math.max(0, ratio)), ...(note === undefined ? {} : { note }) };
    // Handlers report every frame; more than twenty a second only costs.
    this.#timer ??= setTimeout(() => this.flush(), PROGRESS_EVERY_MS);
  }

  preview(bytes: Uint8Array, mediaType: string): void {
    if (this.#hasEnded) return;
    const copy = bytes.slice();
    this.#send({ t: "preview", callId: this.#call, bytes: copy, mediaType }, [copy.buffer]);
  }

  async confirm(): Promise<void> {
    // By the clock that all threads share, and that goes on while the process or the machine is frozen.
    const ageMs = Date.now() - (this.#leasedAt ?? -Infinity);
    if (ageMs >= 0 && ageMs < CONFIRMED_MS) return this.signal.throwIfAborted();
    for (let asked = performance.now();; asked = performance.now()) {
      this.signal.throwIfAborted();
      if (!this.#confirming) {
        this.#confirming = Promise.withResolvers();
        this.#send({ t: "confirm", callId: this.#call });
      }
      const isOurs = await this.#confirming.promise;
      this.signal.throwIfAborted();
      if (!isOurs) throw stopError("lease_lost");
      // An answer that was long on its way, or that a frozen process reads late, says nothing of now.
      if (performance.now() - asked < CONFIRMED_MS) return;
    }
  }

  confirmed(isOurs: boolean): void {
    this.#confirming?.resolve(isOurs);
    this.#confirming = undefined;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#latest) this.#send({ t: "progress", callId: this.#call, ...this.#latest });
    this.#latest = undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#hasEnded = true;
  }
}

/** What the queue is told of anything that a handler threw. */
export function describeFailure(error: unknown, signal: AbortSignal): CallFailure {
  const message = errorMessage(error);
  if (signal.aborted) {
    return { how: "aborted", failureClass: "internal", message: errorMessage(signal.reason) };
  }
  if (error instanceof HandedBack) return { how: "aborted", failureClass: "internal", message };
  if (error instanceof GiveUp) return { how: "give_up", failureClass: error.failureClass, message };
  if (error instanceof TryLater) {
    return { how: "try_later", failureClass: error.failureClass, message, afterMs: error.afterMs };
  }
  if (error instanceof Retry) return { how: "retry", failureClass: error.failureClass, message };
  if (error instanceof AppError) return describeAppError(error);
  const isFull = error instanceof Error && /os error 28\b|ENOSPC/.test(error.message);
  const stack = stackOf(error);
  return {
    how: "retry",
    failureClass: isFull ? "storage_full" : "internal",
    message,
    ...(stack ? { stack } : {}),
  };
}

function describeAppError(error: AppError): CallFailure {
  const { message } = error;
  switch (error.code) {
    case "storage_full":
      return { how: "retry", failureClass: "storage_full", message };
    case "busy":
      return { how: "try_later", failureClass: "internal", message, afterMs: error.retryAfterMs ?? 1000 };
    case "internal":
    case "conflict":
      return { how: "retry", failureClass: "internal", message };
    default:
      return { how: "give_up", failureClass: "bad_input", message };
  }
}

function stopError(reason: StopReason): Error {
  switch (reason) {
    case "cancelled":
      return new DOMException("The job was cancelled", "AbortError");
    case "timeout":
      return new DOMException("The job took too long", "TimeoutError");
    case "lease_lost":
      return new HandedBack("The job is run by another process now");
    case "handed_back":
      return new HandedBack("This process stops and hands the job back");
  }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

function crashLine(message: string, reason: unknown): Record<string, unknown> {
  return {
    at: new Date().toISOString(),
    level: "error",
    message,
    error: errorMessage(reason),
    stack: stackOf(reason),
  };
}

/** What structured clone can carry: log fields may hold anything. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(fields, (_key, value) => typeof value === "bigint" ? String(value) : value),
  );
}
