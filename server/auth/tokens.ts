import { jwtVerify, SignJWT } from "jose";
import { encodeBase64Url } from "@std/encoding/base64url.js";
import { encodeHex } from "@std/encoding/hex.js";
import { isId, newId } from "#server/core/id.ts";
import type { Db } from "#server/db/db.ts";

export const ACCESS_MS = 15 * 60_000;
const ISSUER = "seedloop";
/** Tokens whose signature needs no second check; a studio's people hold a few each. */
const READ_KEPT = 2_000;

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenVersion: number;
}

type ReadClaims = AccessClaims & { readonly tokenId: string };

/** A secret for people or cookies: 256 bits, with a prefix by which scanners and people know it. */
export function newSecret(prefix: string): string {
  return `${prefix}${encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** What is stored of a secret. Secrets have 256 bits, so a plain hash is enough. */
export async function hashSecret(secret: string): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret))));
}

/** Signs and reads access tokens with the keys of the table `signing_keys`; one algorithm, one issuer, known keys only. */
export class AccessTokens {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #keys = new Map<string, Uint8Array<ArrayBuffer>>();
  #signing: string | undefined;
  /** What tokens say that were found to be ours, by their audience and text; each is still good only until it expires. */
  readonly #read = new Map<string, { readonly claims: ReadClaims; readonly expiresMs: number }>();

  /** @param now Milliseconds since the epoch. */
  constructor(db: Db, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  async sign(
    claims: AccessClaims,
    audience = "api",
    ttlMs = ACCESS_MS,
  ): Promise<{ token: string; expiresAt: string }> {
    const kid = this.#signing ??= await this.#openSigningKey();
    const expiresAt = new Date(this.#now() + ttlMs);
    const token = await new SignJWT({ sid: claims.sessionId, tv: claims.tokenVersion })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid })
      .setSubject(claims.userId)
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(new Date(this.#now()))
      .setJti(newId())
      .setExpirationTime(expiresAt)
      .sign(await this.#key(kid) ?? new Uint8Array());
    return { token, expiresAt: expiresAt.toISOString() };
  }

  /** The claims of a token that is whole, ours and not expired; undefined for anything else. */
  async read(
    token: string,
    audience = "api",
  ): Promise<ReadClaims | undefined> {
    // A browser sends the same token with each request: its signature is checked once.
    const key = `${audience} ${token}`;
    const known = this.#read.get(key);
    if (known) return known.expiresMs > this.#now() ? known.claims : undefined;
    try {
      const { payload } = await jwtVerify(token, async ({ kid }) => {
        const key = kid ? await this.#key(kid) : undefined;
        if (!key) throw new Error("Cannot read the token: its key is not ours");
        return key;
      }, {
        algorithms: ["HS256"],
        currentDate: new Date(this.#now()),
        typ: "at+jwt",
        issuer: ISSUER,
        audience,
        requiredClaims: ["exp", "iat", "sub", "sid", "tv", "jti"],
      });
      const { sub, sid, tv, jti, iat = 0, exp = Infinity } = payload;
      if (typeof sid !== "string" || typeof tv !== "number" || !sub || !jti) return undefined;
      if (!isId(sid) || !isId(sub)) return undefined;
      // No token that we make lives longer: one that says so was not made by sign().
      if (exp - iat > ACCESS_MS / 1000 + 1) return undefined;
      const claims = { userId: sub, sessionId: sid, tokenVersion: tv, tokenId: jti };
      if (this.#read.size >= READ_KEPT) this.#read.clear();
      this.#read.set(key, { claims, expiresMs: exp * 1000 });
      return claims;
    } catch {
      return undefined;
    }
  }

  async #openSigningKey(): Promise<string> {
    const secret = encodeHex(crypto.getRandomValues(new Uint8Array(32)));
    await this.#db`
      insert into signing_keys (id, secret)
      select ${newId()}, ${secret} where not exists (select 1 from signing_keys where retired_at is null)`;
    const [row] = await this.#db<{ id: string }[]>`
      select id from signing_keys where retired_at is null order by created_at, id limit 1`;
    if (!row) throw new Error("There is no signing key");
    return row.id;
  }

  async #key(kid: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const known = this.#keys.get(kid);
    if (known) return known;
    if (!/^[0-9a-f-]{36}$/.test(kid)) return undefined;
    const [row] = await this.#db<{ secret: string }[]>`select secret from signing_keys where id = ${kid}`;
    if (!row) return undefined;
    const key = Uint8Array.from(row.secret.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    this.#keys.set(kid, key);
    return key;
  }
}
