import type { Log } from "#server/core/log.ts";
import { Mailbox } from "#workers/kit/mailbox.ts";
import { CallReply, type CallRequest, type StopReason } from "#workers/kit/messages.ts";

export interface DispatchListener {
  /** A thread that runs these kinds is there. */
  attached(thread: string): void;
  /** A reply of a call, or something told beside calls. */
  replied(thread: string, reply: CallReply): void;
  detached(thread: string, reason: string): void;
}

/** The threads that run jobs, as the queue sees them: a port each, and the kinds that they have handlers for. */
export class Dispatch {
  readonly #log: Log;
  readonly #threads = new Map<string, { mailbox: Mailbox<CallRequest>; kinds: readonly string[] }>();
  #listener: DispatchListener | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  listen(listener: DispatchListener): void {
    this.#listener = listener;
  }

  /** Takes the port to a thread that has just (re)started. Its kinds count from its first word on. */
  attach(thread: string, port: MessagePort): void {
    if (this.#threads.has(thread)) this.detach(thread, "it was replaced");
    const mailbox = new Mailbox<CallRequest>(port, (message) => {
      if (this.#threads.get(thread)?.mailbox === mailbox) this.#receive(thread, message);
    });
    this.#threads.set(thread, { mailbox, kinds: [] });
  }

  detach(thread: string, reason: string): void {
    const known = this.#threads.get(thread);
    if (!known) return;
    this.#threads.delete(thread);
    known.mailbox.close();
    this.#listener?.detached(thread, reason);
  }

  /** Codes of all kinds that can be run now. */
  get kinds(): string[] {
    return [...this.#threads.values()].flatMap(({ kinds }) => kinds);
  }

  /** The thread that runs `kind` now. */
  threadOf(kind: string): string | undefined {
    for (const [name, { kinds }] of this.#threads) if (kinds.includes(kind)) return name;
    return undefined;
  }

  send(thread: string, message: CallRequest): void {
    this.#threads.get(thread)?.mailbox.post(message);
  }

  stop(thread: string, callId: string, reason: StopReason): void {
    this.send(thread, { t: "cancel", callId, reason });
  }

  close(): void {
    for (const { mailbox } of this.#threads.values()) mailbox.close();
    this.#threads.clear();
  }

  #receive(thread: string, data: unknown): void {
    const parsed = CallReply.safeParse(data);
    if (!parsed.success) {
      return this.#log.error("thread sent an unknown reply", { from: thread, problem: parsed.error.message });
    }
    const reply = parsed.data;
    if (reply.t === "tell" && reply.about === "hello") {
      const known = this.#threads.get(thread);
      if (known && Array.isArray(reply.data)) known.kinds = reply.data.map(String);
      return this.#listener?.attached(thread);
    }
    this.#listener?.replied(thread, reply);
  }
}
