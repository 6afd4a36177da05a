import type { AnyEndpoint, BodyInput, Params, QueryInput, Reply } from "#server/core/endpoint.ts";
import { delay } from "#server/core/time.ts";

/** What the studio answered when it refused: the problem's own sentence. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

export interface CallInput<E extends AnyEndpoint> {
  readonly params?: Params<E>;
  readonly query?: QueryInput<E>;
  readonly body?: BodyInput<E>;
}

/** Calls endpoints as a script would: by a token, over HTTP, and again when the studio is away for a moment. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  readonly #patienceMs: number;

  constructor(url: string, token: string, patienceMs = 60_000) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
    this.#patienceMs = patienceMs;
  }

  async call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E> = {}): Promise<Reply<E>> {
    const response = await this.#send(endpoint, input.params, input.query, {
      method: endpoint.method,
      ...(input.body === undefined
        ? {}
        : { body: JSON.stringify(input.body), headers: { "content-type": "application/json" } }),
    });
    return response.status === 204 ? undefined as Reply<E> : await response.json();
  }

  /** Sends raw bytes as the body. */
  async upload<E extends AnyEndpoint>(
    endpoint: E,
    input: CallInput<E>,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Reply<E>> {
    const headers = { "content-type": "application/octet-stream" };
    const response = await this.#send(endpoint, input.params, input.query, {
      method: endpoint.method,
      body: bytes,
      headers,
    });
    return await response.json();
  }

  /** Saves a raw reply to a file. */
  async download<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>, path: string): Promise<void> {
    const response = await this.#send(endpoint, input.params, input.query, { method: endpoint.method });
    const file = await Deno.open(path, { create: true, write: true, truncate: true });
    await response.body?.pipeTo(file.writable);
  }

  async #send(endpoint: AnyEndpoint, params: unknown, query: unknown, init: RequestInit): Promise<Response> {
    const values = (params ?? {}) as Record<string, string>;
    const path = endpoint.path.replace(
      /:([A-Za-z]+)/g,
      (_, name: string) => encodeURIComponent(values[name] ?? ""),
    );
    const search = new URLSearchParams(
      Object.entries(query ?? {}).filter(([, value]) => value !== undefined).map((
        [name, value],
      ) => [name, String(value)]),
    );
    const address = `${this.#url}/api${path}${search.size > 0 ? `?${search}` : ""}`;
    const deadlineAt = Date.now() + this.#patienceMs;
    for (let waitMs = 100;; waitMs = Math.min(2_000, waitMs * 2)) {
      const response = await this.#try(address, init);
      if (response?.ok) return response;
      const isPassing = !response || response.status === 429 || response.status === 503;
      if (response && !isPassing || Date.now() > deadlineAt) throw await toError(response, address);
      await response?.body?.cancel();
      await delay(waitMs);
    }
  }

  async #try(address: string, init: RequestInit): Promise<Response | undefined> {
    try {
      return await fetch(address, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${this.#token}` },
      });
    } catch {
      return undefined;
    }
  }
}

async function toError(response: Response | undefined, address: string): Promise<ApiError> {
  if (!response) {
    return new ApiError(
      0,
      "unreachable",
      `The studio does not answer at ${new URL(address).origin}: check that it runs`,
    );
  }
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as {
      code?: string;
      detail?: string;
      fields?: { field: string; message: string }[];
    };
    const fields = problem.fields?.map(({ field, message }) => `${field} ${message}`).join("; ");
    return new ApiError(
      response.status,
      problem.code ?? "unknown",
      `${problem.detail ?? text}${fields ? ` (${fields})` : ""}`,
    );
  } catch {
    return new ApiError(response.status, "unknown", text.slice(0, 500));
  }
}
