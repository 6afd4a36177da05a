import { delay } from "#server/core/time.ts";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { asList, asNumber, asRecord, asText, asTexts, parseJson } from "#workers/comfy/json.ts";

/** An HTTP answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Undefined when it isn't JSON. */
  readonly json: unknown;
}

/** A frame as the server sent it. */
export type Frame = { readonly type: string; readonly data: Record<string, unknown> } | Uint8Array;

/** A JSON frame. */
export type Message = Extract<Frame, { type: string }>;

/** What the server under test is: checks adapt to it, and are skipped where it lacks what they need. */
export interface Facts {
  readonly version: string;
  readonly isEngine: boolean;
  readonly classes: ReadonlySet<string>;
  readonly features: Readonly<Record<string, unknown>>;
  readonly arguments: readonly string[];
  readonly diffusionModels: readonly string[];
  readonly hasJobs: boolean;
}

/** A finished prompt with all that was heard of it. */
export interface Run {
  readonly promptId: string;
  /** The JSON frames between submit and end that belong to it, and every `status`. */
  readonly messages: readonly Message[];
  readonly history: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

const PATIENCE_MS = 60_000;

/** The server under test, spoken to without the bridge: what is checked is the server. */
export class Peer {
  readonly ours = new Set<string>();
  #color = Math.floor(Math.random() * 0xff0000);

  /** Use Peer.at(), which asks the server what it is. */
  constructor(readonly url: string, readonly facts: Facts) {}

  static async at(url: string): Promise<Peer> {
    const base = url.replace(/\/+$/, "");
    const read = async (path: string) => (await call(base, "GET", path)).json;
    const system = asRecord(asRecord(await read("/system_stats"))?.system) ?? {};
    const models = await call(base, "GET", "/models/diffusion_models");
    const facts: Facts = {
      version: asText(system.comfyui_version) ?? "unknown",
      isEngine: system.seedloop !== undefined,
      classes: new Set(Object.keys(asRecord(await read("/object_info")) ?? {})),
      features: asRecord(await read("/features")) ?? {},
      arguments: asTexts(system.argv),
      diffusionModels: asTexts(models.json),
      hasJobs: Array.isArray(asRecord((await call(base, "GET", "/api/jobs?limit=1")).json)?.jobs),
    };
    return new Peer(base, facts);
  }

  /** A colour that no other check uses, so that nothing is served from the cache by chance. */
  freshColor(): number {
    this.#color = (this.#color + 4099) % 0xffffff;
    return this.#color;
  }

  /** A file name prefix of this suite. */
  freshPrefix(): string {
    return `seedloop-conformance/${crypto.randomUUID().slice(0, 8)}`;
  }

  get(path: string, init: RequestInit = {}): Promise<Answer> {
    return call(this.url, "GET", path, init);
  }

  post(path: string, body?: unknown, init: RequestInit = {}): Promise<Answer> {
    return call(this.url, "POST", path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  }

  async submit(graph: ApiGraph, extra: Record<string, unknown> = {}): Promise<Answer & { promptId: string }> {
    const promptId = asText(extra.prompt_id) ?? crypto.randomUUID();
    this.ours.add(promptId);
    return { ...await this.post("/prompt", { prompt: graph, prompt_id: promptId, ...extra }), promptId };
  }

  /** Opens a socket; the first `status` has come when this returns. */
  async listen(clientId: string | undefined = crypto.randomUUID(), flags?: unknown): Promise<Listener> {
    return await Listener.open(this.url, clientId, flags);
  }

  /** Submits and waits for the last word on the prompt. */
  async run(graph: ApiGraph, extra: Record<string, unknown> = {}): Promise<Run> {
    const listener = await this.listen();
    const before = listener.frames.length;
    try {
      const answer = await this.submit(graph, { client_id: listener.clientId, ...extra });
      if (answer.status !== 200) throw new Error(`Cannot run the graph: ${answer.status} ${answer.text}`);
      await listener.untilEnd(answer.promptId);
      const history = await this.history(answer.promptId);
      if (history === undefined) throw new Error("Cannot find the history after executing null");
      return {
        promptId: answer.promptId,
        messages: listener.messages.slice(before).filter((one) =>
          one.type === "status" || one.data.prompt_id === answer.promptId
        ),
        history,
        outputs: asRecord(history.outputs) ?? {},
      };
    } finally {
      await listener.close();
    }
  }

  async history(promptId: string): Promise<Record<string, unknown> | undefined> {
    return asRecord(asRecord((await this.get(`/history/${promptId}`)).json)?.[promptId]);
  }

  /** Waits for the prompt's history without a socket. */
  async untilHistory(promptId: string): Promise<Record<string, unknown>> {
    return await until("the history", () => this.history(promptId));
  }

  async queue(): Promise<{ readonly running: string[]; readonly pending: string[] }> {
    const answer = asRecord((await this.get("/queue")).json) ?? {};
    const ids = (items: unknown) => asTexts(asList(items).map((item) => asList(item)[1]));
    return { running: ids(answer.queue_running), pending: ids(answer.queue_pending) };
  }

  async untilRunning(promptId: string): Promise<void> {
    await until(
      "the prompt to run",
      async () => (await this.queue()).running.includes(promptId) || undefined,
    );
  }

  async untilIdle(): Promise<void> {
    await until("an empty queue", async () => {
      const info = asRecord(asRecord((await this.get("/prompt")).json)?.exec_info);
      return asNumber(info?.queue_remaining) === 0 || undefined;
    });
  }

  view(file: unknown, extra = "", init: RequestInit = {}): Promise<Answer> {
    const { filename, subfolder, type } = asRecord(file) ?? {};
    const query = new URLSearchParams({
      filename: String(filename),
      subfolder: String(subfolder ?? ""),
      type: String(type ?? "output"),
    });
    return this.get(`/view?${query}${extra}`, init);
  }

  async upload(
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
    fields: Record<string, string> = {},
  ): Promise<Answer> {
    const form = new FormData();
    form.set("image", new File([bytes], name));
    for (const [key, value] of Object.entries(fields)) form.set(key, value);
    return await call(this.url, "POST", "/upload/image", { body: form });
  }
}

/** A socket that keeps all it hears. */
export class Listener {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  readonly #closed = Promise.withResolvers<void>();
  #tell: () => void = () => {};

  /** Use Listener.open(), which waits for the connection. */
  constructor(url: string, readonly clientId: string | undefined) {
    const query = clientId === undefined ? "" : `?clientId=${clientId}`;
    this.#socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws${query}`);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => {
      this.frames.push(typeof data === "string" ? readFrame(data) : new Uint8Array(data as ArrayBuffer));
      this.#tell();
    };
    this.#socket.onclose = () => this.#closed.resolve();
    this.#socket.onerror = (event) => event.preventDefault();
  }

  static async open(url: string, clientId: string | undefined, flags: unknown): Promise<Listener> {
    const listener = new Listener(url, clientId);
    await listener.until("the first status", (frames) => frames.length > 0);
    if (flags !== undefined) listener.send(JSON.stringify({ type: "feature_flags", data: flags }));
    return listener;
  }

  get messages(): Message[] {
    return this.frames.filter((frame): frame is Message => !(frame instanceof Uint8Array));
  }

  get binaries(): Uint8Array[] {
    return this.frames.filter((frame) => frame instanceof Uint8Array);
  }

  /** The messages of one prompt. */
  of(promptId: string): Message[] {
    return this.messages.filter((message) => message.data.prompt_id === promptId);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async until(what: string, holds: (frames: readonly Frame[]) => boolean, ms = PATIENCE_MS): Promise<void> {
    const end = performance.now() + ms;
    while (!holds(this.frames)) {
      const left = end - performance.now();
      if (left <= 0) throw new Error(`Cannot go on: ${what} did not come in ${ms} ms; ${this.#summary()}`);
      const told = new AbortController();
      this.#tell = () => told.abort();
      await delay(Math.min(left, 1000), told.signal).catch(() => {});
    }
  }

  /** Waits for `executing` with node null: the last frame of a prompt. */
  async untilEnd(promptId: string): Promise<void> {
    await this.until(`the end of ${promptId}`, () => this.of(promptId).some(isEnd));
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }

  #summary(): string {
    return `heard ${
      this.frames.map((frame) => frame instanceof Uint8Array ? "binary" : frame.type).join(" ")
    }`;
  }
}

export function isEnd(message: Message): boolean {
  return message.type === "executing" && message.data.node === null;
}

/** Asks again until there is an answer. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`Cannot go on: ${what} did not come in ${PATIENCE_MS} ms`);
    await delay(20);
  }
}

async function call(base: string, method: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(base + path, { ...init, method, signal: AbortSignal.timeout(PATIENCE_MS) });
  const bytes = await response.bytes();
  const text = new TextDecoder().decode(bytes);
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text,
    json: isJson ? parseJson(text) : undefined,
  };
}

function readFrame(text: string): Message {
  const frame = asRecord(parseJson(text)) ?? {};
  return { type: asText(frame.type) ?? "", data: asRecord(frame.data) ?? {} };
}
