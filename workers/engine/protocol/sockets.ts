import type { Log } from "#server/core/log.ts";
import { encodePreview } from "#workers/engine/encode_preview.ts";
import { isRecord, parseJson, toJson } from "#workers/engine/json_text.ts";
import type { NodePreview, Outlet } from "#workers/engine/outlet.ts";
import { previewFrame, previewFrameWithMetadata, textFrame } from "./frames.ts";

/** Previews are dropped for a client that has more than this unsent. */
const PREVIEW_BACKLOG = 2 * 1024 * 1024;
/** A client that has more than this unsent is given up: it would pin the engine's memory. */
const HOPELESS_BACKLOG = 64 * 1024 * 1024;
/** Larger messages from clients are refused, as by ComfyUI: 4 MiB. */
const MAX_MESSAGE = 4 * 1024 * 1024;

interface Client {
  readonly socket: WebSocket;
  wantsMetadata: boolean;
  /** Whether the first valid JSON message is still to come. */
  fresh: boolean;
}

/** What a socket is told when it opens. */
export interface Greeting {
  status(): Readonly<Record<string, unknown>>;
  currentNode(clientId: string): string | undefined;
  readonly features: Readonly<Record<string, unknown>>;
}

/**
 * The sockets of all clients, one per client id: a second one takes the id over. Messages leave in the order
 * in which they were given, pictures included, which are encoded on the way.
 */
export class Sockets implements Outlet {
  readonly #clients = new Map<string, Client>();
  readonly #log: Log;
  /** Work before this one; undefined when nothing waits. */
  #last: Promise<void> | undefined;
  #waitingPreviews = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes a socket that opens under `clientId` ("" for a made-up one). */
  register(socket: WebSocket, clientId: string, greeting: Greeting): void {
    const id = clientId || crypto.randomUUID().replaceAll("-", "");
    const client: Client = { socket, wantsMetadata: false, fresh: true };
    socket.onopen = () => {
      this.#clients.set(id, client);
      this.#enqueue(() => this.#greet(client, id, greeting));
    };
    socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(client, event.data, greeting.features);
    socket.onclose = () => {
      // Only when the id is still this socket's: another may have taken it over.
      if (this.#clients.get(id) === client) this.#clients.delete(id);
    };
    socket.onerror = () => this.#log.debug("a socket failed", { clientId: id });
  }

  send(type: string, data: Readonly<Record<string, unknown>>, clientId: string | undefined): void {
    const text = toJson({ type, data });
    this.#enqueue(() => this.#deliver(text, clientId));
  }

  preview(preview: NodePreview, form: "with_metadata" | "plain", clientId: string | undefined): void {
    // A picture that is overtaken by three others is not worth encoding.
    if (this.#waitingPreviews > 3 || this.#clients.size === 0) return;
    this.#waitingPreviews++;
    this.#enqueue(async () => {
      try {
        await this.#deliverPreview(preview, form === "with_metadata", clientId);
      } finally {
        this.#waitingPreviews--;
      }
    });
  }

  text(nodeId: string, text: string): void {
    const frame = textFrame(nodeId, text);
    this.#enqueue(() => this.#deliver(frame, undefined));
  }

  /** Closes every socket. */
  close(): void {
    for (const { socket } of this.#clients.values()) closeQuietly(socket, 1001, "The engine stops");
    this.#clients.clear();
  }

  #greet(client: Client, id: string, greeting: Greeting): void {
    this.#push(client, toJson({ type: "status", data: { status: greeting.status(), sid: id } }));
    const node = greeting.currentNode(id);
    if (node !== undefined) this.#push(client, toJson({ type: "executing", data: { node } }));
  }

  #receive(client: Client, data: unknown, features: Readonly<Record<string, unknown>>): void {
    if (typeof data !== "string") return;
    if (data.length > MAX_MESSAGE) return closeQuietly(client.socket, 1009, "The message is too big");
    let message: unknown;
    try {
      message = parseJson(data);
    } catch {
      return this.#log.debug("a client sent what is no JSON");
    }
    if (client.fresh && isRecord(message) && message["type"] === "feature_flags") {
      const flags = message["data"];
      client.wantsMetadata = isRecord(flags) && flags["supports_preview_metadata"] === true;
      this.#enqueue(() => this.#push(client, toJson({ type: "feature_flags", data: features })));
    }
    client.fresh = false;
  }

  #enqueue(work: () => void | Promise<void>): void {
    if (this.#last === undefined) {
      const done = work();
      if (done) this.#follow(done);
      return;
    }
    this.#follow(this.#last.then(work));
  }

  #follow(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => this.#log.warn("a message was not delivered", { error }))
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
      });
    this.#last = settled;
  }

  #deliver(message: string | Uint8Array<ArrayBuffer>, clientId: string | undefined): void {
    for (const client of this.#addressees(clientId)) this.#push(client, message);
  }

  async #deliverPreview(
    preview: NodePreview,
    withMetadata: boolean,
    clientId: string | undefined,
  ): Promise<void> {
    const clients = this.#addressees(clientId).filter((client) =>
      client.wantsMetadata === withMetadata && client.socket.bufferedAmount < PREVIEW_BACKLOG
    );
    if (clients.length === 0) return;
    const jpeg = await encodePreview(preview.frame);
    const frame = withMetadata
      ? previewFrameWithMetadata(jpeg, preview.nodeId, preview.promptId)
      : previewFrame(jpeg);
    for (const client of clients) this.#push(client, frame);
  }

  #addressees(clientId: string | undefined): Client[] {
    if (clientId === undefined) return [...this.#clients.values()];
    const client = this.#clients.get(clientId);
    return client ? [client] : [];
  }

  #push(client: Client, message: string | Uint8Array<ArrayBuffer>): void {
    const { socket } = client;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > HOPELESS_BACKLOG) {
      return closeQuietly(socket, 1008, "The client reads too slowly");
    }
    socket.send(message);
  }
}

function closeQuietly(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It closed by itself meanwhile.
  }
}
