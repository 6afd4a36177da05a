import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { audit } from "#server/audit/service.ts";
import { type Queryable, transact, type Tx } from "#server/db/db.ts";
import type { OneTimeLinkKind } from "./contract.ts";
import { refuseWeakPassword } from "./passwords.ts";
import * as queries from "./queries.ts";
import {
  type Auth,
  endSessions,
  type OpenedSession,
  openSession,
  requireUser,
  systemActor,
  type Visitor,
} from "./sessions.ts";
import { hashSecret, newSecret } from "./tokens.ts";

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
