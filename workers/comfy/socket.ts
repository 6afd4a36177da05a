import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { type BinaryEvent, type ComfyEvent, readBinary, readEvent } from "./events.ts";
import type { Timings } from "./timings.ts";

/** Longer text frames are not read: no event that matters comes near. */
const MAX_TEXT = 32 * 1024 * 1024;

export interface SocketOptions {
  /** Address of the worker's `/ws` without query: asked again at each connection. */
  readonly address: (signal: AbortSignal) => Promise<string>;
  readonly onEvent: (event: ComfyEvent) => void;
  readonly onBinary: (event: BinaryEvent) => void;
  /** After each connection: events may have been missed, so state must be read again. */
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly timings: Timings;
  readonly log: Log;
}

/**
 * The one long-lived WebSocket to a worker. It reconnects by itself with back-off until closed, and never
 * throws: what it misses is found by polling.
 */
export class WorkerSocket {
  readonly #options: SocketOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #clientId = newClientId();
  #generation = 0;
  #open = false;
  #lastFrameAt = 0;
  #frames = 0;
  #opened = Promise.withResolvers<void>();
  /** Gives the present connection up; replaced at each connection. */
  #drop: (reason: string) => void = () => {};
  #hurry = () => {};

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The id to submit prompts under: their events come to this socket. */
  get clientId(): string {
    return this.#clientId;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Counts connections: a change means that events may have been missed, or the worker was restarted. */
  get generation(): number {
    return this.#generation;
  }

  /** Milliseconds since the last frame of an open socket; 0 when it is not open. */
  get silentForMs(): number {
    return this.#open ? performance.now() - this.#lastFrameAt : 0;
  }

  /** Resolves when the socket is open and has shown its first frame, or after `ms`. */
  async whenOpen(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#open) return;
    this.#hurry();
    const done = new AbortController();
    const stop = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
    try {
      await Promise.race([this.#opened.promise, delay(ms, stop)]);
    } finally {
      done.abort();
    }
  }

  /** The socket looks dead though it is open: it is given up and replaced. */
  suspect(reason: string): void {
    if (this.#open) this.#drop(reason);
  }

  /** A frame must come within `ms`, else the socket is dead (each submit broadcasts `status`). */
  expectFrame(ms: number): void {
    const seen = this.#frames;
    const generation = this.#generation;
    delay(ms, this.#stop.signal).then(() => {
      if (this.#generation === generation && this.#frames === seen) this.suspect("no status after a submit");
    }, () => {});
  }

  async close(): Promise<void> {
    this.#stop.abort(new DOMException("The socket was closed.", "AbortError"));
    this.#drop("closed");
    await this.#running;
  }

  async #run(): Promise<void> {
    const { timings, log } = this.#options;
    let wait = timings.reconnectMinMs;
    while (!this.#stop.signal.aborted) {
      const lived = await this.#connectOnce().catch((problem) => {
        log.debug("socket of worker was not opened", { problem });
        return false;
      });
      wait = lived ? timings.reconnectMinMs : Math.min(wait * 2, timings.reconnectMaxMs);
      await this.#pause(wait * (0.75 + Math.random() / 2));
    }
  }

  async #pause(ms: number): Promise<void> {
    const done = new AbortController();
    this.#hurry = () => done.abort();
    await delay(ms, AbortSignal.any([done.signal, this.#stop.signal])).catch(() => {});
    this.#hurry = () => {};
  }

  /** One connection from its start to its very end; true when it was ever open. */
  async #connectOnce(): Promise<boolean> {
    const address = await this.#options.address(this.#stop.signal);
    if (this.#stop.signal.aborted) return false;
    const socket = new WebSocket(`${address}?clientId=${encodeURIComponent(this.#clientId)}`);
    socket.binaryType = "arraybuffer";
    const closed = Promise.withResolvers<void>();
    const dropped = Promise.withResolvers<string>();
    const late = setTimeout(() => dropped.resolve("no first frame"), this.#options.timings.firstFrameMs);
    let lived = false;
    this.#drop = dropped.resolve;
    socket.onopen = () => sendFeatureFlags(socket);
    socket.onmessage = (message) => {
      if (!lived) {
        lived = true;
        clearTimeout(late);
        this.#becomeOpen();
      }
      this.#take(message.data);
    };
    socket.onclose = () => closed.resolve();
    socket.onerror = (event) => event.preventDefault();
    const reason = await Promise.race([closed.promise.then(() => "closed by worker"), dropped.promise]);
    clearTimeout(late);
    this.#drop = () => {};
    this.#becomeClosed(reason);
    await this.#end(socket, closed.promise);
    return lived;
  }

  /**
   * Waits for the old connection's end: while a server still holds it, its late clean-up would silence the
   * next connection of the same client id. If it doesn't end, the id is given up with it.
   */
  async #end(socket: WebSocket, closed: Promise<void>): Promise<void> {
    socket.onmessage = null;
    const done = new AbortController();
    try {
      if (socket.readyState !== WebSocket.CLOSED) socket.close();
      const ended = await Promise.race([
        closed.then(() => true),
        delay(this.#options.timings.closeMs, done.signal).then(() => false),
      ]);
      if (!ended) this.#clientId = newClientId();
    } catch {
      this.#clientId = newClientId();
    } finally {
      done.abort();
    }
  }

  #becomeOpen(): void {
    this.#open = true;
    this.#generation++;
    this.#lastFrameAt = performance.now();
    this.#opened.resolve();
    this.#guard(() => this.#options.onOpen());
  }

  #becomeClosed(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#opened = Promise.withResolvers<void>();
    if (!this.#stop.signal.aborted) this.#options.log.info("socket of worker was lost", { reason });
    this.#guard(() => this.#options.onClose());
  }

  #take(data: unknown): void {
    this.#lastFrameAt = performance.now();
    this.#frames++;
    this.#guard(() => {
      if (typeof data === "string") {
        const event = data.length > MAX_TEXT ? undefined : readEvent(data);
        if (event !== undefined) this.#options.onEvent(event);
      } else if (data instanceof ArrayBuffer) {
        const event = readBinary(data);
        if (event !== undefined) this.#options.onBinary(event);
      }
    });
  }

  /** A listener's fault must not end the thread: an error thrown in a socket handler would. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (problem) {
      this.#options.log.error("listener of worker socket failed", { problem });
    }
  }
}

/** Must be the first frame: the server listens to no later one. It asks for previews that name their prompt. */
function sendFeatureFlags(socket: WebSocket): void {
  try {
    socket.send(JSON.stringify({ type: "feature_flags", data: { supports_preview_metadata: true } }));
  } catch {
    // It closed in the same moment; the close event follows.
  }
}

function newClientId(): string {
  return `seedloop-${crypto.randomUUID()}`;
}
