import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Actor } from "#server/core/actor.ts";
import { type App, clientIp, type HttpContext } from "./http_env.ts";

const ACCESS = "seedloop_access";
const REFRESH = "seedloop_refresh";

export interface SessionCookies {
  readonly accessToken: string;
  readonly accessExpiresAt: string;
  readonly refreshToken: string;
  readonly refreshExpiresAt: string;
}

/** Over TLS the names carry `__Host-`: no other host and no plain HTTP can set them. */
function name(context: HttpContext, plain: string): string {
  return isSecure(context) ? `__Host-${plain}` : plain;
}

function isSecure(context: HttpContext): boolean {
  return new URL(context.req.url).protocol === "https:";
}

/**
 * Finds out who calls: a bearer token (session or API token), else the access cookie, which is for a browser's own
 * requests and guarded by the origin check. API tokens are never read from cookies.
 */
export function readSession(app: App, read: (token: string) => Promise<Actor | undefined>): void {
  app.use(async (context, next) => {
    const header = context.req.header("authorization");
    const bearer = header?.startsWith("Bearer ") ? header.slice("Bearer ".length).trim() : undefined;
    const cookie = header === undefined ? getCookie(context, name(context, ACCESS)) : undefined;
    const actor = bearer !== undefined
      ? await read(bearer)
      : cookie && !cookie.startsWith("slt_")
      ? await read(cookie)
      : undefined;
    context.set("actor", actor && { ...actor, ip: clientIp(context), requestId: context.var.requestId });
    await next();
  });
}

export function setSessionCookies(context: HttpContext, cookies: SessionCookies): void {
  const shared = { path: "/", httpOnly: true, secure: isSecure(context), sameSite: "Strict" as const };
  setCookie(context, name(context, ACCESS), cookies.accessToken, {
    ...shared,
    expires: new Date(cookies.accessExpiresAt),
  });
  setCookie(context, name(context, REFRESH), cookies.refreshToken, {
    ...shared,
    expires: new Date(cookies.refreshExpiresAt),
  });
}

export function clearSessionCookies(context: HttpContext): void {
  for (const cookie of [ACCESS, REFRESH]) {
    deleteCookie(context, name(context, cookie), { path: "/", secure: isSecure(context) });
  }
}

export function refreshCookie(context: HttpContext): string | undefined {
  return getCookie(context, name(context, REFRESH));
}
