import type { AnyEndpoint, BodyInput, Params, QueryInput, Reply } from "#server/core/endpoint.ts";

/** The studio's refusal: its problem details, or, with status 0, its silence. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: readonly { readonly field: string; readonly message: string }[] = [],
    /** To be told to an admin; empty where there is none. */
    readonly requestId: string = "",
  ) {
    super(message);
  }
}

export interface CallInput<E extends AnyEndpoint> {
  readonly params?: Params<E>;
  readonly query?: QueryInput<E>;
  readonly body?: BodyInput<E>;
}

/** Calls an endpoint by its contract, as whoever the cookie says. Throws ApiError with the studio's own sentence. */
export async function call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E> = {}): Promise<Reply<E>> {
  const response = await send(endpoint, input);
  // The studio checks its replies against the contract; checking them here again would only cost time.
  if (response.status === 204) return undefined as Reply<E>;
  const reply = await response.json().catch(() => undefined);
  if (response.ok && reply !== undefined) return reply;
  throw new ApiError(
    response.status,
    reply?.code ?? "unknown",
    reply?.detail ??
      `The studio's answer (${response.status}) can't be read: try again, or ask an admin for its log`,
    reply?.fields ?? [],
    response.headers.get("x-request-id") ?? "",
  );
}

async function send<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>): Promise<Response> {
  try {
    return await fetch(addressOf(endpoint, input), {
      method: endpoint.method,
      ...(input.body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(input.body) }),
    });
  } catch {
    throw new ApiError(
      0,
      "unreachable",
      "The studio does not answer: check that it runs and that you are on its network",
    );
  }
}

function addressOf<E extends AnyEndpoint>(endpoint: E, { params, query }: CallInput<E>): string {
  // Parameters are texts in every contract.
  const values = (params ?? {}) as Record<string, string>;
  const path = endpoint.path.replace(
    /:([A-Za-z]+)/g,
    (_, name: string) => encodeURIComponent(values[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  return `/api${path}${search.size > 0 ? `?${search}` : ""}`;
}
