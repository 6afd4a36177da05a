import * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { delay } from "#server/core/time.ts";
import { OpenThing, type Person } from "./contract.ts";

const ClientMessage = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("subscribe"),
    topics: z.array(z.string().check(z.maxLength(100))).check(z.maxLength(100)),
    /** Number of the last event that the client has: it is sent all after it first. */
    after: z.optional(z.int().check(z.nonnegative())),
  }),
  z.object({ t: z.literal("unsubscribe"), topics: z.array(z.string()) }),
  z.object({ t: z.literal("ping") }),
  /** Which project one has open, and what in it; null for none. */
  z.object({ t: z.literal("here"), projectId: z.nullable(id("project")), at: OpenThing }),
]);

export interface LiveClientEvents {
  subscribe(topics: readonly string[], after: number | undefined): Promise<void>;
  here(projectId: string | null, at: OpenThing): void;
  opened(): void;
  closed(): void;
}

/** A client that is this far behind gets no more pictures; further behind, it is given up and must read anew. */
const PREVIEW_LIMIT_BYTES = 256 * 1024;
const GIVE_UP_BYTES = 768 * 1024;
const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_MESSAGES_PER_SECOND = 50;
const HELD_LIMIT = 2_000;
const ROOM_WAIT_MS = 10_000;
/** How long after it was behind a client is offered its pictures again, and how often. */
const FLUSH_AGAIN_MS = 50;
const FLUSH_TRIES = 200;
const TOO_SLOW = "Too slow: reconnect and ask for what you missed";

/**
 * One socket. It never buffers without bound: a peer that does not read is dropped, since on this runtime a stalled
 * socket keeps all that was sent to it in memory and can't be ended (limits.md D.1). Such a client reconnects and
 * asks for what it missed.
 */
export class LiveClient {
  readonly actor: Actor;
  readonly topics = new Set<string>();
  readonly #socket: WebSocket;
  readonly #events: LiveClientEvents;
  readonly #pending = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Up to which event the peer knew a topic when it asked for it: this process may hear of those only now. */
  readonly #known = new Map<string, number>();
  #held: LiveEvent[] | undefined;
  #subscribing: Promise<void> = Promise.resolve();
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #flushTries = 0;
  #isGone = false;
  #window = { second: 0, count: 0 };

  constructor(socket: WebSocket, actor: Actor, events: LiveClientEvents) {
    this.#socket = socket;
    this.actor = actor;
    this.#events = events;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }) => void this.#receive(data);
    socket.onclose = () => this.#forget();
    socket.onerror = () => this.#forget();
  }

  hello(seq: number): void {
    this.#send({ t: "hello", seq, userId: this.actor.userId });
  }

  /** Sends an event; while a subscription is replayed, live ones wait their turn. */
  event(event: LiveEvent, isReplay = false): void {
    if (!isReplay && event.seq <= (this.#known.get(event.topic) ?? 0)) return;
    if (this.#held && !isReplay) {
      if (this.#held.length >= HELD_LIMIT) return this.resync("Too much happens at once");
      this.#held.push(event);
      return;
    }
    this.#send({ t: "event", ...event });
  }

  /** Keeps back what is new of the topics until they are released; up to the event `known` the peer knows them. */
  hold(topics: readonly string[], known: number): void {
    this.#held = [];
    for (const topic of topics) {
      if (!this.topics.has(topic)) this.#known.set(topic, known);
      this.topics.add(topic);
    }
  }

  release(allowed: readonly string[], refused: readonly string[], seq: number): void {
    this.#send({ t: "subscribed", topics: allowed, refused, seq });
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.event(event);
  }

  /** Waits until the peer has taken most of what it was sent; one that takes nothing for 10 s is given up. */
  async roomToSend(): Promise<void> {
    const until = Date.now() + ROOM_WAIT_MS;
    while (!this.#isGone && this.#socket.bufferedAmount > PREVIEW_LIMIT_BYTES) {
      if (Date.now() > until) return this.close(1013, TOO_SLOW);
      await delay(20);
    }
  }

  progress(message: { jobId: string; ratio: number; note: string }): void {
    if (this.#socket.bufferedAmount > PREVIEW_LIMIT_BYTES) return;
    this.#send({ t: "progress", jobId: message.jobId, ratio: message.ratio, note: message.note });
    this.#flushPreviews();
  }

  vitals(message: { subject: string; vitals: unknown }): void {
    if (this.#socket.bufferedAmount > PREVIEW_LIMIT_BYTES) return;
    this.#send({ t: "vitals", ...message });
  }

  /** Latest wins: a picture that could not be sent gives way to the job's next one. */
  preview(jobId: string, frame: Uint8Array<ArrayBuffer>): void {
    this.#pending.delete(jobId);
    this.#pending.set(jobId, frame);
    if (this.#pending.size > 16) this.#pending.delete(this.#pending.keys().next().value ?? "");
    this.#flushPreviews();
  }

  /** Tells the client that it can't be brought up to date event by event: it must read the state anew. */
  resync(reason: string): void {
    this.#held = this.#held ? [] : undefined;
    this.#send({ t: "resync", reason });
  }

  /** Who has a project open now. */
  presence(projectId: string, people: readonly Person[]): void {
    this.#send({ t: "presence", projectId, people });
  }

  close(code: number, reason: string): void {
    if (this.#isGone) return;
    this.#forget();
    try {
      this.#socket.close(code, reason);
    } catch {
      // A socket whose peer is gone can't be closed, only forgotten.
    }
  }

  #flushPreviews(): void {
    for (const [jobId, frame] of this.#pending) {
      if (this.#isGone) return;
      if (this.#socket.bufferedAmount > PREVIEW_LIMIT_BYTES) return this.#flushLater();
      this.#pending.delete(jobId);
      this.#flushTries = 0;
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame);
    }
  }

  /** The last picture of a job has none after it that would take it along. Who reads nothing for ten seconds goes without. */
  #flushLater(): void {
    if (this.#flushTimer !== undefined) return;
    if (++this.#flushTries > FLUSH_TRIES) return this.#pending.clear();
    this.#flushTimer = setTimeout(() => {
      this.#flushTimer = undefined;
      this.#flushPreviews();
    }, FLUSH_AGAIN_MS);
  }

  #send(message: unknown): void {
    if (this.#isGone || this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > GIVE_UP_BYTES) {
      return this.close(1013, TOO_SLOW);
    }
    this.#socket.send(JSON.stringify(message));
  }

  async #receive(data: unknown): Promise<void> {
    if (typeof data !== "string" || data.length > MAX_MESSAGE_BYTES || this.#isFlooding()) {
      return this.close(1008, "Only short JSON messages, at most 50 a second, are understood");
    }
    const parsed = ClientMessage.safeParse(parseJson(data));
    if (!parsed.success) {
      this.#send({
        t: "error",
        detail: "The message is not understood: send subscribe, unsubscribe, here or ping",
      });
      return;
    }
    const message = parsed.data;
    if (message.t === "ping") this.#send({ t: "pong" });
    else if (message.t === "unsubscribe") this.#unsubscribe(message.topics);
    else if (message.t === "here") this.#events.here(message.projectId, message.at);
    else await this.#subscribe(message.topics, message.after);
  }

  #unsubscribe(topics: readonly string[]): void {
    for (const topic of topics) this.topics.delete(topic);
  }

  /** One after the other: what is kept back during one replay must not mix with another's. */
  #subscribe(topics: readonly string[], after: number | undefined): Promise<void> {
    return this.#subscribing = this.#subscribing.then(() => this.#events.subscribe(topics, after)).catch(() =>
      this.resync("The subscription failed: try again")
    );
  }

  #isFlooding(): boolean {
    const second = Math.floor(Date.now() / 1000);
    if (this.#window.second !== second) this.#window = { second, count: 0 };
    return ++this.#window.count > MAX_MESSAGES_PER_SECOND;
  }

  #forget(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#flushTimer);
    this.#pending.clear();
    this.topics.clear();
    this.#known.clear();
    this.#events.closed();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
