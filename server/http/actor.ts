import type { Actor } from "#server/core/actor.ts";
import type { Gate } from "#server/core/endpoint.ts";
import { AppError } from "#server/core/errors.ts";

export type { Actor };

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
