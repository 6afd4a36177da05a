import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact } from "#server/db/db.ts";
import type { Me } from "./contract.ts";
import { refuseWeakPassword } from "./passwords.ts";
import * as queries from "./queries.ts";
import {
  type Auth,
  endSessions,
  type OpenedSession,
  openSession,
  refuseApiToken,
  requireUser,
  systemActor,
  type Visitor,
} from "./sessions.ts";
import { hashSecret } from "./tokens.ts";

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
    // Who knows the password is no stranger.
    if (isRight && user?.status === "disabled") {
      throw new AppError("forbidden", "Your account is suspended: ask an admin of this studio", {
        details: { reason: "user_disabled" },
      });
    }
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

/** Who calls and what they may do: with an API token, less than their role. */
export async function readMe(db: Db, actor: Actor): Promise<Me> {
  const user = await queries.findUser(db, actor.userId);
  if (!user) throw notFound("user");
  return { ...await queries.describeMe(db, user), permissions: [...actor.permissions] };
}

// What other slices and the routes call; the rest of this folder is its own.
export { createToken, revokeToken } from "./api_tokens.ts";
export { acceptLink, createLink } from "./links.ts";
export { hasAdmin, insertUser, listSessions, listTokens } from "./queries.ts";
export { createTicket, endAllSessions, endSession, refresh, signOut, signOutEverywhere } from "./sessions.ts";
export type { Auth, OpenedSession, Visitor } from "./sessions.ts";
