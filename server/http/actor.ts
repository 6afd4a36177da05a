import { AppError } from "#server/core/errors.ts";
import type { Gate } from "#server/core/endpoint.ts";
import type { Permission, RoleCode } from "#server/core/permissions.ts";

/** Who calls: a signed-in user, or a script with one of their tokens. */
export interface Actor {
  readonly userId: string;
  readonly roleCode: RoleCode;
  /** What this call may do: the role's permissions, cut down to the token's scopes where there is a token. */
  readonly permissions: ReadonlySet<Permission>;
  readonly sessionId?: string;
  readonly tokenId?: string;
  readonly ip: string;
}

/** Throws AppError unauthenticated or forbidden when `actor` may not pass `gate`. */
export type Authorise = (actor: Actor | undefined, gate: Gate) => void | Promise<void>;

/** The house's rule: `anyone` lets all pass, `signed_in` any actor, a permission those who hold it. */
export function authorise(actor: Actor | undefined, gate: Gate): void {
  if (gate === "anyone") return;
  if (!actor) throw new AppError("unauthenticated", "Cannot do this without an account: sign in first");
  if (gate === "signed_in" || actor.permissions.has(gate)) return;
  throw new AppError("forbidden", `Cannot do this: it needs the permission ${gate}; ask an admin for it`, {
    details: { permission: gate },
  });
}
