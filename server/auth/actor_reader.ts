import type { Actor } from "#server/core/actor.ts";
import type { Permission } from "#server/core/permissions.ts";
import type { Db } from "#server/db/db.ts";
import * as queries from "./queries.ts";
import { type AccessTokens, hashSecret } from "./tokens.ts";

/** How long a checked session is believed without asking the database again. Sign-out everywhere is felt within it. */
const TRUST_MS = 2_000;

/** Longer than a ticket lives. */
const TICKET_MS = 60_000;

/** Tells who is behind an access token or an API token. */
export class ActorReader {
  readonly #db: Db;
  readonly #tokens: AccessTokens;
  /** Ticket → when it expires by itself, in milliseconds. */
  readonly #usedTickets = new Map<string, number>();
  /** How often something was forgotten: what was being read meanwhile is not to be believed. */
  #forgotten = 0;
  readonly #seen = new Map<string, { readonly actor: Actor | undefined; readonly until: number }>();

  constructor(db: Db, tokens: AccessTokens) {
    this.#db = db;
    this.#tokens = tokens;
  }

  /** The actor behind a bearer token of either kind, or undefined when it opens nothing. */
  async read(token: string): Promise<Actor | undefined> {
    return token.startsWith("slt_") ? await this.#readApiToken(token) : await this.readAccess(token);
  }

  /** The actor behind an access JWT of the given audience. */
  async readAccess(token: string, audience = "api"): Promise<Actor | undefined> {
    const claims = await this.#tokens.read(token, audience);
    if (!claims) return undefined;
    return await this.#remember(`${claims.userId}|${claims.sessionId}|${claims.tokenVersion}`, async () => {
      const user = await queries.findSessionUser(this.#db, claims.sessionId);
      if (!user || user.userId !== claims.userId || user.tokenVersion !== claims.tokenVersion) {
        return undefined;
      }
      const permissions = new Set<Permission>(await queries.listPermissions(this.#db, user.role));
      return { userId: user.userId, roleCode: user.role, permissions, sessionId: claims.sessionId };
    });
  }

  /** The actor behind a socket ticket; each opens one socket only. */
  async readTicket(ticket: string): Promise<Actor | undefined> {
    const claims = await this.#tokens.read(ticket, "socket");
    if (!claims || this.#usedTickets.has(claims.tokenId)) return undefined;
    const now = Date.now();
    if (this.#usedTickets.size > 1_000) {
      for (const [id, until] of this.#usedTickets) if (until < now) this.#usedTickets.delete(id);
    }
    this.#usedTickets.set(claims.tokenId, now + TICKET_MS);
    return await this.readAccess(ticket, "socket");
  }

  /** Believes nothing more of what was checked of this user: their rights have changed. */
  forget(userId: string): void {
    this.#forgotten++;
    for (const [key, { actor }] of this.#seen) if (actor?.userId === userId) this.#seen.delete(key);
  }

  /** Whether the session or token behind an actor still stands; asks the database. */
  async isOpen(actor: Actor): Promise<boolean> {
    if (actor.sessionId) return await queries.findSessionUser(this.#db, actor.sessionId) !== undefined;
    return actor.tokenId ? await queries.isTokenOpen(this.#db, actor.tokenId) : false;
  }

  async #readApiToken(token: string): Promise<Actor | undefined> {
    const tokenHash = await hashSecret(token);
    return await this.#remember(tokenHash, async () => {
      const found = await queries.findTokenUser(this.#db, tokenHash);
      if (!found) return undefined;
      return {
        userId: found.userId,
        roleCode: found.role,
        permissions: new Set(found.permissions),
        tokenId: found.tokenId,
      };
    });
  }

  async #remember(key: string, find: () => Promise<Actor | undefined>): Promise<Actor | undefined> {
    const seen = this.#seen.get(key);
    if (seen && seen.until > Date.now()) return seen.actor;
    const before = this.#forgotten;
    const actor = await find();
    if (before !== this.#forgotten) return actor;
    if (this.#seen.size > 10_000) this.#seen.clear();
    this.#seen.set(key, { actor, until: Date.now() + TRUST_MS });
    return actor;
  }
}
