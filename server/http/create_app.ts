import { Hono } from "hono";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { type Log, silentLog } from "#server/core/log.ts";
import { authorise } from "./actor.ts";
import type { App, HttpEnv, HttpOptions } from "./http_env.ts";
import { answerError } from "./on_error.ts";
import { methodsOf } from "./methods.ts";
import { limitInFlight, limitRate, RateLimit } from "./rate_limit.ts";
import { checkOrigin, secureHeaders } from "./security_headers.ts";

export interface AppOptions extends Partial<HttpOptions> {
  readonly log?: Log;
  /** Requests of one address: a burst, and then so many a second. */
  readonly rate?: { readonly capacity: number; readonly perSecond: number };
  /** Requests of one address at a time. */
  readonly maxInFlight?: number;
}

/**
 * The web application before any endpoint: request id, headers, limits, origin check, errors as problem details.
 * Bind endpoints with serve(), add pages with app.get(), and hand `app.fetch` to Deno.serve with its info.
 */
export function createApp(options: AppOptions = {}): App {
  const app = new Hono<HttpEnv>();
  const http: HttpOptions = {
    log: options.log ?? silentLog,
    authorise: options.authorise ?? authorise,
    checkReplies: options.checkReplies ?? true,
    translateError: options.translateError ?? ((error) => error),
  };
  app.use(async (context, next) => {
    const requestId = newId<"request">();
    context.set("http", http);
    context.set("requestId", requestId);
    context.set("log", http.log.with({ requestId }));
    await next();
    await discardBody(context.req.raw);
  });
  app.use(secureHeaders());
  app.use(limitInFlight(options.maxInFlight ?? 256));
  app.use(limitRate(new RateLimit(options.rate ?? { capacity: 2000, perSecond: 500 })));
  app.use(checkOrigin());
  app.onError((error, context) => answerError(error, context));
  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = methodsOf(app, path);
    // A page that is of one of its methods may still find that what it is asked for is not there.
    if (allowed.length === 0 || allowed.includes(method)) {
      return answerError(new AppError("not_found", `Cannot find ${method} ${path}: see /api/docs`), context);
    }
    const allow = allowed.join(", ");
    const text = `Cannot ${method} ${path}: this address takes ${allow}`;
    const answer = answerError(new AppError("method_not_allowed", text), context);
    answer.headers.set("allow", allow);
    return answer;
  });
  return app;
}

/** On this runtime an answer before the body is read can stall the connection (limits.md D.1). */
async function discardBody(request: Request): Promise<void> {
  if (!request.body || request.bodyUsed || request.body.locked) return;
  await request.body.cancel().catch(() => {});
}
