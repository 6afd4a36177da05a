import type { MiddlewareHandler } from "hono";
import { AppError } from "#server/core/errors.ts";
import type { HttpEnv } from "./http_env.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const YEAR_S = 31_536_000;

/** Headers of every answer, errors included. An answer that sets one of them itself keeps its own. */
export function secureHeaders(): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    await next();
    // A WebSocket's 101 must go out exactly as the runtime made it.
    if (context.res.status === 101) return;
    const { headers } = context.res;
    const set = (name: string, value: string) => {
      if (!headers.has(name)) headers.set(name, value);
    };
    set("content-security-policy", CONTENT_SECURITY_POLICY);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "same-origin");
    set("x-frame-options", "DENY");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), payment=(), microphone=(self)");
    set("x-request-id", context.get("requestId"));
    if (context.req.path.startsWith("/api/")) set("cache-control", "no-store");
    const { url } = context.req;
    // Not for loopback: the promise would bind every other program's port on the same name.
    if (url.startsWith("https:") && !/^https:\/\/localhost[:/]/.test(url)) {
      set("strict-transport-security", `max-age=${YEAR_S}`);
    }
  };
}

/**
 * Refuses changes that another site's page asks for with this site's cookies. A bearer token can't be sent by
 * accident, and a caller that is no browser sends neither header.
 */
export function checkOrigin(): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const { method, headers } = context.req.raw;
    const isSafe = method === "GET" || method === "HEAD" || method === "OPTIONS";
    const hasToken = headers.get("authorization")?.toLowerCase().startsWith("bearer ") ?? false;
    if (!isSafe && !hasToken && !isSameOrigin(context.req.raw)) {
      throw new AppError(
        "forbidden",
        "Cannot accept changes from another site's page: use the studio's own address",
      );
    }
    await next();
  };
}

/** Whether the browser says that one of the studio's own pages sent `request`; true where nothing is said. */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return URL.canParse(origin) && new URL(origin).host === host;
}
