import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { TokenScope } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { transact } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { type ApiToken, sessionRevoked } from "./contract.ts";
import * as queries from "./queries.ts";
import type { Auth } from "./sessions.ts";
import { hashSecret, newSecret } from "./tokens.ts";

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
