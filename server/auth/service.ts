import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { TokenScope } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import {
  type ApiToken,
  type Me,
  type OneTimeLinkKind,
  type RevokeReason,
  sessionRevoked,
  type SignedIn,
} from "./contract.ts";
import { type Passwords, refuseWeakPassword } from "./passwords.ts";
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
const FREE_FAILURES = 5;
const FREE_FAILURES_PER_ADDRESS = 30;

export async function signIn(
  auth: Auth,
  input: { login: string; password: string },
  visitor: Visitor,
): Promise<OpenedSession> {
  const accountKey = await hashSecret(`${input.login.toLowerCase()}|${visitor.ip}`);
  const addressKey = await hashSecret(visitor.ip);
  await refuseThrottled(auth, [accountKey, addressKey]);
  const user = await queries.findUserByLogin(auth.db, input.login);
  const isRight = await auth.passwords.verify(input.password, user?.passwordHash);
  if (!user || !isRight || user.status !== "active") {
    await queries.countFailure(auth.db, accountKey, FREE_FAILURES);
    await queries.countFailure(auth.db, addressKey, FREE_FAILURES_PER_ADDRESS);
    await audit(
      auth.db,
      systemActor(visitor),
      "user.sign_in_refused",
      user ? { subject: ["user", user.id] } : {},
    );
    throw new AppError(
      "unauthenticated",
      "Name and password do not match an account: check both and try again",
    );
  }
  await queries.forgetFailures(auth.db, accountKey);
  return await transact(auth.db, async (tx) => {
    await audit(tx, { ...systemActor(visitor), userId: user.id }, "user.sign_in", {
      subject: ["user", user.id],
    });
    return await openSession(auth, tx, user, visitor);
  });
}

async function refuseThrottled(auth: Auth, keys: readonly string[]): Promise<void> {
  const blockedMs = await queries.findBlock(auth.db, keys);
  if (blockedMs === 0) return;
  throw new AppError(
    "limited",
    `Too many failed tries: try again in ${Math.ceil(blockedMs / 1000)} seconds`,
    { retryAfterMs: blockedMs },
  );
}

/** Nobody yet: the audit row has no user, but still says from where. */
function systemActor(visitor: Visitor): Actor {
  return {
    userId: "",
    roleCode: "reviewer",
    permissions: new Set(),
    ip: visitor.ip,
    ...(visitor.requestId ? { requestId: visitor.requestId } : {}),
  };
}

async function openSession(
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

/**
 * Rotates a refresh token. One that was used before is in two hands: its whole family, the session, is revoked.
 */
export async function refresh(
  auth: Auth,
  refreshToken: string | undefined,
  visitor: Visitor,
): Promise<OpenedSession> {
  const ended = new AppError("unauthenticated", "Your session has ended: sign in again");
  if (!refreshToken) throw ended;
  const tokenHash = await hashSecret(refreshToken);
  const opened = await transact(auth.db, async (tx) => {
    const row = await queries.lockRefreshToken(tx, tokenHash);
    if (!row?.isOpen) return undefined;
    if (row.usedAt !== null || row.isIdle) {
      await endSessions(
        tx,
        { userId: row.userId, only: row.sessionId },
        row.usedAt === null ? "expired" : "token_reused",
      );
      if (row.usedAt !== null) {
        await audit(tx, systemActor(visitor), "session.token_reused", {
          subject: ["session", row.sessionId],
        });
      }
      return undefined;
    }
    const user = await queries.findUser(tx, row.userId);
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
  if (!opened) throw ended;
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

/** Refuses API tokens where a person must act: who finds a token must not be able to take the account with it. */
function refuseApiToken(actor: Actor): void {
  if (!actor.tokenId) return;
  throw new AppError("forbidden", "An API token can't do this: sign in with name and password");
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

/** Changes the password, ends all sessions and opens a new one for who has changed it. */
export async function changePassword(
  auth: Auth,
  actor: Actor,
  input: { current: string; next: string },
  visitor: Visitor,
): Promise<OpenedSession> {
  refuseApiToken(actor);
  const key = await hashSecret(`password of ${actor.userId}`);
  await refuseThrottled(auth, [key]);
  const user = await queries.findUser(auth.db, actor.userId);
  if (!user || !await auth.passwords.verify(input.current, user.passwordHash)) {
    await queries.countFailure(auth.db, key, FREE_FAILURES);
    throw new AppError("forbidden", "The current password is not right", {
      fields: [{ field: "/body/current", message: "does not match" }],
    });
  }
  refuseWeakPassword(input.next, user.login, "/body/next");
  const passwordHash = await auth.passwords.hash(input.next);
  return await transact(auth.db, async (tx) => {
    await queries.forgetFailures(tx, key);
    await queries.setPassword(tx, user.id, passwordHash);
    await endSessions(tx, { userId: user.id }, "password_changed");
    await audit(tx, actor, "user.change", { subject: ["user", user.id], facts: { changed: "password" } });
    return await openSession(auth, tx, await requireUser(tx, user.id), visitor);
  });
}

/** A one-time link's secret part. The first admin's lives a day, others an hour; older unused ones of that kind fall. */
export async function createLink(
  db: Queryable,
  link: { kind: OneTimeLinkKind; userId?: string; createdBy?: Actor; ttlMs?: number },
): Promise<{ token: string; expiresAt: string }> {
  const token = newSecret("sll_");
  const expiresAt = new Date(
    Date.now() + (link.ttlMs ?? (link.kind === "first_admin" ? 86_400_000 : 3_600_000)),
  ).toISOString();
  await transact(db, async (tx) => {
    if (link.kind === "first_admin") await queries.dropFirstAdminLinks(tx);
    const row = {
      id: newId(),
      kind: link.kind,
      tokenHash: await hashSecret(token),
      userId: link.userId ?? null,
      expiresAt,
    };
    await queries.insertLink(tx, { ...row, createdById: link.createdBy?.userId ?? null });
    await audit(tx, link.createdBy, "link.create", link.userId ? { subject: ["user", link.userId] } : {});
  });
  return { token, expiresAt };
}

export interface LinkInput {
  readonly token: string;
  readonly login?: string | undefined;
  readonly displayName?: string | undefined;
  readonly password: string;
}

/** Uses a one-time link: the first admin is made, an invited user gets a password, or a lost one is replaced. */
export async function acceptLink(auth: Auth, input: LinkInput, visitor: Visitor): Promise<OpenedSession> {
  const passwordHash = await auth.passwords.hash(input.password);
  return await transact(auth.db, async (tx) => {
    const link = await queries.takeLink(tx, await hashSecret(input.token));
    if (!link) throw new AppError("gone", "This link was used or is too old: ask for a new one");
    const user = link.kind === "first_admin"
      ? await makeFirstAdmin(tx, input, passwordHash)
      : await setLinkedPassword(tx, link.userId, input, passwordHash);
    await audit(tx, { ...systemActor(visitor), userId: user.id }, "link.use", {
      subject: ["user", user.id],
      facts: { kind: link.kind },
    });
    return await openSession(auth, tx, user, visitor);
  });
}

async function makeFirstAdmin(tx: Tx, input: LinkInput, passwordHash: string): Promise<queries.UserRow> {
  if (await queries.hasAdmin(tx)) {
    throw new AppError("gone", "The studio has an admin already: ask them for an account");
  }
  if (!input.login) {
    throw new AppError("invalid", "Choose a name to sign in with", {
      fields: [{ field: "/body/login", message: "is needed" }],
    });
  }
  refuseWeakPassword(input.password, input.login);
  const id = newId<"user">();
  await queries.insertUser(tx, {
    id,
    login: input.login,
    displayName: input.displayName ?? input.login,
    role: "admin",
    status: "active",
    passwordHash,
  });
  return await requireUser(tx, id);
}

async function setLinkedPassword(
  tx: Tx,
  userId: string | null,
  input: LinkInput,
  passwordHash: string,
): Promise<queries.UserRow> {
  const user = await requireUser(tx, userId ?? "");
  if (user.status === "disabled") throw new AppError("gone", "This account is disabled: ask an admin");
  refuseWeakPassword(input.password, user.login);
  await queries.setPassword(tx, user.id, passwordHash);
  await endSessions(tx, { userId: user.id }, "password_changed");
  return await requireUser(tx, user.id);
}

async function requireUser(tx: Tx, userId: string): Promise<queries.UserRow> {
  const user = userId ? await queries.findUser(tx, userId) : undefined;
  if (!user) throw notFound("user");
  return user;
}

export async function createToken(
  auth: Auth,
  actor: Actor,
  input: { name: string; scopes: readonly TokenScope[]; expiresInDays?: number | undefined },
): Promise<ApiToken & { secret: string }> {
  if (actor.tokenId && input.scopes.includes("admin") && !actor.permissions.has("user.admin")) {
    throw new AppError("forbidden", "A token can't make a token that may do more than itself");
  }
  const secret = newSecret("slt_");
  const id = newId<"api token">();
  const expiresAt = input.expiresInDays
    ? new Date(Date.now() + input.expiresInDays * 86_400_000).toISOString()
    : null;
  await transact(auth.db, async (tx) => {
    const row = {
      id,
      userId: actor.userId,
      name: input.name,
      tokenHash: await hashSecret(secret),
      prefix: secret.slice(0, 8),
      expiresAt,
    };
    await queries.insertToken(tx, row, input.scopes);
    await audit(tx, actor, "api_token.create", {
      subject: ["api_token", id],
      facts: { name: input.name, scopes: input.scopes },
    });
  });
  const made = (await queries.listTokens(auth.db, actor.userId)).find((token) => token.id === id);
  if (!made) throw new Error("The token was not kept");
  return { ...made, secret };
}

export async function revokeToken(auth: Auth, actor: Actor, tokenId: string): Promise<void> {
  await transact(auth.db, async (tx) => {
    if (!await queries.revokeToken(tx, actor.userId, tokenId)) throw notFound("token");
    await announce(tx, sessionRevoked, `user:${actor.userId}`, {
      sessionIds: [],
      tokenIds: [tokenId],
      userId: actor.userId,
    });
    await audit(tx, actor, "api_token.revoke", { subject: ["api_token", tokenId] });
  });
}

/** Who calls and what they may do: with an API token, less than their role. */
export async function readMe(db: Db, actor: Actor): Promise<Me> {
  const user = await queries.findUser(db, actor.userId);
  if (!user) throw notFound("user");
  return { ...await queries.describeMe(db, user), permissions: [...actor.permissions] };
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

export const { hasAdmin, insertUser, listSessions, listTokens, findUser, describeMe, listPermissions } =
  queries;
