import type { Problem } from "#server/core/errors.ts";
import { defineWords, language } from "./words.ts";
import type { AnyEndpoint, BodyInput, Params, QueryInput, Reply } from "#server/core/endpoint.ts";

const w = defineWords({
  en: {
    unreachable: "The studio does not answer: check that it runs and that you are on its network",
    unread: "The studio's answer ({status}) can't be read: try again, or ask an admin for its log",
  },
  de: {
    unreachable: "Das Studio antwortet nicht: prüfe, ob es läuft und ob du in seinem Netz bist",
    unread:
      "Die Antwort des Studios ({status}) ist nicht lesbar: versuche es noch einmal, oder frage einen Admin",
  },
});

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
    /** Facts that go with the code: `{ reason: "user_disabled" }`. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

export interface CallInput<E extends AnyEndpoint> {
  readonly params?: Params<E>;
  readonly query?: QueryInput<E>;
  readonly body?: BodyInput<E>;
}

/** Tries to get a session that was refused going again; whether it did. */
export type Renewal = () => Promise<boolean>;

let renewal: Renewal | undefined;

/** What `call` does about a session that is refused, after a night with the lid closed for one. */
export function renewSessionBy(renew: Renewal): void {
  renewal = renew;
}

/**
 * Calls an endpoint by its contract, as whoever the cookie says; once more where the session could be renewed. Throws
 * ApiError with the studio's own sentence.
 */
export async function call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E> = {}): Promise<Reply<E>> {
  try {
    return await callOnce(endpoint, input);
  } catch (error) {
    // Refused before anything was done: asking again does nothing twice.
    if (!isSignedOut(error) || !await renewal?.()) throw error;
    return await callOnce(endpoint, input);
  }
}

/** Whether the studio says that there is no session. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** As `call`, and a session that is refused stays refused: for what sessions are made and renewed by. */
export async function callOnce<E extends AnyEndpoint>(
  endpoint: E,
  input: CallInput<E> = {},
): Promise<Reply<E>> {
  const response = await send(endpoint, input);
  // The studio checks its replies against the contract; checking them here again would only cost time.
  if (response.status === 204) return undefined as Reply<E>;
  const reply = await response.json().catch(() => undefined);
  if (response.ok && reply !== undefined) return reply;
  throw await refusalOf(response, reply, w("unread", { status: String(response.status) }));
}

/** What the studio refused, in the reader's words where there are some; `unread` where its answer is no refusal. */
export async function refusalOf(
  { status, headers }: Pick<Response, "status" | "headers">,
  reply: Partial<Problem> | undefined,
  unread: string,
): Promise<ApiError> {
  const say = await translation();
  return new ApiError(
    status,
    reply?.code ?? "unknown",
    reply?.detail === undefined ? unread : say.problem(reply.detail),
    (reply?.fields ?? []).map(({ field, message }) => ({ field, message: say.fault(message) })),
    headers.get("x-request-id") ?? "",
    reply?.details ?? {},
  );
}

/** The studio speaks English; other words are fetched by who reads another language. */
async function translation() {
  const asItIs = (text: string) => text;
  if (language() !== "de") return { problem: asItIs, fault: asItIs };
  // The studio's own sentence is better than none.
  const words = await import("./problem_words.ts").catch(() => undefined);
  return { problem: words?.germanProblem ?? asItIs, fault: words?.germanFault ?? asItIs };
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
    throw new ApiError(0, "unreachable", w("unreachable"));
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
