import type { App, HttpContext } from "#server/http/http_env.ts";
import { clearSessionCookies, refreshCookie, setSessionCookies } from "#server/http/session.ts";
import { type Call, serve } from "#server/http/serve.ts";
import { AppError } from "#server/core/errors.ts";
import type { AnyEndpoint } from "#server/core/endpoint.ts";
import { notFound } from "#server/projects/service.ts";
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
  serve(app, contract.signOut, async ({ caller, context }) => {
    if (caller) await service.signOut(auth, caller);
    clearSessionCookies(context);
    return undefined;
  });
  serve(app, contract.signOutEverywhere, async ({ actor, context }) => {
    await service.signOutEverywhere(auth, actor);
    clearSessionCookies(context);
    return undefined;
  });
  serve(app, contract.getMe, async ({ actor }) => {
    const user = await service.findUser(auth.db, actor.userId);
    if (!user) throw notFound("user");
    return { ...await service.describeMe(auth.db, user), permissions: [...actor.permissions] };
  });
  serve(app, contract.changePassword, ({ actor, body }) => service.changePassword(auth, actor, body));
  serve(
    app,
    contract.listSessions,
    ({ actor }) => service.listSessions(auth.db, actor.userId, actor.sessionId),
  );
  serve(app, contract.endSession, ({ actor, params }) => service.endSession(auth, actor, params.sessionId));
  serve(app, contract.listTokens, ({ actor }) => service.listTokens(auth.db, actor.userId));
  serve(app, contract.createToken, ({ actor, body }) => service.createToken(auth, actor, body));
  serve(app, contract.revokeToken, ({ actor, params }) => service.revokeToken(auth, actor, params.tokenId));
  serve(app, contract.createSocketTicket, async ({ actor }) => {
    const user = await service.findUser(auth.db, actor.userId);
    if (!user) throw notFound("user");
    const claims = {
      userId: user.id,
      sessionId: actor.sessionId ?? actor.tokenId ?? "",
      tokenVersion: user.tokenVersion,
    };
    const { token, expiresAt } = await auth.tokens.sign(claims, "socket", 30_000);
    return { ticket: token, expiresAt };
  });
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
