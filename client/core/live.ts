import { signal } from "@lit-labs/signals";
import { createSocketTicket } from "#server/auth/contract.ts";
import { LiveEvent } from "#server/core/event.ts";
import type { OpenThing, Person } from "#server/live/contract.ts";
import { session } from "#client/auth/session_store.ts";
import { call, isSignedOut } from "./call.ts";

/** `off` before start and after stop; `lost` while it waits to try again. */
export type LiveState = "off" | "connecting" | "live" | "lost";

export interface JobProgress {
  readonly jobId: string;
  /** 0–1. */
  readonly ratio: number;
  readonly note: string;
}

export interface LiveListener {
  /** What to hear: "fleet", "jobs", "studio", "project:<id>", "user:<id>". */
  readonly topics: readonly string[];
  /** An event of one of these topics, each once and in order. */
  event?(event: LiveEvent): void;
  /** Events may have been missed that will not be told again: read the state anew. Also called at the first start. */
  resync?(): void;
  /** From here on its topics are heard, of which some were not before: what was read earlier may miss a change. */
  heard?(): void;
  /** The connection was lost, or is back and everything missed was told. */
  changed?(state: LiveState): void;
  /** How far a job is, of any project that is listened to; the latest counts. */
  progress?(progress: JobProgress): void;
  /** A picture of a job's work so far. */
  preview?(jobId: string, picture: Blob): void;
  /** Who has a project open now, oneself included; told at the start and whenever it changes. */
  presence?(projectId: string, people: readonly Person[]): void;
  /** How a worker, by its id, or the studio's machine ("host") is now; for those who hear "fleet". */
  vitals?(subject: string, vitals: unknown): void;
}

export interface LiveOptions {
  /** Asks for a ticket; ApiError 401 means that the session has ended, and there is no use in trying again. */
  readonly ticket?: () => Promise<string>;
  readonly open?: (ticket: string) => WebSocket;
  /** First wait before another try; it doubles up to 30 times that. */
  readonly retryMs?: number;
  /** What one may do has changed; the socket comes back by itself. */
  readonly rightsChanged?: () => void;
}

const RIGHTS_CHANGED = 4403;
const PING_MS = 20_000;
const SILENCE_MS = 50_000;

/**
 * The one socket to the studio. It comes back by itself after a loss, asks for what was missed, and tells its
 * listeners to read the state anew where that is too much. Also after the end of its session: whether there is
 * another one now, after a new password for one, only the request for a ticket tells.
 */
export class Live {
  readonly #options: LiveOptions;
  readonly #state = signal<LiveState>("off");
  readonly #listeners = new Set<LiveListener>();
  /** Asked for while connected, and not yet confirmed. */
  readonly #fresh = new Set<string>();
  #socket: WebSocket | undefined;
  #here: { readonly projectId: string | null; readonly at: OpenThing } = { projectId: null, at: null };
  #lastSeq: number | undefined;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;

  constructor(options: LiveOptions = {}) {
    this.#options = options;
  }

  get state(): LiveState {
    return this.#state.get();
  }

  start(): void {
    if (this.#state.get() !== "off") return;
    globalThis.addEventListener("online", this.#hurry);
    globalThis.document?.addEventListener("visibilitychange", this.#hurry);
    void this.#connect();
  }

  /** Closes the socket and forgets where it was; listeners stay. */
  stop(): void {
    globalThis.removeEventListener("online", this.#hurry);
    globalThis.document?.removeEventListener("visibilitychange", this.#hurry);
    clearTimeout(this.#retry);
    this.#drop();
    this.#lastSeq = undefined;
    this.#failures = 0;
    this.#state.set("off");
  }

  /** Listens until the returned function is called. */
  listen(listener: LiveListener): () => void {
    const known = this.#topics();
    this.#listeners.add(listener);
    const fresh = listener.topics.filter((topic) => !known.has(topic));
    if (fresh.length > 0 && this.#send({ t: "subscribe", topics: fresh })) {
      for (const topic of fresh) this.#fresh.add(topic);
    }
    return () => this.#forget(listener);
  }

  /** Tells the others what one has open; said again after a loss. */
  stand(projectId: string | null, at: OpenThing): void {
    this.#here = { projectId, at };
    this.#send({ t: "here", ...this.#here });
  }

  #forget(listener: LiveListener): void {
    if (!this.#listeners.delete(listener)) return;
    const still = this.#topics();
    const topics = listener.topics.filter((topic) => !still.has(topic));
    if (topics.length > 0) this.#send({ t: "unsubscribe", topics });
  }

  #topics(): Set<string> {
    return new Set([...this.#listeners].flatMap((listener) => listener.topics));
  }

  async #connect(): Promise<void> {
    this.#state.set("connecting");
    try {
      const ticket = await (this.#options.ticket ?? askTicket)();
      if (this.#state.get() !== "connecting") return;
      const socket = (this.#options.open ?? openSocket)(ticket);
      this.#socket = socket;
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => this.#receive(data);
      socket.onclose = ({ code }) => this.#lose(socket, code);
    } catch (error) {
      if (isSignedOut(error)) return this.stop();
      this.#lose(undefined, 0);
    }
  }

  #receive(data: unknown): void {
    this.#heardAt = Date.now();
    if (data instanceof ArrayBuffer) return this.#showPreview(data);
    // The studio's own messages; what is not understood is left alone.
    const message = JSON.parse(String(data)) as { t: string; seq?: number; topics?: string[] };
    if (message.t === "hello") {
      // A studio that knows less than we do was set back, to a backup perhaps: its next events have numbers we know.
      if ((message.seq ?? 0) < (this.#lastSeq ?? 0)) this.#lastSeq = undefined;
      this.#subscribeAll();
    } else if (message.t === "subscribed") {
      this.#arrive(message.seq ?? 0);
      this.#confirm(message.topics ?? []);
    } else if (message.t === "event") this.#deliver(LiveEvent.parse(message));
    else if (message.t === "progress") {
      const progress = message as unknown as JobProgress;
      for (const listener of this.#listeners) listener.progress?.(progress);
    } else if (message.t === "presence") {
      const { projectId, people } = message as unknown as { projectId: string; people: readonly Person[] };
      for (const listener of this.#listeners) listener.presence?.(projectId, people);
    } else if (message.t === "vitals") {
      const { subject, vitals } = message as unknown as { subject: string; vitals: unknown };
      for (const listener of this.#listeners) listener.vitals?.(subject, vitals);
    } else if (message.t === "resync") this.#resync();
  }

  #subscribeAll(): void {
    this.#heardAt = Date.now();
    this.#pulse = setInterval(() => this.#beat(), PING_MS);
    const after = this.#lastSeq === undefined ? {} : { after: this.#lastSeq };
    this.#send({ t: "subscribe", topics: [...this.#topics()], ...after });
    if (this.#here.projectId !== null) this.#send({ t: "here", ...this.#here });
  }

  #arrive(seq: number): void {
    const isFirst = this.#lastSeq === undefined;
    this.#lastSeq = Math.max(this.#lastSeq ?? 0, seq);
    this.#failures = 0;
    if (this.#state.get() !== "live") this.#turn("live");
    if (isFirst) this.#resync();
  }

  #confirm(topics: readonly string[]): void {
    const fresh = topics.filter((topic) => this.#fresh.delete(topic));
    if (fresh.length === 0) return;
    for (const listener of this.#listeners) {
      if (listener.topics.some((topic) => fresh.includes(topic))) listener.heard?.();
    }
  }

  #deliver(event: LiveEvent): void {
    // A replay may overlap with what came before the loss.
    if (this.#lastSeq !== undefined && event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq;
    for (const listener of this.#listeners) {
      if (listener.topics.includes(event.topic)) listener.event?.(event);
    }
  }

  #turn(state: LiveState): void {
    this.#state.set(state);
    for (const listener of this.#listeners) listener.changed?.(state);
  }

  #resync(): void {
    for (const listener of this.#listeners) listener.resync?.();
  }

  #showPreview(frame: ArrayBuffer): void {
    const headerLength = new DataView(frame).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, headerLength)));
    const picture = new Blob([frame.slice(4 + headerLength)], { type: header.mediaType });
    for (const listener of this.#listeners) listener.preview?.(header.jobId, picture);
  }

  #send(message: unknown): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** A cable that was pulled closes no socket: silence does. */
  #beat(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#lose(this.#socket, 0);
    else this.#send({ t: "ping" });
  }

  #lose(socket: WebSocket | undefined, code: number): void {
    if (socket !== this.#socket || this.#state.get() === "off") return;
    this.#drop();
    if (code === RIGHTS_CHANGED) this.#options.rightsChanged?.();
    // Said once, not at every try that fails.
    if (this.#failures === 0) this.#turn("lost");
    else this.#state.set("lost");
    const base = this.#options.retryMs ?? 500;
    const waitMs = Math.min(30 * base, base * 2 ** this.#failures++) * (0.75 + Math.random() / 2);
    this.#retry = setTimeout(() => void this.#connect(), waitMs);
  }

  #drop(): void {
    clearInterval(this.#pulse);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#fresh.clear();
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  /** The network or the person is back: no reason to wait longer. */
  readonly #hurry = () => {
    if (this.#state.get() !== "lost" || globalThis.document?.visibilityState === "hidden") return;
    clearTimeout(this.#retry);
    this.#failures = 0;
    void this.#connect();
  };
}

async function askTicket(): Promise<string> {
  return (await call(createSocketTicket)).ticket;
}

function openSocket(ticket: string): WebSocket {
  const url = new URL(`/api/live?ticket=${encodeURIComponent(ticket)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url);
}

/** The socket of this page; the shell starts and stops it with the session. */
export const live: Live = new Live({
  rightsChanged: () => void session.resume().catch(() => {}),
});
