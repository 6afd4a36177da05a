import { readCapped } from "./body.ts";
import { brokenCall, ComfyError, notJson, refusal } from "./comfy_error.ts";
import { parseJson, writeJson } from "./json.ts";
import type { Timings } from "./timings.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
}

const MIB = 1024 * 1024;

/** HTTP to one server: every call has a deadline and a size cap, follows no redirect and parses only JSON. */
export class Transport {
  readonly #timings: Timings;
  readonly #http = Deno.createHttpClient({ http2: false, poolMaxIdlePerHost: 4, poolIdleTimeout: 15_000 });

  constructor(readonly url: string, timings: Timings) {
    this.#timings = timings;
  }

  close(): void {
    this.#http.close();
  }

  /** A whole call; the answer's JSON, or undefined when it is empty. Throws ComfyError. */
  async json(method: string, route: string, body: unknown, options: CallOptions): Promise<unknown> {
    const search = new URLSearchParams(options.query).toString();
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = writeJson(body);
      init.headers = { "content-type": "application/json" };
    }
    const response = await this.fetch(
      search === "" ? route : `${route}?${search}`,
      init,
      this.deadline(options),
    );
    return await this.readJson(response, route, options.maxBytes ?? 64 * MIB);
  }

  /** The JSON of an answer. Nothing else is parsed; of an error also a short plain text is told. */
  async readJson(response: Response, route: string, maxBytes = MIB): Promise<unknown> {
    if (response.status >= 300 && response.status < 400 || response.type === "opaqueredirect") {
      await response.body?.cancel();
      const message =
        `Cannot use ${this.url}${route}: it redirects; register the worker by its final address`;
      throw new ComfyError("redirected", message);
    }
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    const bytes = await this.#read(response, route, maxBytes);
    const parsed = isJson ? tryParse(bytes) : undefined;
    if (!response.ok) {
      throw refusal(this.url, route, response.status, parsed ?? plainReason(response, bytes));
    }
    if (bytes.length === 0) return undefined;
    if (parsed === undefined) throw notJson(this.url, route);
    return parsed;
  }

  /** The answer's head; its body is the caller's to read or to cancel. */
  async fetch(route: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const options: RequestInit & { client: Deno.HttpClient } = {
      ...init,
      signal,
      redirect: "manual",
      client: this.#http,
    };
    try {
      return await fetch(this.url + route, options);
    } catch (problem) {
      throw brokenCall(problem, this.url, route);
    }
  }

  /** A signal for one call: its deadline, and the caller's own. */
  deadline(options: CallOptions): AbortSignal {
    const late = AbortSignal.timeout(options.deadlineMs ?? this.#timings.callMs);
    return options.signal === undefined ? late : AbortSignal.any([late, options.signal]);
  }

  async #read(response: Response, route: string, maxBytes: number): Promise<Uint8Array> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await readCapped(response.body, maxBytes);
    } catch (problem) {
      throw brokenCall(problem, this.url, route);
    }
    if (bytes !== undefined) return bytes;
    throw new ComfyError(
      "too_large",
      `Cannot read ${this.url}${route}: the answer is over ${maxBytes} bytes`,
    );
  }
}

/** A short plain text, on one line; a page is for browsers. */
function plainReason(response: Response, bytes: Uint8Array): string | undefined {
  if (!response.headers.get("content-type")?.startsWith("text/plain")) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(0, 300)).replaceAll(/\s+/g, " ").trim();
  return text === "" ? undefined : text;
}

function tryParse(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
