import { createHash } from "node:crypto";
import { ConnectionReader, frame, type RawRequest, readRequest, writeAll } from "./raw_http.ts";

/** What the stand-in does with one request instead of answering it rightly; undefined = answer it. */
export type Misdeed =
  | {
    readonly answer: { readonly status: number; readonly type: string; readonly body: string | Uint8Array };
  }
  /** Announces all of it, sends so many bytes, cuts the line. */
  | { readonly truncateAt: number }
  /** Does what is asked, then cuts the line without an answer. */
  | { readonly loseAnswer: true }
  /** Sends a head and nothing more until closed. */
  | { readonly stall: true }
  | { readonly cut: true };

export interface FakePrompt {
  readonly promptId: string;
  readonly clientId: string;
  readonly graph: Record<string, { readonly class_type: string; readonly inputs: Record<string, unknown> }>;
  state: "pending" | "running" | "done";
  history: Record<string, unknown> | undefined;
}

/** A WebSocket connection of the stand-in, open to any abuse. */
export class FakeSocket {
  constructor(readonly connection: Deno.Conn, readonly clientId: string) {}

  event(type: string, data: unknown): Promise<boolean> {
    return this.text(JSON.stringify({ type, data }));
  }

  text(text: string): Promise<boolean> {
    return this.raw(frame(1, new TextEncoder().encode(text)));
  }

  binary(bytes: Uint8Array): Promise<boolean> {
    return this.raw(frame(2, bytes));
  }

  raw(bytes: Uint8Array): Promise<boolean> {
    return writeAll(this.connection, bytes);
  }

  /** Ends without a closing handshake, as a dead process does. */
  drop(): void {
    close(this.connection);
  }
}

const PNG = new Uint8Array([
  0x89,
  0x50,
  0x4e,
  0x47,
  13,
  10,
  26,
  10,
  ...crypto.getRandomValues(new Uint8Array(500)),
]);

/** A stand-in for a ComfyUI on raw TCP that does right what a bridge needs, and wrong what a test asks for. */
export class FaultServer implements AsyncDisposable {
  version = "0.3.64";
  readonly prompts = new Map<string, FakePrompt>();
  readonly sockets: FakeSocket[] = [];
  /** Every request that came: "POST /prompt". */
  readonly requests: string[] = [];
  readonly uploads = new Map<string, Uint8Array>();
  readonly interrupted: string[] = [];
  /** Socket connections ever made. */
  connections = 0;
  misbehave: (request: RawRequest) => Misdeed | undefined = () => undefined;
  /** What happens once a prompt was accepted; by default it runs to its end. */
  onPrompt: (prompt: FakePrompt) => void | Promise<void> = (prompt) => this.finish(prompt);
  onSocket: (socket: FakeSocket) => void | Promise<void> = () => {};
  submitAnswer: (prompt: FakePrompt) => { readonly status: number; readonly body: unknown } | undefined =
    () => undefined;
  /** Whether an interrupt works. */
  onInterrupt: (promptId: string | undefined) => void = (promptId) => this.interruptRunning(promptId);
  file = PNG;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  readonly #serving = new Set<Promise<void>>();
  #counter = 0;
  #waiters: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  constructor() {
    this.#accepting = this.#accept();
  }

  get url(): string {
    const { port } = this.#listener.addr as Deno.NetAddr; // it listens on TCP
    return `http://127.0.0.1:${port}`;
  }

  /** Resolves when `holds`, looked at after each request and socket. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ holds, resolve });
    await promise;
  }

  count(request: string): number {
    return this.requests.filter((one) => one === request).length;
  }

  /** Runs a prompt to its end with all messages that ComfyUI sends. */
  async finish(prompt: FakePrompt): Promise<void> {
    await this.begin(prompt);
    for (const node of Object.keys(prompt.graph)) {
      await this.tell(prompt, "executing", { node, display_node: node });
    }
    await this.end(prompt);
  }

  async begin(prompt: FakePrompt): Promise<void> {
    prompt.state = "running";
    await this.tell(prompt, "execution_start", { timestamp: Date.now() });
    await this.tell(prompt, "execution_cached", { nodes: [], timestamp: Date.now() });
  }

  /** Writes history first, then tells the end, in ComfyUI's order. */
  async end(prompt: FakePrompt, history: Record<string, unknown> = successOf(prompt)): Promise<void> {
    await this.tell(prompt, "execution_success", { timestamp: Date.now() });
    this.endSilently(prompt, history);
    await this.broadcastStatus();
    await this.tell(prompt, "executing", { node: null });
  }

  endSilently(prompt: FakePrompt, history: Record<string, unknown> = successOf(prompt)): void {
    prompt.state = "done";
    prompt.history = history;
  }

  interruptRunning(promptId: string | undefined): void {
    const running = [...this.prompts.values()].find((one) => one.state === "running");
    if (running === undefined || (promptId !== undefined && running.promptId !== promptId)) return;
    this.interrupted.push(running.promptId);
    const message = ["execution_interrupted", { prompt_id: running.promptId, timestamp: Date.now() }];
    this.endSilently(running, historyOf(running, {}, "error", [message]));
  }

  async tell(prompt: FakePrompt, type: string, data: Record<string, unknown>): Promise<void> {
    for (const socket of this.sockets) {
      if (socket.clientId === prompt.clientId) {
        await socket.event(type, { ...data, prompt_id: prompt.promptId });
      }
    }
  }

  async broadcastStatus(): Promise<void> {
    const left = [...this.prompts.values()].filter((one) => one.state !== "done").length;
    for (const socket of this.sockets) {
      await socket.event("status", { status: { exec_info: { queue_remaining: left } } });
    }
  }

  /** The process dies and comes back with nothing in memory; files of input and output stay. */
  restart(): void {
    this.prompts.clear();
    this.dropSockets();
  }

  dropSockets(): void {
    for (const socket of this.sockets.splice(0)) socket.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#accepting;
    await Promise.all(this.#serving);
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        const serving = this.#serve(connection).finally(() => {
          this.#connections.delete(connection);
          this.#serving.delete(serving);
          close(connection);
        });
        this.#serving.add(serving);
      }
    } catch {
      // The listener was closed.
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const reader = new ConnectionReader(connection);
    const request = await readRequest(reader);
    if (request === undefined) return;
    if (request.path === "/ws") return await this.#serveSocket(request, reader);
    const misdeed = this.misbehave(request);
    this.requests.push(`${request.method} ${request.path.replace(/^(\/history|\/view|\/jobs)\/.*/, "$1")}`);
    if (misdeed !== undefined && "answer" in misdeed) {
      const { status, type, body } = misdeed.answer;
      await respond(
        connection,
        status,
        type,
        typeof body === "string" ? new TextEncoder().encode(body) : body,
      );
    } else if (misdeed !== undefined && "stall" in misdeed) {
      await writeAll(
        connection,
        new TextEncoder().encode(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        ),
      );
      await reader.head(); // until the other side has had enough
    } else if (misdeed === undefined || !("cut" in misdeed)) {
      const { status, type, body } = this.#answer(request);
      const cutAt = misdeed === undefined ? undefined : "truncateAt" in misdeed ? misdeed.truncateAt : 0;
      if (misdeed === undefined || "truncateAt" in misdeed) {
        await respond(connection, status, type, body, cutAt, request);
      }
    }
    this.#look();
  }

  async #serveSocket(request: RawRequest, reader: ConnectionReader): Promise<void> {
    const key = request.headers.get("sec-websocket-key") ?? "";
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
    const socket = new FakeSocket(reader.connection, request.query.get("clientId") ?? "");
    await socket.raw(new TextEncoder().encode(head));
    await socket.event("status", { status: { exec_info: { queue_remaining: 0 } }, sid: socket.clientId });
    this.sockets.push(socket);
    this.connections++;
    await this.onSocket(socket);
    this.#look();
    for (let first = await reader.bytes(2); first !== undefined; first = await reader.bytes(2)) {
      const length = first[1]! & 0x7f; // two bytes were read
      const size = length === 126
        ? new DataView((await reader.bytes(2) ?? new Uint8Array(2)).buffer).getUint16(0)
        : length;
      await reader.bytes(4 + size);
      if ((first[0]! & 0x0f) === 8) await socket.raw(frame(8, new Uint8Array([3, 232])));
      if ((first[0]! & 0x0f) === 8) break;
    }
    const at = this.sockets.indexOf(socket);
    if (at >= 0) this.sockets.splice(at, 1);
    this.#look();
  }

  #look(): void {
    this.#waiters = this.#waiters.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }

  #answer(request: RawRequest): { status: number; type: string; body: Uint8Array } {
    if (request.method === "GET" && request.path === "/view") return this.#view(request);
    const answer = request.method === "GET" ? this.#get(request) : this.#post(request);
    const body = answer.body === undefined ? "" : JSON.stringify(answer.body);
    return {
      status: answer.status,
      type: "application/json; charset=utf-8",
      body: new TextEncoder().encode(body),
    };
  }

  #view(request: RawRequest): { status: number; type: string; body: Uint8Array } {
    const name = request.query.get("filename") ?? "";
    const subfolder = request.query.get("subfolder") ?? "";
    const body = request.query.get("type") === "input" ? this.uploads.get(`${subfolder}/${name}`) : this.file;
    return { status: body === undefined ? 404 : 200, type: "image/png", body: body ?? new Uint8Array() };
  }

  #get({ path }: RawRequest): { status: number; body?: unknown } {
    const known = [...this.prompts.values()];
    const queued = (state: FakePrompt["state"]) =>
      known.filter((one) => one.state === state).map((one) => [1, one.promptId, one.graph, {}, []]);
    if (path === "/prompt") {
      return {
        status: 200,
        body: { exec_info: { queue_remaining: queued("pending").length + queued("running").length } },
      };
    }
    if (path === "/queue") {
      return { status: 200, body: { queue_running: queued("running"), queue_pending: queued("pending") } };
    }
    if (path === "/system_stats") {
      return { status: 200, body: { system: { comfyui_version: this.version }, devices: [] } };
    }
    if (path === "/features") {
      return { status: 200, body: { supports_preview_metadata: true, max_upload_size: 104857600 } };
    }
    if (path === "/object_info") return { status: 200, body: OBJECT_INFO };
    if (path === "/models") return { status: 200, body: [] };
    if (path.startsWith("/history/")) {
      const prompt = this.prompts.get(path.slice("/history/".length));
      return {
        status: 200,
        body: prompt?.history === undefined ? {} : { [prompt.promptId]: prompt.history },
      };
    }
    return { status: 404 };
  }

  #post(request: RawRequest): { status: number; body?: unknown } {
    const { path } = request;
    if (path === "/upload/image") return { status: 200, body: this.#upload(request.body) };
    const body = request.body.length === 0 ? {} : JSON.parse(new TextDecoder().decode(request.body));
    if (path === "/prompt") return this.#submit(body);
    if (path === "/queue") {
      for (const id of body.delete ?? []) {
        if (this.prompts.get(id)?.state === "pending") this.prompts.delete(id);
      }
      return { status: 200 };
    }
    if (path === "/interrupt") {
      // Old servers don't know the id.
      this.onInterrupt(this.version === "0.3.40" ? undefined : body.prompt_id);
      return { status: 200 };
    }
    return path === "/free" ? { status: 200 } : { status: 404 };
  }

  #submit(
    body: { prompt: FakePrompt["graph"]; prompt_id: string; client_id: string },
  ): { status: number; body: unknown } {
    const prompt: FakePrompt = {
      promptId: body.prompt_id,
      clientId: body.client_id,
      graph: body.prompt,
      state: "pending",
      history: undefined,
    };
    const own = this.submitAnswer(prompt);
    if (own !== undefined && own.status !== 200) return own;
    this.prompts.set(prompt.promptId, prompt);
    const run = this.broadcastStatus().then(() => this.onPrompt(prompt)).finally(() =>
      this.#serving.delete(run)
    );
    this.#serving.add(run);
    return own ??
      { status: 200, body: { prompt_id: prompt.promptId, number: this.#counter++, node_errors: {} } };
  }

  #upload(body: Uint8Array): unknown {
    const text = new TextDecoder("latin1").decode(body);
    const name = text.match(/filename="([^"]*)"/)?.[1] ?? "";
    const subfolder = text.match(/name="subfolder"\r\n\r\n([^\r]*)/)?.[1] ?? "";
    const start = text.indexOf("\r\n\r\n", text.indexOf("filename=")) + 4;
    this.uploads.set(`${subfolder}/${name}`, body.slice(start, text.lastIndexOf("\r\n--")));
    return { name, subfolder, type: "input" };
  }
}

/** The history of a prompt that succeeded: one file for each SaveImage. */
export function successOf(prompt: FakePrompt): Record<string, unknown> {
  const saves = Object.entries(prompt.graph).filter(([, node]) => node.class_type === "SaveImage");
  const outputs = Object.fromEntries(saves.map(([id]) => [id, {
    images: [{ filename: `${prompt.promptId}.png`, subfolder: "seedloop", type: "output" }],
  }]));
  return historyOf(prompt, outputs, "success", [
    ["execution_start", { prompt_id: prompt.promptId, timestamp: 1000 }],
    ["execution_cached", { nodes: [], prompt_id: prompt.promptId, timestamp: 1000 }],
    ["execution_success", { prompt_id: prompt.promptId, timestamp: 1500 }],
  ]);
}

export function historyOf(
  prompt: FakePrompt,
  outputs: Record<string, unknown>,
  status: "success" | "error",
  messages: readonly unknown[],
): Record<string, unknown> {
  return {
    prompt: [0, prompt.promptId, prompt.graph, {}, []],
    outputs,
    status: { status_str: status, completed: status === "success", messages },
    meta: {},
  };
}

const OBJECT_INFO = {
  EmptyImage: {
    name: "EmptyImage",
    input: { required: { color: ["INT", { min: 0, max: 16777215 }] } },
    output: ["IMAGE"],
    output_node: false,
  },
  LoadImage: {
    name: "LoadImage",
    input: { required: { image: [[], { image_upload: true }] } },
    output: ["IMAGE", "MASK"],
    output_node: false,
  },
  SaveImage: {
    name: "SaveImage",
    input: { required: { images: ["IMAGE"], filename_prefix: ["STRING", {}] } },
    output: [],
    output_node: true,
  },
};

async function respond(
  connection: Deno.Conn,
  status: number,
  type: string,
  body: Uint8Array,
  cutAt?: number,
  request?: RawRequest,
): Promise<void> {
  const range = status === 200 && request?.headers.get("range") === "bytes=0-0";
  const sent = range ? body.subarray(0, 1) : body;
  const ranged = range ? `Content-Range: bytes 0-0/${body.length}\r\n` : "";
  const head =
    `HTTP/1.1 ${range ? 206 : status} X\r\nContent-Type: ${type}\r\nContent-Length: ${sent.length}\r\n` +
    `${ranged}Connection: close\r\n\r\n`;
  await writeAll(connection, new TextEncoder().encode(head));
  await writeAll(connection, cutAt === undefined ? sent : sent.subarray(0, cutAt));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
