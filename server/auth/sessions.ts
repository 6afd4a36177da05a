import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact, type Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { type RevokeReason, sessionRevoked, type SignedIn } from "./contract.ts";
import type { Passwords } from "./passwords.ts";
import * as queries from "./queries.ts";
import { type AccessTokens, hashSecret, newSecret } from "./tokens.ts";

export interface Auth {
  readonly db: Db;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
}

export interface Visitor {
  readonly ip: string;
  readonly userAgent: string | null;
  readonly requestId?: string;
}

/** A session as its holder gets it; the refresh token goes into a cookie only. */
export interface OpenedSession {
  readonly signedIn: SignedIn;
  readonly refreshToken: string;
  readonly expiresAt: string;
}

const SESSION_DAYS = 7;

export async function openSession(
  auth: Auth,
  tx: Tx,
  user: queries.UserRow,
  visitor: Visitor,
): Promise<OpenedSession> {
  const sessionId = newId<"session">();
  const expiresAt = new Date(Date.now() + SESSION_DAYS * 86_400_000).toISOString();
  await queries.insertSession(tx, {
    id: sessionId,
    userId: user.id,
    expiresAt,
    ip: visitor.ip,
    userAgent: visitor.userAgent?.slice(0, 400) ?? null,
  });
  return await issue(auth, tx, user, sessionId, expiresAt);
}

async function issue(
  auth: Auth,
  tx: Tx,
  user: queries.UserRow,
  sessionId: string,
  expiresAt: string,
): Promise<OpenedSession> {
  const refreshToken = newSecret("slr_");
  await queries.insertRefreshToken(tx, { id: newId(), sessionId, tokenHash: await hashSecret(refreshToken) });
  const access = await auth.tokens.sign({ userId: user.id, sessionId, tokenVersion: user.tokenVersion });
  return {
    signedIn: {
      accessToken: access.token,
      expiresAt: access.expiresAt,
      me: await queries.describeMe(tx, user),
    },
    refreshToken,
    expiresAt,
  };
}

const ENDED: Readonly<Record<RevokeReason, string>> = {
  signed_out: "Your session has ended: sign in again",
  signed_out_everywhere: "You have signed out everywhere: sign in again",
  token_reused: "Your session was ended because an old copy of it was used: sign in again",
  user_disabled: "Your account is suspended: ask an admin of this studio",
  password_changed: "Your password was changed: sign in with the new one",
  expired: "Your session has ended for want of use: sign in again",
  by_admin: "An admin has ended your session: sign in again",
};

/** Why a session goes on no more, for its holder: only who has its token learns so much of an account. */
function sessionEnded(reason: RevokeReason | undefined): AppError {
  return new AppError(
    "unauthenticated",
    ENDED[reason ?? "signed_out"],
    reason ? { details: { reason } } : {},
  );
}

/**
 * Rotates a refresh token. One that was used before is in two hands: its whole family, the session, is revoked.
 */
export async function refresh(
  auth: Auth,
  refreshToken: string | undefined,
  visitor: Visitor,
): Promise<OpenedSession> {
  if (!refreshToken) throw sessionEnded(undefined);
  const tokenHash = await hashSecret(refreshToken);
  const opened = await transact(auth.db, async (tx) => {
    const row = await queries.lockRefreshToken(tx, tokenHash);
    if (!row) return undefined;
    const user = await queries.findUser(tx, row.userId);
    if (user?.status === "disabled") return "user_disabled";
    if (!row.isOpen) return row.revokeReason ?? "expired";
    if (row.usedAt !== null || row.isIdle) {
      const reason = row.usedAt === null ? "expired" : "token_reused";
      await endSessions(tx, { userId: row.userId, only: row.sessionId }, reason);
      if (row.usedAt !== null) {
        await audit(tx, systemActor(visitor), "session.token_reused", {
          subject: ["session", row.sessionId],
        });
      }
      return reason;
    }
    if (user?.status !== "active") return undefined;
    await queries.useRefreshToken(tx, row.id, row.sessionId);
    return await issue(
      auth,
      tx,
      user,
      row.sessionId,
      new Date(Date.now() + SESSION_DAYS * 86_400_000).toISOString(),
    );
  });
  // Thrown after the transaction: throwing inside would roll the revocation back.
  if (typeof opened !== "object") throw sessionEnded(opened);
  return opened;
}

/** Ends sessions and announces it, so that every server process closes their sockets. */
export async function endSessions(
  tx: Tx,
  which: { userId: string; only?: string | undefined; except?: string | undefined },
  reason: RevokeReason,
): Promise<void> {
  const sessionIds = await queries.revokeSessions(tx, which, reason);
  if (sessionIds.length > 0) {
    await announce(tx, sessionRevoked, `user:${which.userId}`, { sessionIds, userId: which.userId });
  }
}

/**
 * Ends the session of the access token or, when that has expired, of the refresh token: nothing of a session that
 * was signed out of can be used again.
 */
export async function signOut(
  auth: Auth,
  actor: Actor | undefined,
  refreshToken: string | undefined,
  visitor: Visitor,
): Promise<void> {
  await transact(auth.db, async (tx) => {
    const held = refreshToken
      ? await queries.lockRefreshToken(tx, await hashSecret(refreshToken))
      : undefined;
    const sessionId = actor?.sessionId ?? (held?.isOpen ? held.sessionId : undefined);
    const userId = actor?.sessionId ? actor.userId : held?.userId;
    if (!sessionId || !userId) return;
    await endSessions(tx, { userId, only: sessionId }, "signed_out");
    await audit(tx, actor ?? { ...systemActor(visitor), userId }, "user.sign_out", {
      subject: ["user", userId],
    });
  });
}

/** Ends every session of the user and what their access tokens still allow. */
export async function endAllSessions(tx: Tx, userId: string, reason: RevokeReason): Promise<void> {
  await queries.raiseTokenVersion(tx, userId);
  await endSessions(tx, { userId }, reason);
}

export async function signOutEverywhere(auth: Auth, actor: Actor): Promise<void> {
  refuseApiToken(actor);
  await transact(auth.db, async (tx) => {
    await endAllSessions(tx, actor.userId, "signed_out_everywhere");
    await audit(tx, actor, "user.sign_out_everywhere", { subject: ["user", actor.userId] });
  });
}

export async function endSession(auth: Auth, actor: Actor, sessionId: string): Promise<void> {
  await transact(auth.db, async (tx) => {
    const open = await queries.listSessions(tx, actor.userId, undefined);
    if (!open.some((session) => session.id === sessionId)) throw notFound("session");
    await endSessions(tx, { userId: actor.userId, only: sessionId }, "signed_out");
    await audit(tx, actor, "user.sign_out", { subject: ["session", sessionId] });
  });
}

/** A ticket that opens one socket of this session; a program opens its own with its API token. */
export async function createTicket(auth: Auth, actor: Actor): Promise<{ ticket: string; expiresAt: string }> {
  const user = await queries.findUser(auth.db, actor.userId);
  if (!user) throw notFound("user");
  if (!actor.sessionId) {
    throw new AppError(
      "forbidden",
      "An API token needs no ticket: open the socket with it in the Authorization header",
    );
  }
  const claims = { userId: user.id, sessionId: actor.sessionId, tokenVersion: user.tokenVersion };
  const { token, expiresAt } = await auth.tokens.sign(claims, "socket", 30_000);
  return { ticket: token, expiresAt };
}

/** Nobody yet: the audit row has no user, but still says from where. */
export function systemActor(visitor: Visitor): Actor {
  return {
    userId: "",
    roleCode: "reviewer",
    permissions: new Set(),
    ip: visitor.ip,
    ...(visitor.requestId ? { requestId: visitor.requestId } : {}),
  };
}

/** Refuses API tokens where a person must act: who finds a token must not be able to take the account with it. */
export function refuseApiToken(actor: Actor): void {
  if (!actor.tokenId) return;
  throw new AppError("forbidden", "An API token can't do this: sign in with name and password");
}

export async function requireUser(tx: Tx, userId: string): Promise<queries.UserRow> {
  const user = userId ? await queries.findUser(tx, userId) : undefined;
  if (!user) throw notFound("user");
  return user;
}
