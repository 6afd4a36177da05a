import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { asList, asNumber, asRecord, asText, asTexts } from "./json.ts";
import { untilAborted } from "./abort.ts";
import { multipart, StallTimer, tapBody, type UploadFile, watchBody } from "./body.ts";
import { brokenCall, ComfyError, notJson, refusal, stalled } from "./comfy_error.ts";
import { type HistoryEntry, readHistoryEntry } from "./history.ts";
import { TIMINGS, type Timings } from "./timings.ts";
import { type CallOptions, Transport } from "./transport.ts";

/** A file on a worker, as `/view` and the outputs of history name it. */
export interface FileOnWorker {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: "output" | "input" | "temp";
}

export interface QueuedPrompt {
  readonly number: number;
  readonly promptId: string;
}

/** What a worker has queued; `pending` in the order in which it will run. */
export interface Queue {
  readonly running: readonly QueuedPrompt[];
  readonly pending: readonly QueuedPrompt[];
}

/** Answer to an accepted prompt. Errors here mean that only a part of the graph will run. */
export interface Submitted {
  readonly number: number;
  readonly nodeErrors: Readonly<Record<string, unknown>>;
}

const MIB = 1024 * 1024;

/** One ComfyUI server over HTTP, by what can be asked of it. */
export class ComfyClient {
  readonly url: string;
  readonly #timings: Timings;
  readonly #transport: Transport;
  #prefix: Promise<"/api" | ""> | undefined;

  /** @param url "http://host:8188", with or without a path under which a proxy serves it. */
  constructor(url: string, timings: Timings = TIMINGS) {
    this.url = url.replace(/\/+$/, "");
    this.#timings = timings;
    this.#transport = new Transport(this.url, timings);
  }

  /** Ends idle connections; the client can't be used afterwards. */
  close(): void {
    this.#transport.close();
  }

  /** "/api" where the server knows that form of its routes, else "": asked once, and again after a failure. */
  async prefix(signal?: AbortSignal): Promise<"/api" | ""> {
    this.#prefix ??= this.#findPrefix();
    const found = this.#prefix;
    try {
      return await untilAborted(found, signal);
    } catch (problem) {
      if (!signal?.aborted && this.#prefix === found) this.#prefix = undefined;
      throw problem;
    }
  }

  /** GET of a route given without prefix ("/queue"), as JSON. */
  async getJson(route: string, options: CallOptions = {}): Promise<unknown> {
    return await this.#transport.json("GET", await this.prefix(options.signal) + route, undefined, options);
  }

  /** POST of JSON; the answer's JSON, or undefined for the empty answers that most write routes give. */
  async postJson(route: string, body: unknown, options: CallOptions = {}): Promise<unknown> {
    return await this.#transport.json("POST", await this.prefix(options.signal) + route, body, options);
  }

  async systemStats(options: CallOptions = {}): Promise<Record<string, unknown>> {
    return asRecord(await this.getJson("/system_stats", options)) ?? {};
  }

  /** Node descriptions by class; one class alone when `className` is given ({} when it is unknown). */
  async objectInfo(className?: string, options: CallOptions = {}): Promise<Record<string, unknown>> {
    const route = className === undefined ? "/object_info" : `/object_info/${encodeURIComponent(className)}`;
    const deadlineMs = this.#timings.objectInfoMs;
    return asRecord(await this.getJson(route, { deadlineMs, maxBytes: 128 * MIB, ...options })) ?? {};
  }

  /** Names of the model folders, or of the models in one folder. */
  async models(folder?: string, options: CallOptions = {}): Promise<string[]> {
    const route = folder === undefined ? "/models" : `/models/${encodeURIComponent(folder)}`;
    return asTexts(await this.getJson(route, options));
  }

  /** How many prompts are queued or running. */
  async queueRemaining(options: CallOptions = {}): Promise<number> {
    const answer = asRecord(await this.getJson("/prompt", options));
    return asNumber(asRecord(answer?.exec_info)?.queue_remaining) ?? 0;
  }

  async queue(options: CallOptions = {}): Promise<Queue> {
    const answer = asRecord(await this.getJson("/queue", options));
    if (answer === undefined) throw notJson(this.url, "/queue");
    const read = (value: unknown) =>
      asList(value).flatMap((item) => {
        const [number, promptId] = asList(item);
        const id = asText(promptId);
        return id === undefined ? [] : [{ number: asNumber(number) ?? 0, promptId: id }];
      });
    const byOrder = (a: QueuedPrompt, b: QueuedPrompt) =>
      a.number - b.number || (a.promptId < b.promptId ? -1 : 1);
    return {
      running: read(answer.queue_running),
      pending: read(answer.queue_pending).sort(byOrder),
    };
  }

  /** The finished prompt's record; undefined when the server has none (it may still run, or be unknown). */
  async history(promptId: string, options: CallOptions = {}): Promise<HistoryEntry | undefined> {
    const answer = asRecord(await this.getJson(`/history/${encodeURIComponent(promptId)}`, options));
    if (answer === undefined) throw notJson(this.url, "/history");
    const entry = asRecord(answer[promptId]);
    return entry === undefined ? undefined : readHistoryEntry(entry);
  }

  /** Queues a graph. Throws `refused` with the server's `{error, node_errors}` as `body`. */
  async submit(
    prompt: { readonly promptId: string; readonly clientId: string; readonly graph: ApiGraph },
    options: CallOptions = {},
  ): Promise<Submitted> {
    const body = { prompt: prompt.graph, client_id: prompt.clientId, prompt_id: prompt.promptId };
    const answer = asRecord(await this.postJson("/prompt", body, options));
    if (asText(answer?.prompt_id) === undefined) throw notJson(this.url, "/prompt");
    return { number: asNumber(answer?.number) ?? 0, nodeErrors: asRecord(answer?.node_errors) ?? {} };
  }

  /** Takes prompts out of the queue; a running or unknown one is left as it is. */
  async dequeue(promptIds: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.postJson("/queue", { delete: promptIds }, options);
  }

  /** Interrupts `promptId` if it runs. Servers before 0.3.57 ignore the id and interrupt whatever runs. */
  async interrupt(promptId: string, options: CallOptions = {}): Promise<void> {
    await this.postJson("/interrupt", { prompt_id: promptId }, options);
  }

  /** Drops loaded models and cached results, after the current prompt or at once when idle. */
  async free(options: CallOptions = {}): Promise<void> {
    await this.postJson("/free", { unload_models: true, free_memory: true }, options);
  }

  /** Uploads into `input/<subfolder>`; the answer is the name under which the server really keeps it. */
  async upload(file: UploadFile, subfolder: string, options: CallOptions = {}): Promise<FileOnWorker> {
    const { body, contentType } = multipart({ type: "input", subfolder }, "image", file);
    const route = await this.prefix(options.signal) + "/upload/image";
    const stop = new AbortController();
    const stall = new StallTimer(this.#timings.stallMs, () => stop.abort(stalled(this.url)));
    const signal = AbortSignal.any(
      options.signal === undefined ? [stop.signal] : [stop.signal, options.signal],
    );
    const init = {
      method: "POST",
      body: tapBody(body, () => stall.touch()),
      headers: { "content-type": contentType },
    };
    stall.touch();
    try {
      const answer = asRecord(
        await this.#transport.readJson(await this.#transport.fetch(route, init, signal), route),
      );
      return uploadedName(this.url, answer);
    } finally {
      stall.stop();
    }
  }

  /** Size in bytes of a file on the worker, or undefined when it is not there. */
  async fileSize(file: FileOnWorker, options: CallOptions = {}): Promise<number | undefined> {
    const route = await this.prefix(options.signal) + "/view?" + viewQuery(file);
    const signal = this.#transport.deadline(options);
    // A range of one byte, not HEAD: proxies and small servers answer HEAD without a length.
    const response = await this.#transport.fetch(route, { headers: { range: "bytes=0-0" } }, signal);
    await response.body?.cancel();
    if (response.status === 404 || response.status === 416) return undefined;
    if (!response.ok) throw refusal(this.url, "/view", response.status, undefined);
    const total = response.headers.get("content-range")?.match(/\/(\d+)$/)?.[1];
    const whole = response.status === 200 ? response.headers.get("content-length") : null;
    const size = Number(total ?? whole ?? Number.NaN);
    return Number.isFinite(size) ? size : undefined;
  }

  /**
   * A file of the worker as a stream that fails when it stalls or ends before the announced length.
   * Throws `refused` with status 404 when the file is not there.
   */
  async view(file: FileOnWorker, options: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const route = await this.prefix(options.signal) + "/view?" + viewQuery(file);
    const stop = new AbortController();
    const stall = new StallTimer(this.#timings.stallMs, () => stop.abort(stalled(this.url)));
    const signal = AbortSignal.any(
      options.signal === undefined ? [stop.signal] : [stop.signal, options.signal],
    );
    stall.touch();
    const response = await this.#transport.fetch(route, {}, signal).finally(() => stall.stop());
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw refusal(this.url, `/view of ${file.filename}`, response.status, undefined);
    }
    const type = response.headers.get("content-type") ?? "";
    if (isPage(type, file.filename)) {
      await response.body.cancel();
      throw notJson(this.url, `/view of ${file.filename}`);
    }
    const announced = response.headers.get("content-length");
    // A compressed body is counted after unpacking: its length says nothing about the file.
    const length = response.headers.has("content-encoding") || announced === null
      ? undefined
      : Number(announced);
    return watchBody(response.body, stall, (problem) => brokenCall(problem, this.url, route), length);
  }

  async #findPrefix(): Promise<"/api" | ""> {
    for (const prefix of ["/api", ""] as const) {
      try {
        const answer = asRecord(await this.#transport.json("GET", prefix + "/prompt", undefined, {}));
        if (asRecord(answer?.exec_info) !== undefined) return prefix;
      } catch (problem) {
        const other = problem instanceof ComfyError &&
          (problem.status === 404 || problem.reason === "not_json");
        if (!other) throw problem;
      }
    }
    const message = `Cannot use ${this.url}: it answers, but isn't a ComfyUI server; check address and port`;
    throw new ComfyError("not_json", message);
  }
}

/** A page or message in place of a file, from a proxy in between: ComfyUI itself serves no file as HTML. */
function isPage(type: string, filename: string): boolean {
  if (type.includes("text/html")) return true;
  return type.includes("json") && !/\.(json|gltf|txt)$/i.test(filename);
}

/** The words for `/view`: what ComfyUI keeps, wherever it lies. */
export function viewQuery(file: FileOnWorker): string {
  return new URLSearchParams({ filename: file.filename, subfolder: file.subfolder, type: file.type })
    .toString();
}

function uploadedName(url: string, answer: Record<string, unknown> | undefined): FileOnWorker {
  const name = asText(answer?.name);
  if (name === undefined) throw notJson(url, "/upload/image");
  return { filename: name, subfolder: asText(answer?.subfolder) ?? "", type: "input" };
}
