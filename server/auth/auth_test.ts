import { assert, assertEquals, assertNotEquals } from "@std/assert/mod.js";
import type { TokenScope } from "#server/core/permissions.ts";
import { givenProject } from "#server/testing/fixtures.ts";
import { liveStudio } from "#server/testing/live_studio.ts";
import {
  type Answer,
  givenUser,
  type TestClient,
  type TestStudio,
  testStudio,
  type TestUser,
} from "#server/testing/test_studio.ts";
import { until } from "#server/testing/until.ts";
import { createLink } from "./service.ts";

const PASSWORD = "a long enough phrase";

/** A user with PASSWORD. */
async function givenPerson(
  studio: TestStudio,
  given: Parameters<typeof givenUser>[1] = {},
): Promise<TestUser> {
  return await givenUser(studio.db, { ...given, passwordHash: await studio.auth.passwords.hash(PASSWORD) });
}

const signIn = (client: TestClient, login: string, password = PASSWORD, options = {}) =>
  client.post("/api/auth/sign-in", { login, password }, options);

/** The cookies of an answer as a browser sends them back. */
function cookieHeader({ cookies }: Answer): Record<string, string> {
  return { cookie: [...cookies.values()].map((line) => line.split(";")[0]).join("; ") };
}

const refresh = (client: TestClient, held: Answer) =>
  client.post("/api/auth/refresh", undefined, { headers: cookieHeader(held) });

/** Sign-out is felt within 5 s everywhere: a checked session is believed for a moment. */
async function untilRefused(client: TestClient): Promise<void> {
  await until("a refusal", async () => (await client.get("/api/auth/me")).status === 401, {
    patienceMs: 5_000,
  });
}

Deno.test("acceptLink makes the first admin once", async () => {
  await using studio = await testStudio();
  const { token } = await createLink(studio.db, { kind: "first_admin" });
  const body = { token, login: "ada", displayName: "Ada", password: PASSWORD };
  const weak = await studio.anonymous.post("/api/auth/links/accept", {
    ...body,
    password: "passwordpassword",
  });
  assertEquals([weak.status, weak.body.fields[0].field], [400, "/body/password"]);
  const made = await studio.anonymous.post("/api/auth/links/accept", body);
  assertEquals([made.status, made.body.me.role, made.body.me.login], [200, "admin", "ada"]);
  assertEquals((await studio.withToken(made.body.accessToken).get("/api/auth/me")).body.displayName, "Ada");
  assertEquals((await studio.anonymous.post("/api/auth/links/accept", body)).status, 410);
  // Even a link that nobody used is worth nothing once there is an admin.
  const late = await createLink(studio.db, { kind: "first_admin" });
  const answer = await studio.anonymous.post("/api/auth/links/accept", {
    ...body,
    login: "eve",
    token: late.token,
  });
  assertEquals(answer.status, 410);
});

Deno.test("acceptLink refuses links that are old, unknown or of a disabled user", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio, { status: "disabled" });
  const accept = (token: string) =>
    studio.anonymous.post("/api/auth/links/accept", { token, password: PASSWORD });
  const old = await createLink(studio.db, { kind: "invite", userId: user.id, ttlMs: -1 });
  assertEquals((await accept(old.token)).status, 410);
  assertEquals((await accept(`sll_${"x".repeat(43)}`)).status, 410);
  const fresh = await createLink(studio.db, { kind: "password_reset", userId: user.id });
  assertEquals((await accept(fresh.token)).status, 410);
});

Deno.test("signIn lets the right password in and tells nothing about the wrong one", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio, { login: "Ada" });
  await givenPerson(studio, { login: "gone", status: "disabled" });
  const answer = await signIn(studio.anonymous, "aDA");
  assertEquals([answer.status, answer.body.me.userId], [200, user.id]);
  assertEquals((await studio.withToken(answer.body.accessToken).get("/api/auth/me")).status, 200);
  const refused = await Promise.all([
    signIn(studio.anonymous, "Ada", "not the phrase"),
    signIn(studio.anonymous, "nobody"),
    signIn(studio.anonymous, "gone", "not the phrase"),
  ]);
  assertEquals(refused.map((one) => [one.status, one.body.detail, one.cookies.size]), [
    [401, refused[0].body.detail, 0],
    [401, refused[0].body.detail, 0],
    [401, refused[0].body.detail, 0],
  ]);
  // Who knows the password is told why it opens nothing.
  const suspended = await signIn(studio.anonymous, "gone");
  assertEquals([suspended.status, suspended.body.details, suspended.cookies.size], [
    403,
    { reason: "user_disabled" },
    0,
  ]);
  const rows = await studio.db<{ code: string; count: number }[]>`
    select a.code, count(*)::int as count from audit_entries e join audit_action a on a.id = e.action_id
     where a.code like 'user.sign_in%' group by 1 order by 1`;
  assertEquals([...rows], [{ code: "user.sign_in", count: 1 }, { code: "user.sign_in_refused", count: 4 }]);
});

Deno.test("signIn slows down who guesses, says for how long, and lets others in", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  await studio.db`insert into login_throttles (key, failures) values ('other', 99)`;
  const guesser = studio.withToken(undefined);
  for (let n = 0; n < 6; n++) {
    assertEquals((await signIn(guesser, user.login, `guess ${n} of many`)).status, 401);
  }
  const limited = await signIn(guesser, user.login);
  assertEquals([limited.status, limited.body.code], [429, "limited"]);
  const wait = Number(limited.headers.get("retry-after"));
  assert(wait >= 1 && wait <= 3, `Retry-After ${wait}`);
  // From elsewhere the owner still gets in: a guesser can't lock them out.
  assertEquals((await signIn(studio.withToken(undefined), user.login)).status, 200);
  await studio.db`update login_throttles set blocked_until = now() - interval '1 second'`;
  assertEquals((await signIn(guesser, user.login, "guess again and again")).status, 401);
  const longer = Number((await signIn(guesser, user.login)).headers.get("retry-after"));
  assert(longer > wait, `${longer} after ${wait}`);
  await studio.db`update login_throttles set blocked_until = null`;
  assertEquals((await signIn(guesser, user.login)).status, 200);
});

Deno.test("signIn sets cookies that scripts, other sites and plain HTTP can't have", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  const plain = await signIn(studio.anonymous, user.login);
  assertEquals([...plain.cookies.keys()].sort(), ["seedloop_access", "seedloop_refresh"]);
  const secure = await signIn(studio.anonymous, user.login, PASSWORD, { origin: "https://studio.test" });
  assertEquals([...secure.cookies.keys()].sort(), ["__Host-seedloop_access", "__Host-seedloop_refresh"]);
  for (const line of [...plain.cookies.values(), ...secure.cookies.values()]) {
    for (const part of ["HttpOnly", "SameSite=Strict", "Path=/"]) {
      assert(line.includes(part), `${part}: ${line}`);
    }
    assert(!line.includes("Domain"), line);
    assertEquals(line.includes("; Secure"), line.startsWith("__Host-"), line);
  }
  assert(secure.headers.get("strict-transport-security"));
  const me = await studio.anonymous.get("/api/auth/me", { headers: cookieHeader(plain) });
  assertEquals(me.body.userId, user.id);
  // The plain cookie means nothing over TLS: anyone on the network could have set it.
  const mixed = await studio.anonymous.get("/api/auth/me", {
    headers: cookieHeader(plain),
    origin: "https://studio.test",
  });
  assertEquals(mixed.status, 401);
});

Deno.test("a cookie works for the studio's own pages only", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  const cookie = cookieHeader(await signIn(studio.anonymous, user.login));
  const post = (headers: Record<string, string>) =>
    studio.anonymous.post("/api/projects", { name: "A name" }, { headers: { ...cookie, ...headers } });
  assertEquals((await post({ origin: "https://evil.test" })).status, 403);
  assertEquals((await post({ "sec-fetch-site": "cross-site" })).status, 403);
  assertEquals((await post({ "sec-fetch-site": "same-site" })).status, 403);
  assertEquals((await post({ origin: "null" })).status, 403);
  assertEquals((await post({ origin: "http://studio.test", "content-type": "text/plain" })).status, 415);
  assertEquals((await post({ origin: "http://studio.test", "sec-fetch-site": "same-origin" })).status, 201);
  // An API token in a cookie is nobody.
  const program = await studio.asToken(user, ["read"]);
  const smuggled = { cookie: `seedloop_access=${program.token}` };
  assertEquals((await studio.anonymous.get("/api/auth/me", { headers: smuggled })).status, 401);
});

Deno.test("refresh rotates, and an old token that comes again ends the session", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  const first = await signIn(studio.anonymous, user.login);
  const other = await signIn(studio.anonymous, user.login);
  const second = await refresh(studio.anonymous, first);
  assertEquals(second.status, 200);
  assertNotEquals(second.cookies.get("seedloop_refresh"), first.cookies.get("seedloop_refresh"));
  const holder = studio.withToken(second.body.accessToken);
  assertEquals((await holder.get("/api/auth/me")).status, 200);
  assertEquals((await refresh(studio.anonymous, first)).status, 401);
  // In two hands, so nobody keeps it: neither the newer refresh token nor the access token.
  assertEquals((await refresh(studio.anonymous, second)).status, 401);
  await untilRefused(holder);
  assertEquals((await refresh(studio.anonymous, other)).status, 200);
  const [row] = await studio.db<{ reason: string }[]>`
    select r.code as reason from sessions s join revoke_reason r on r.id = s.revoke_reason_id where s.user_id = ${user.id}`;
  assertEquals(row?.reason, "token_reused");
});

Deno.test("refresh at the same moment twice lets one through", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  const held = await signIn(studio.anonymous, user.login);
  const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(studio.anonymous, held)));
  assertEquals(answers.map((answer) => answer.status).sort(), [200, 401, 401, 401]);
});

Deno.test("refresh refuses sessions that are idle, too old, or of a disabled user", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const user = await givenPerson(studio);
  const idle = await signIn(studio.anonymous, user.login);
  await db`update sessions set last_used_at = now() - interval '9 hours'`;
  const why = async (held: Answer) => {
    const { status, body } = await refresh(studio.anonymous, held);
    return [status, body.details?.reason];
  };
  assertEquals(await why(idle), [401, "expired"]);
  assertEquals(await why(idle), [401, "expired"]);
  const old = await signIn(studio.anonymous, user.login);
  await db`update sessions set expires_at = now() - interval '1 second' where revoked_at is null`;
  assertEquals(await why(old), [401, "expired"]);
  const disabled = await signIn(studio.anonymous, user.login);
  await db`update users set status_id = (select id from user_status where code = 'disabled')`;
  assertEquals(await why(disabled), [401, "user_disabled"]);
  const { status, body } = await studio.anonymous.post("/api/auth/refresh");
  assertEquals([status, body.details], [401, undefined], "a stranger learns nothing");
});

Deno.test("signOut ends the session, also when only the refresh token is left", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  const held = await signIn(studio.anonymous, user.login);
  const client = studio.withToken(held.body.accessToken);
  const out = await client.post("/api/auth/sign-out");
  assertEquals([out.status, out.cookies.size], [204, 2]);
  assertEquals((await refresh(studio.anonymous, held)).status, 401);
  await untilRefused(client);
  const again = await signIn(studio.anonymous, user.login);
  const { cookie = "" } = cookieHeader({ ...again, cookies: new Map([...again.cookies].slice(1)) });
  assert(cookie.startsWith("seedloop_refresh"));
  await studio.anonymous.post("/api/auth/sign-out", undefined, { headers: { cookie } });
  assertEquals((await refresh(studio.anonymous, again)).status, 401);
  assertEquals((await studio.anonymous.post("/api/auth/sign-out")).status, 204);
});

Deno.test("signOutEverywhere ends all sessions and their open sockets within 5 s", async () => {
  await using live = await liveStudio();
  const { studio } = live;
  const ada = await studio.as("creator");
  const phone = await studio.asUser(ada.user!);
  const bob = await studio.as("creator");
  const [first, second, other] = [await live.open(ada), await live.open(phone), await live.open(bob)];
  const start = performance.now();
  assertEquals((await phone.post("/api/auth/sign-out-everywhere")).status, 204);
  assertEquals((await first.closed).code, 4401);
  assertEquals((await second.closed).code, 4401);
  assert(performance.now() - start < 5_000);
  await untilRefused(ada);
  await untilRefused(phone);
  assert(performance.now() - start < 5_000);
  assertEquals((await bob.get("/api/auth/me")).status, 200);
  assert(other.isOpen);
});

Deno.test("endSession ends one session of one's own and its socket", async () => {
  await using live = await liveStudio();
  const { studio } = live;
  const ada = await studio.as("creator");
  const phone = await studio.asUser(ada.user!);
  const socket = await live.open(phone);
  const { body } = await ada.get("/api/auth/sessions");
  assertEquals(body.length, 2);
  const phones = body.find((session: { isCurrent: boolean }) => !session.isCurrent);
  assertEquals((await (await studio.as("admin")).delete(`/api/auth/sessions/${phones.id}`)).status, 404);
  assertEquals((await ada.delete(`/api/auth/sessions/${phones.id}`)).status, 204);
  assertEquals((await socket.closed).code, 4401);
  await untilRefused(phone);
  assertEquals((await ada.get("/api/auth/sessions")).body.length, 1);
});

Deno.test("changePassword needs the current one, ends all sessions and opens a new one", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio);
  const held = await signIn(studio.anonymous, user.login);
  const client = studio.withToken(held.body.accessToken);
  const change = (current: string, next: string) => client.put("/api/auth/password", { current, next });
  assertEquals((await change("not the phrase", "another long phrase")).status, 403);
  for (const weak of ["short", "1111111111", `${user.login}!!`, "password1234"]) {
    const { status, body } = await change(PASSWORD, weak);
    assertEquals([status, body.fields[0].field], [400, "/body/next"], weak);
  }
  const changed = await change(PASSWORD, "another long phrase");
  assertEquals(changed.status, 200);
  await untilRefused(client);
  assertEquals((await refresh(studio.anonymous, held)).status, 401);
  assertEquals((await studio.withToken(changed.body.accessToken).get("/api/auth/me")).status, 200);
  assertEquals((await signIn(studio.anonymous, user.login)).status, 401);
  assertEquals((await signIn(studio.anonymous, user.login, "another long phrase")).status, 200);
});

Deno.test("changePassword slows down who guesses the current one", async () => {
  await using studio = await testStudio();
  const client = await studio.asUser(await givenPerson(studio));
  const guess = () =>
    client.put("/api/auth/password", { current: "a guess of it", next: "another long phrase" });
  for (let n = 0; n < 6; n++) assertEquals((await guess()).status, 403);
  assertEquals((await guess()).status, 429);
});

Deno.test("an API token may do what its scopes and its owner's role both allow", async () => {
  await using studio = await testStudio();
  const reviewer = await studio.as("reviewer");
  const creator = await studio.as("creator");
  const permissionsOf = async (user: TestUser, scopes: TokenScope[]) =>
    new Set((await (await studio.asToken(user, scopes)).get("/api/auth/me")).body.permissions);
  const reading = await permissionsOf(creator.user!, ["read"]);
  assert(reading.has("project.read") && !reading.has("project.create") && !reading.has("token.own"));
  const submitting = await permissionsOf(creator.user!, ["submit"]);
  assert(submitting.has("generate") && !submitting.has("review.finalize"));
  const reviewing = await permissionsOf(creator.user!, ["review"]);
  assert(reviewing.has("review.finalize") && !reviewing.has("generate"));
  // More scope than the role has gives no more than the role.
  const bold = await permissionsOf(reviewer.user!, ["submit", "admin"]);
  assertEquals([bold.has("generate"), bold.has("user.admin"), bold.has("review.decide")], [
    false,
    false,
    true,
  ]);
  const project = await givenProject(studio, { member: creator.user });
  const reader = await studio.asToken(creator.user!, ["read"]);
  assertEquals((await reader.get(`/api/projects/${project.id}`)).status, 200);
  assertEquals((await reader.patch(`/api/projects/${project.id}`, { name: "No" })).status, 403);
});

Deno.test("an API token is shown once, ends with its day, its revocation or its owner", async () => {
  await using live = await liveStudio();
  const { studio } = live;
  const ada = await studio.as("creator");
  const made = await ada.post("/api/auth/tokens", { name: "Farm", scopes: ["read"], expiresInDays: 1 });
  assertEquals([made.status, made.body.secret.slice(0, 4)], [201, "slt_"]);
  const listed = await ada.get("/api/auth/tokens");
  assertEquals(listed.body.map((token: { name: string }) => token.name), ["Farm"]);
  assert(!JSON.stringify(listed.body).includes(made.body.secret));
  const program = studio.withToken(made.body.secret, ada.user);
  assertEquals((await program.get("/api/auth/me")).status, 200);
  await studio.db`update api_tokens set expires_at = now() - interval '1 second'`;
  await untilRefused(program);
  const second = await ada.post("/api/auth/tokens", { name: "Farm", scopes: ["read"] });
  assertEquals((await ada.delete(`/api/auth/tokens/${second.body.id}`)).status, 204);
  assertEquals((await studio.withToken(second.body.secret).get("/api/auth/me")).status, 401);
  const third = await ada.post("/api/auth/tokens", { name: "Farm", scopes: ["read"] });
  await studio
    .db`update users set status_id = (select id from user_status where code = 'disabled') where id = ${
    ada.user!.id
  }`;
  assertEquals((await studio.withToken(third.body.secret).get("/api/auth/me")).status, 401);
});

Deno.test("an API token can't take over the account", async () => {
  await using studio = await testStudio();
  const user = await givenPerson(studio, { role: "admin" });
  const program = await studio.asToken(user, ["admin"]);
  const answers = [
    await program.put("/api/auth/password", { current: PASSWORD, next: "another long phrase" }),
    await program.post("/api/auth/sign-out-everywhere"),
    await program.post("/api/auth/socket-ticket"),
  ];
  assertEquals(answers.map((answer) => answer.status), [403, 403, 403]);
});
