import {
  type AnyEndpoint,
  type Body,
  type Params,
  type Query,
  type ReplyInput,
} from "#server/core/endpoint.ts";
import { AppError, errorMessage } from "#server/core/errors.ts";
import { JsonText } from "#server/core/json_text.ts";
import type { Log } from "#server/core/log.ts";
import type * as z from "zod/mini";
import type { Actor } from "./actor.ts";
import { type App, clientIp, type HttpContext } from "./http_env.ts";
import { invalid, parseInput, queryObject, readJson, refuseNul } from "./read_input.ts";

/** What a handler is given: the parsed request, and who asks. */
export interface Call<E extends AnyEndpoint> {
  /** Who calls. Reading it where nobody is signed in throws AppError("unauthenticated"). */
  readonly actor: Actor;
  /** Who calls, or undefined: for endpoints that anyone may call. */
  readonly caller: Actor | undefined;
  readonly params: Params<E>;
  readonly query: Query<E>;
  readonly body: Body<E>;
  readonly ip: string;
  readonly requestId: string;
  readonly log: Log;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** For raw bodies, cookies and headers. */
  readonly context: HttpContext;
}

// A handler without a reply may end without a return.
type Answer<E extends AnyEndpoint> =
  | (undefined extends ReplyInput<E> ? void : ReplyInput<E>)
  | JsonText<ReplyInput<E>>
  | Response;
export type EndpointHandler<E extends AnyEndpoint> = (call: Call<E>) => Answer<E> | Promise<Answer<E>>;

const boundEndpoints = new WeakMap<App, AnyEndpoint[]>();

/** Every endpoint that was bound to `app`, in order: OpenAPI and the policy tests walk it. */
export function endpointsOf(app: App): readonly AnyEndpoint[] {
  return boundEndpoints.get(app) ?? [];
}

/**
 * Binds an endpoint to the function that answers it, under `/api`. Gate first, then params, query and body by
 * the endpoint's schemas; a handler that needs more than its words (ranges, cookies) returns a Response.
 */
export function serve<E extends AnyEndpoint>(app: App, endpoint: E, handler: EndpointHandler<E>): void {
  boundEndpoints.set(app, [...endpointsOf(app), endpoint]);
  // Hono answers HEAD through the GET route, without the body.
  const method = endpoint.method === "HEAD" ? "GET" : endpoint.method;
  app.on(method, `/api${endpoint.path}`, async (context) => {
    const http = context.get("http");
    await http.authorise(context.get("actor"), endpoint.can);
    const answer = await handler(await readCall(endpoint, context));
    if (answer instanceof Response) return answer;
    if (http.checkReplies) {
      checkReply(endpoint, answer instanceof JsonText ? JSON.parse(answer.text) : answer);
    }
    return jsonResponse(context, answer, endpoint);
  });
}

async function readCall<E extends AnyEndpoint>(endpoint: E, context: HttpContext): Promise<Call<E>> {
  const request = context.req.raw;
  const { params, query } = readAddress(endpoint, context);
  const body = endpoint.body
    ? parseInput(endpoint.body, await readBody(endpoint, request), "body")
    : undefined;
  // get(), not var: Hono builds a new object at each look at var.
  const caller = context.get("actor");
  return {
    get actor(): Actor {
      if (!caller) throw new AppError("unauthenticated", "Cannot do this without an account: sign in first");
      return caller;
    },
    caller,
    params,
    query,
    // The schemas are the endpoint's own, so their outputs are its types.
    body: body as Body<E>,
    ip: clientIp(context),
    requestId: context.get("requestId"),
    log: context.get("log"),
    get signal(): AbortSignal {
      return request.signal;
    },
    context,
  };
}

function readAddress<E extends AnyEndpoint>(endpoint: E, context: HttpContext) {
  const params = context.req.param();
  const query = queryObject(endpoint.query, context.req.url);
  refuseNul(params, "params");
  refuseNul(query, "query");
  const [unknown] = Object.keys(query);
  if (!endpoint.query && unknown !== undefined) {
    throw invalid([{ field: `/query/${unknown}`, message: "Unknown field: leave it out" }]);
  }
  return {
    params: (endpoint.params ? parseInput(endpoint.params, params, "params") : undefined) as Params<E>,
    query: (endpoint.query ? parseInput(endpoint.query, query, "query") : undefined) as Query<E>,
  };
}

async function readBody(endpoint: AnyEndpoint, request: Request): Promise<unknown> {
  const body = await readJson(request);
  if (body !== undefined || acceptsNothing(endpoint.body)) return body;
  throw invalid([{ field: "/body", message: "Needs a JSON body" }]);
}

function acceptsNothing(schema: z.core.$ZodType): boolean {
  const type = (schema as z.core.$ZodTypes)._zod.def.type;
  return type === "optional" || type === "default";
}

/** Throws, as a fault of ours, when a reply is not what its endpoint declares or says more than that. */
function checkReply(endpoint: AnyEndpoint, reply: unknown): void {
  const name = `${endpoint.method} ${endpoint.path}`;
  if (!endpoint.reply) {
    if (reply === undefined) return;
    throw new Error(`The handler of ${name} returned a value, but the endpoint declares no reply`);
  }
  try {
    parseInput(endpoint.reply, reply, "reply");
  } catch (error) {
    throw new Error(`The reply of ${name} is not what the endpoint declares: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Through the context: only so the headers that the handler set on it, cookies among them, go out. */
function jsonResponse(context: HttpContext, reply: unknown, endpoint: AnyEndpoint): Response {
  if (reply === undefined) return context.newResponse(null, endpoint.status ?? 204);
  const text = reply instanceof JsonText ? reply.text : JSON.stringify(reply);
  return context.newResponse(text, endpoint.status ?? 200, {
    "content-type": "application/json; charset=utf-8",
  });
}
