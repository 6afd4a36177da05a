import { deadline } from "#server/core/time.ts";
import { silentLog } from "#server/core/log.ts";
import { type MediaTools, openMediaTools } from "#workers/media/run.ts";
import { prepareFolders } from "#workers/engine/folders.ts";
import type { Registry } from "#workers/engine/graph.ts";
import { REGISTRY } from "#workers/engine/nodes/registry.ts";
import type { AnyNode } from "#workers/engine/nodes/node_spec.ts";
import { serveEngine } from "#workers/engine/protocol/server.ts";
import type { HistoryEntry } from "#workers/engine/queue.ts";

/** A JSON event as it came over a socket. */
export interface Message {
  readonly type: string;
  // Tests look into data of every event.
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** A running engine in a folder of its own, which goes with it. */
export interface GivenEngine extends AsyncDisposable {
  readonly url: string;
  /** Absolute path of a file below the engine's folder. */
  path(name: string): string;
  connect(clientId?: string): Promise<GivenClient>;
  post(path: string, body: unknown): Promise<{ status: number; json: unknown; text: string }>;
  get(path: string): Promise<{ status: number; json: unknown; text: string }>;
  /** Submits and returns the prompt's id; throws when it is refused. */
  submit(graph: unknown, extra?: Record<string, unknown>): Promise<string>;
  history(promptId: string): Promise<HistoryEntry>;
}

/** A client's socket. Messages wait until they are taken. */
export interface GivenClient {
  readonly id: string;
  readonly socket: WebSocket;
  readonly binary: Uint8Array[];
  /** Everything up to and with the first message that fits; waits for it at most 20 s. */
  until(fits: (message: Message) => boolean): Promise<Message[]>;
  /** Everything up to the end of the prompt (`executing` null). */
  untilDone(promptId: string): Promise<Message[]>;
  /** What has come and was not taken. */
  take(): Message[];
  close(): Promise<void>;
}

/** Starts an engine on a free port; `nodes` are known beside the stock ones. */
export async function givenEngine(
  nodes: readonly AnyNode[] = [],
  backend: "auto" | "wasm" = "auto",
): Promise<GivenEngine> {
  const base = await Deno.makeTempDir({ prefix: "engine_" });
  const registry: Registry = new Map([...REGISTRY, ...nodes.map((node) => [node.classType, node] as const)]);
  let tools: Promise<MediaTools> | undefined;
  const media = () => tools ??= openMediaTools({ backend });
  const folders = await prepareFolders(base);
  const server = serveEngine({ registry, folders, log: silentLog, media });
  const clients: GivenClient[] = [];
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(server.url + path, init);
    const text = await response.text();
    return {
      status: response.status,
      text,
      json: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : undefined,
    };
  };
  const given: GivenEngine = {
    url: server.url,
    path: (name) => `${base}/${name}`,
    async connect(clientId = crypto.randomUUID()) {
      const client = await connect(server.url, clientId);
      clients.push(client);
      return client;
    },
    post: (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) }),
    get: (path) => ask(path),
    async submit(graph, extra = {}) {
      const { status, json, text } = await given.post("/prompt", { prompt: graph, ...extra });
      if (status !== 200) throw new Error(`The engine refused the prompt: ${text}`);
      return (json as { prompt_id: string }).prompt_id;
    },
    async history(promptId) {
      const { json } = await given.get(`/history/${promptId}`);
      const entry = (json as Record<string, HistoryEntry>)[promptId];
      if (!entry) throw new Error("The prompt is not in the history");
      return entry;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close();
      await server.stop();
      await (await tools)?.close();
      await Deno.remove(base, { recursive: true });
    },
  };
  return given;
}

async function connect(url: string, id: string): Promise<GivenClient> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws?clientId=${id}`);
  socket.binaryType = "arraybuffer";
  const waiting: Message[] = [];
  const binary: Uint8Array[] = [];
  let arrived = () => {};
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") waiting.push(JSON.parse(data));
    else binary.push(new Uint8Array(data));
    arrived();
  };
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onerror = () => opened.reject(new Error("The socket did not open"));
  socket.onclose = () => closed.resolve();
  await opened.promise;
  const until: GivenClient["until"] = async (fits) => {
    const taken: Message[] = [];
    for (;;) {
      for (let message = waiting.shift(); message; message = waiting.shift()) {
        taken.push(message);
        if (fits(message)) return taken;
      }
      const next = new Promise<void>((resolve) => arrived = resolve);
      await deadline(
        next,
        20_000,
        () => new Error(`It did not come; there was ${JSON.stringify(taken.at(-1))}`),
      );
    }
  };
  const client: GivenClient = {
    id,
    socket,
    binary,
    until,
    untilDone: (promptId) =>
      until(({ type, data }) => type === "executing" && data.node === null && data.prompt_id === promptId),
    take: () => waiting.splice(0),
    async close() {
      socket.close();
      await closed.promise;
    },
  };
  // The greeting is what every test would take first.
  await until(({ type, data }) => type === "status" && data.sid === id);
  return client;
}
