import { assert, assertEquals } from "@std/assert/mod.js";
import { SignJWT } from "jose";
import { encodeBase64Url } from "@std/encoding/base64url.js";
import { newId } from "#server/core/id.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { ACCESS_MS, AccessTokens } from "./tokens.ts";

interface Forge {
  readonly studio: TestStudio;
  readonly kid: string;
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly claims: Record<string, unknown>;
  /** A token signed with our key: only what is overridden is wrong. `undefined` leaves a field out. */
  sign(header?: Record<string, unknown>, claims?: Record<string, unknown>): Promise<string>;
  status(token: string): Promise<number>;
}

async function openForge(studio: TestStudio): Promise<Forge> {
  const { user, token } = await studio.as("creator");
  const [key] = await studio.db<{ id: string; secret: string }[]>`select id, secret from signing_keys`;
  if (!key || !user || !token) throw new Error("There is no key yet");
  const real = JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  const secret = Uint8Array.from(key.secret.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    sub: user.id,
    sid: real.sid,
    tv: 0,
    iss: "seedloop",
    aud: "api",
    iat: now,
    exp: now + 600,
  };
  return {
    studio,
    kid: key.id,
    secret,
    claims,
    sign: async (header = {}, changed = {}) =>
      await signed(
        { alg: "HS256", typ: "at+jwt", kid: key.id, ...header },
        { ...claims, jti: newId(), ...changed },
        secret,
      ),
    status: async (forged) => (await studio.withToken(forged).get("/api/auth/me")).status,
  };
}

const part = (value: unknown) => encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));

/** Signs whatever it is given: jose itself refuses to make half of these. */
async function signed(
  header: unknown,
  claims: unknown,
  secret: Uint8Array<ArrayBuffer>,
  hash = "SHA-256",
): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, [
    "sign",
  ]);
  const text = `${part(header)}.${part(claims)}`;
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return `${text}.${encodeBase64Url(new Uint8Array(signature))}`;
}

Deno.test("AccessTokens opens for a token as sign() makes it", async () => {
  await using studio = await testStudio();
  const forge = await openForge(studio);
  assertEquals(await forge.status(await forge.sign()), 200);
});

Deno.test("AccessTokens refuses every token that is not as sign() makes it", async () => {
  await using studio = await testStudio();
  const forge = await openForge(studio);
  const { kid, claims } = forge;
  const now = Math.floor(Date.now() / 1000);
  const good = await forge.sign();
  const [head, body, signature] = good.split(".") as [string, string, string];
  const otherKey = await crypto.subtle.generateKey({ name: "Ed25519" }, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const jwk = await crypto.subtle.exportKey("jwk", otherKey.publicKey);
  const eddsa = (header: Record<string, unknown>) =>
    new SignJWT({ ...claims, jti: newId() }).setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", ...header })
      .sign(otherKey.privateKey);
  const other = new Uint8Array(32);
  const whole = { ...claims, jti: newId() };
  const forged: Record<string, string> = {
    "alg none": `${part({ alg: "none", typ: "at+jwt", kid })}.${body}.`,
    "alg None": `${part({ alg: "None", typ: "at+jwt", kid })}.${body}.${signature}`,
    "alg none, with the signature": `${part({ alg: "none", typ: "at+jwt", kid })}.${body}.${signature}`,
    "alg swapped to HS512": await forge.sign({ alg: "HS512" }),
    "HS512 with our secret": await signed(
      { alg: "HS512", typ: "at+jwt", kid },
      whole,
      forge.secret,
      "SHA-512",
    ),
    "alg swapped to EdDSA": await eddsa({ kid }),
    "a key of its own in jwk": await eddsa({ kid, jwk }),
    "a key of its own in jwk, HS256": await forge.sign({ kid: undefined, jwk: { kty: "oct", k: "AAAA" } }),
    "a key elsewhere in jku": await eddsa({ jku: "https://evil.test/keys.json", kid: "1" }),
    "a chain in x5c": await eddsa({ x5c: ["MIIB"], kid }),
    "crit that nobody knows": await forge.sign({ crit: ["exp"] }),
    "no signature": `${head}.${body}.`,
    "no third part": `${head}.${body}`,
    "a signature that is cut": `${head}.${body}.${signature.slice(0, -2)}`,
    "another signature": `${head}.${body}.${(await forge.sign()).split(".")[2]}`,
    "another body": `${head}.${part({ ...claims, sub: newId(), jti: newId() })}.${signature}`,
    "another secret": await signed({ alg: "HS256", typ: "at+jwt", kid }, whole, other),
    "an empty secret of no kid": await signed({ alg: "HS256", typ: "at+jwt" }, whole, other),
    "no kid": await forge.sign({ kid: undefined }),
    "an unknown kid": await forge.sign({ kid: newId() }),
    "a kid that is a path": await forge.sign({ kid: "../../../../dev/null" }),
    "a kid that is SQL": await forge.sign({ kid: "' or '1'='1" }),
    "a kid that is a number": await forge.sign({ kid: 1 }),
    "another typ": await forge.sign({ typ: "JWT" }),
    "no typ": await forge.sign({ typ: undefined }),
    "another audience": await forge.sign({}, { aud: "socket" }),
    "no audience": await forge.sign({}, { aud: undefined }),
    "another issuer": await forge.sign({}, { iss: "elsewhere" }),
    "no issuer": await forge.sign({}, { iss: undefined }),
    "expired by a second": await forge.sign({}, { iat: now - 600, exp: now - 1 }),
    "no expiry": await forge.sign({}, { exp: undefined }),
    "expiry as text": await forge.sign({}, { exp: String(now + 600) }),
    "expiry 1e308": await forge.sign({}, { exp: 1e308 }),
    "expiry in a year": await forge.sign({}, { exp: now + 31_536_000 }),
    "expiry null": await forge.sign({}, { exp: null }),
    "not yet": await forge.sign({}, { nbf: now + 300 }),
    "no session": await forge.sign({}, { sid: undefined }),
    "another session": await forge.sign({}, { sid: newId() }),
    "a session that is no id": await forge.sign({}, { sid: "1" }),
    "another user": await forge.sign({}, { sub: newId() }),
    "an earlier token version": await forge.sign({}, { tv: -1 }),
    "a token version as text": await forge.sign({}, { tv: "0" }),
    "no id of its own": await forge.sign({}, { jti: undefined }),
    "five parts": `${good}.x.y`,
    "spaces": `${head} . ${body} . ${signature}`,
    "nothing": "",
    "nonsense": "a.b.c",
    "very long": `${head}.${"A".repeat(100_000)}.${signature}`,
  };
  const opened: string[] = [];
  for (const [name, token] of Object.entries(forged)) {
    const status = await forge.status(token);
    if (status !== 401) opened.push(`${name}: ${status}`);
  }
  assertEquals(opened, []);
  assertEquals(await forge.status(good), 200);
});

Deno.test("AccessTokens reads tokens of an older key, and signs with the newer once the older is retired", async () => {
  await using studio = await testStudio();
  const { user, token } = await studio.as("creator");
  if (!user || !token) throw new Error("Nobody is signed in");
  const newer = newId();
  await studio.db`insert into signing_keys (id, secret) values (${newer}, ${"ab".repeat(32)})`;
  await studio.db`update signing_keys set retired_at = now() where id <> ${newer}`;
  // As another server process, which has seen none of them yet.
  const tokens = new AccessTokens(studio.db);
  assert(await tokens.read(token));
  const { token: second } = await tokens.sign({ userId: user.id, sessionId: newId(), tokenVersion: 0 });
  assertEquals(JSON.parse(atob(second.split(".")[0]!)).kid, newer);
});

Deno.test("AccessTokens believes a token that it has read only for its own audience and until it expires", async () => {
  await using studio = await testStudio();
  let now = Date.now();
  const tokens = new AccessTokens(studio.db, () => now);
  const claims = { userId: newId<"user">(), sessionId: newId<"session">(), tokenVersion: 0 };
  const { token } = await tokens.sign(claims);
  for (let again = 0; again < 2; again++) assertEquals((await tokens.read(token))?.userId, claims.userId);
  assertEquals(await tokens.read(token, "socket"), undefined);
  assertEquals(await tokens.read(`${token}x`), undefined);
  now += ACCESS_MS;
  assertEquals(await tokens.read(token), undefined);
});
