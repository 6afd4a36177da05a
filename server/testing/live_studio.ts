import { deadline } from "#server/core/time.ts";
import { readConfig } from "#server/config.ts";
import { silentLog } from "#server/core/log.ts";
import { listen } from "#server/listen.ts";
import { LiveHub } from "#server/live/hub.ts";
import { type TestClient, type TestStudio, testStudio, type TestStudioOptions } from "./test_studio.ts";

/** A studio that really listens, with its live hub; port 0, loopback. */
export interface LiveStudio extends AsyncDisposable {
  readonly studio: TestStudio;
  readonly hub: LiveHub;
  /** "http://127.0.0.1:40123" */
  readonly url: string;
  /** A socket of that user, through a ticket, after its hello. */
  open(client: TestClient): Promise<LiveSocket>;
}

export async function liveStudio(options: TestStudioOptions = {}): Promise<LiveStudio> {
  const studio = await testStudio(options);
  const { db, actors, app, folder } = studio;
  const hub = await LiveHub.open({ db, actors, log: silentLog });
  const config = readConfig(["--port", "0", "--data", folder], () => undefined);
  const server = await listen({ app, config, hub, log: silentLog });
  const sockets: LiveSocket[] = [];
  return {
    studio,
    hub,
    url: server.url,
    open: async (client) => {
      const { body } = await client.post("/api/auth/socket-ticket");
      const socket = await LiveSocket.open(server.url, body.ticket);
      sockets.push(socket);
      return socket;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) await socket.close();
      await hub.close();
      await server.stop();
      await studio[Symbol.asyncDispose]();
    },
  };
}

export interface LiveMessage {
  readonly t: string;
  readonly seq?: number;
  readonly code?: string;
  readonly topic?: string;
  readonly topics?: string[];
  readonly refused?: string[];
  readonly data?: unknown;
}

const WAIT_MS = 8_000;

/** A client's end of the live socket: everything that came, in order. */
export class LiveSocket {
  readonly messages: LiveMessage[] = [];
  readonly frames: Uint8Array[] = [];
  readonly #closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #watchers = new Set<() => void>();

  static async open(url: string, ticket: string): Promise<LiveSocket> {
    const address = `${url.replace("http", "ws")}/api/live?ticket=${encodeURIComponent(ticket)}`;
    const socket = new LiveSocket(new WebSocket(address));
    await socket.until(() => socket.messages.some((message) => message.t === "hello"));
    return socket;
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.messages.push(JSON.parse(data));
      else this.frames.push(new Uint8Array(data));
      for (const look of this.#watchers) look();
    };
    socket.onerror = (event) => event.preventDefault();
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.onclose = ({ code, reason }) => {
        resolve({ code, reason });
        for (const look of this.#watchers) look();
      };
    });
    this.#closed = closed;
  }

  /** How it ended; rejects when it stays open. */
  get closed(): Promise<{ code: number; reason: string }> {
    return deadline(this.#closed, WAIT_MS, () => new Error("The socket did not close"));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** The numbers of the events that came. */
  get seqs(): number[] {
    return this.messages.filter((message) => message.t === "event").map((message) => message.seq ?? -1);
  }

  /** Waits until it holds; it is looked at whenever something comes. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    let look = () => {};
    const held = new Promise<void>((resolve) => {
      look = () => {
        if (holds()) resolve();
      };
    });
    this.#watchers.add(look);
    const late = () =>
      new Error(`Nothing came: ${JSON.stringify(this.messages.slice(-5))} ${this.#socket.readyState}`);
    await deadline(held, WAIT_MS, late).finally(() => this.#watchers.delete(look));
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Subscribes and returns the answer. */
  async subscribe(topics: readonly string[], after?: number): Promise<LiveMessage> {
    const answers = () => this.messages.filter((message) => message.t === "subscribed");
    const count = answers().length;
    this.send({ t: "subscribe", topics, ...(after === undefined ? {} : { after }) });
    await this.until(() => answers().length > count);
    return answers().at(-1) ?? { t: "none" };
  }

  async close(): Promise<void> {
    if (this.#socket.readyState < WebSocket.CLOSING) this.#socket.close();
    await this.closed;
  }
}
