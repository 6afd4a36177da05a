import { audit } from "#server/audit/service.ts";
import { createLink, endAllSessions, insertUser } from "#server/auth/service.ts";
import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { cutPage } from "#server/projects/service.ts";
import {
  type Invitation,
  type InvitationInput,
  type OneTimeLink,
  type User,
  type UserChange,
  userChanged,
  type UserFilter,
} from "./contract.ts";
import * as queries from "./queries.ts";

export async function listUsers(db: Db, filter: UserFilter): Promise<{ items: User[]; next?: string }> {
  return cutPage(await queries.listUsers(db, filter), filter.limit);
}

export async function openUser(db: Queryable, userId: string): Promise<User> {
  const user = await queries.findUser(db, userId);
  if (!user) throw notFound("user");
  return user;
}

/** Makes the account, still without a password, and the link with which its owner chooses one. */
export async function inviteUser(db: Db, actor: Actor, input: InvitationInput): Promise<Invitation> {
  const userId = input.id ?? newId<"user">();
  return await transact(db, async (tx) => {
    await insertUser(tx, {
      id: userId,
      login: input.login,
      displayName: input.displayName ?? input.login,
      role: input.role,
      status: "invited",
      passwordHash: null,
    });
    await audit(tx, actor, "user.create", {
      subject: ["user", userId],
      facts: { login: input.login, role: input.role },
    });
    await announce(tx, userChanged, `user:${userId}`, { userId, hasNewRights: false });
    return { user: await openUser(tx, userId), link: await makeLink(tx, actor, userId, "invite") };
  });
}

/**
 * Changes name, role or status. A disabled user's sessions, tokens and sockets end with the commit. The last active
 * admin can neither be disabled nor made something else: nobody could undo it.
 */
export async function changeUser(
  db: Db,
  actor: Actor,
  userId: string,
  change: UserChange,
): Promise<User> {
  return await transact(db, async (tx) => {
    const admins = await queries.lockActiveAdmins(tx);
    const before = await openUser(tx, userId);
    refuseChange(before, change, admins);
    await queries.updateUser(tx, userId, change);
    if (change.status === "disabled") {
      await endAllSessions(tx, userId, "user_disabled");
      await queries.dropOpenLinks(tx, userId);
    }
    const after = await openUser(tx, userId);
    await audit(tx, actor, "user.change", {
      subject: ["user", userId],
      facts: { before: { ...before, lastSeenAt: undefined }, change },
    });
    const hasNewRights = before.role !== after.role || before.status !== after.status;
    await announce(tx, userChanged, `user:${userId}`, { userId, hasNewRights });
    return after;
  });
}

function refuseChange(before: User, change: UserChange, activeAdmins: readonly string[]): void {
  const isLosingAdmin = change.status === "disabled" ||
    (change.role !== undefined && change.role !== "admin");
  if (isLosingAdmin && activeAdmins.length === 1 && activeAdmins[0] === before.id) {
    throw new AppError(
      "conflict",
      "Cannot take the last active admin away: nobody could manage the studio. Make someone else an admin first",
    );
  }
  if (change.status === "active" && before.status === "invited") {
    throw new AppError(
      "conflict",
      "Cannot activate an invited user: they become active by choosing a password with their link. Make a new link when the old one has expired",
    );
  }
}

/** A new link for one who is invited or has lost the password; earlier links of theirs are worth nothing. */
export async function createUserLink(db: Db, actor: Actor, userId: string): Promise<OneTimeLink> {
  return await transact(db, async (tx) => {
    const user = await openUser(tx, userId);
    if (user.status === "disabled") {
      throw new AppError("conflict", "Cannot make a link for a disabled user: enable them first");
    }
    await queries.dropOpenLinks(tx, userId);
    return await makeLink(tx, actor, userId, user.status === "invited" ? "invite" : "password_reset");
  });
}

async function makeLink(
  tx: Tx,
  actor: Actor,
  userId: string,
  kind: "invite" | "password_reset",
): Promise<OneTimeLink> {
  const { token, expiresAt } = await createLink(tx, { kind, userId, createdBy: actor });
  return { path: `/${kind === "invite" ? "invite" : "reset"}#${token}`, expiresAt };
}

export const { listRoles } = queries;
