import type { App, HttpContext } from "#server/http/http_env.ts";
import { clearSessionCookies, refreshCookie, setSessionCookies } from "#server/http/session.ts";
import { type Call, serve } from "#server/http/serve.ts";
import type { AnyEndpoint } from "#server/core/endpoint.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function authRoutes(app: App, auth: service.Auth): void {
  serve(
    app,
    contract.acceptLink,
    async (call) => enter(call.context, await service.acceptLink(auth, call.body, visitor(call))),
  );
  serve(
    app,
    contract.signIn,
    async (call) => enter(call.context, await service.signIn(auth, call.body, visitor(call))),
  );
  serve(
    app,
    contract.refresh,
    async (call) =>
      enter(call.context, await service.refresh(auth, refreshCookie(call.context), visitor(call))),
  );
  serve(app, contract.signOut, async (call) => {
    await service.signOut(auth, call.caller, refreshCookie(call.context), visitor(call));
    clearSessionCookies(call.context);
    return undefined;
  });
  serve(app, contract.signOutEverywhere, async ({ actor, context }) => {
    await service.signOutEverywhere(auth, actor);
    clearSessionCookies(context);
    return undefined;
  });
  serve(app, contract.getMe, ({ actor }) => service.readMe(auth.db, actor));
  serve(
    app,
    contract.changePassword,
    async (call) =>
      enter(call.context, await service.changePassword(auth, call.actor, call.body, visitor(call))),
  );
  serve(
    app,
    contract.listSessions,
    ({ actor }) => service.listSessions(auth.db, actor.userId, actor.sessionId),
  );
  serve(app, contract.endSession, ({ actor, params }) => service.endSession(auth, actor, params.sessionId));
  serve(app, contract.listTokens, ({ actor }) => service.listTokens(auth.db, actor.userId));
  serve(app, contract.createToken, ({ actor, body }) => service.createToken(auth, actor, body));
  serve(app, contract.revokeToken, ({ actor, params }) => service.revokeToken(auth, actor, params.tokenId));
  serve(app, contract.createSocketTicket, ({ actor }) => service.createTicket(auth, actor));
}

function visitor<E extends AnyEndpoint>(call: Call<E>): service.Visitor {
  return { ip: call.ip, userAgent: call.context.req.header("user-agent") ?? null, requestId: call.requestId };
}

function enter(context: HttpContext, opened: service.OpenedSession) {
  setSessionCookies(context, {
    accessToken: opened.signedIn.accessToken,
    accessExpiresAt: opened.signedIn.expiresAt,
    refreshToken: opened.refreshToken,
    refreshExpiresAt: opened.expiresAt,
  });
  return opened.signedIn;
}
