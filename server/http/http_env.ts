import type { Context, Hono } from "hono";
import type { Log } from "#server/core/log.ts";
import type { Actor, Authorise } from "./actor.ts";

export interface HttpOptions {
  readonly log: Log;
  readonly authorise: Authorise;
  /** In development and tests a reply that breaks its schema is answered 500; in production it is not checked. */
  readonly checkReplies: boolean;
  /** Turns a thrown foreign error (SQLSTATE …) into an AppError where it can. */
  readonly translateError: (error: unknown) => unknown;
}

/** What middleware puts into Hono's context. `actor` is set by the session middleware. */
export interface HttpEnv {
  Bindings: Partial<Deno.ServeHandlerInfo<Deno.NetAddr>>;
  Variables: {
    http: HttpOptions;
    requestId: string;
    log: Log;
    actor: Actor | undefined;
  };
}

export type App = Hono<HttpEnv>;
export type HttpContext = Context<HttpEnv>;

/** The peer's address. X-Forwarded-For is not believed: anyone can write it. */
export function clientIp(context: HttpContext): string {
  return context.env?.remoteAddr?.hostname ?? "127.0.0.1";
}
