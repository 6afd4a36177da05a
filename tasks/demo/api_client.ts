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
    const init = input.body === undefined
      ? {}
      : { body: JSON.stringify(input.body), headers: { "content-type": "application/json" } };
    return await this.#send(
      endpoint,
      input,
      init,
      async (response) => response.status === 204 ? undefined : await response.json(),
    );
  }

  /** Sends raw bytes as the body. */
  async upload<E extends AnyEndpoint>(
    endpoint: E,
    input: CallInput<E>,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Reply<E>> {
    const headers = { "content-type": "application/octet-stream" };
    return await this.#send(endpoint, input, { body: bytes, headers }, (response) => response.json());
  }

  /** Saves a raw reply to a file, from its start again when the connection breaks. */
  async download<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>, path: string): Promise<void> {
    await this.#send(endpoint, input, {}, async (response) => {
      const file = await Deno.open(path, { create: true, write: true, truncate: true });
      await (response.body ?? new ReadableStream({ start: (stream) => stream.close() })).pipeTo(
        file.writable,
      );
    });
  }

  /** Sends until the studio answers; a reply that breaks off is asked for again, so every call must be repeatable. */
  async #send<T>(
    endpoint: AnyEndpoint,
    input: { readonly params?: unknown; readonly query?: unknown },
    init: RequestInit,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const address = `${this.#url}/api${fillPath(endpoint.path, input.params)}${fillQuery(input.query)}`;
    const deadlineAt = Date.now() + this.#patienceMs;
    for (let waitMs = 100;; waitMs = Math.min(2_000, waitMs * 2)) {
      const response = await this.#try(address, { ...init, method: endpoint.method });
      if (response?.ok) {
        try {
          return await read(response);
        } catch (error) {
          if (Date.now() > deadlineAt || !isBrokenOff(error)) throw error;
        }
      } else {
        const isPassing = !response || response.status === 429 || response.status === 503;
        if (!isPassing || Date.now() > deadlineAt) throw await toError(response, address);
        await response?.body?.cancel();
      }
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

function fillPath(path: string, params: unknown): string {
  const values = (params ?? {}) as Record<string, string>;
  return path.replace(/:([A-Za-z]+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
}

function fillQuery(query: unknown): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return search.size > 0 ? `?${search}` : "";
}

/** fetch tells a connection that broke while the body came as a TypeError; half a JSON text as a SyntaxError. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof TypeError || error instanceof SyntaxError;
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
