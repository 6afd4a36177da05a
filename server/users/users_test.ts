import { assert, assertEquals } from "@std/assert/mod.js";
import { Permission, RoleCode } from "#server/core/permissions.ts";
import { givenProject } from "#server/testing/fixtures.ts";
import { liveStudio } from "#server/testing/live_studio.ts";
import { givenUser, type TestClient, testStudio } from "#server/testing/test_studio.ts";
import { until } from "#server/testing/until.ts";
import type { User } from "./contract.ts";

/** A change of rights is felt within 5 s. */
const FELT = { patienceMs: 5_000 };
const PASSWORD = "a long enough phrase";

const accept = (client: TestClient, path: string, password = PASSWORD) =>
  client.post("/api/auth/links/accept", { token: path.split("#")[1], password });

async function untilStatus(client: TestClient, path: string, status: number): Promise<void> {
  await until(`${status} of ${path}`, async () => (await client.get(path)).status === status, FELT);
}

Deno.test("inviteUser makes an account that becomes active through its link, once", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const made = await admin.post("/api/users", { login: "bob", displayName: "Bob", role: "reviewer" });
  assertEquals([made.status, made.body.user.status, made.body.user.role], [201, "invited", "reviewer"]);
  assertEquals(
    (await studio.anonymous.post("/api/auth/sign-in", { login: "bob", password: PASSWORD })).status,
    401,
  );
  const accepted = await accept(studio.anonymous, made.body.link.path);
  assertEquals([accepted.status, accepted.body.me.role], [200, "reviewer"]);
  assertEquals((await accept(studio.anonymous, made.body.link.path)).status, 410);
  const { body } = await admin.get(`/api/users/${made.body.user.id}`);
  assertEquals(body.status, "active");
  assertEquals((await admin.post("/api/users", { login: "BOB", role: "creator" })).status, 409);
});

Deno.test("createUserLink replaces earlier links and sets a new password", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const user = await givenUser(studio.db, { passwordHash: await studio.auth.passwords.hash(PASSWORD) });
  const client = await studio.asUser(user);
  const first = await admin.post(`/api/users/${user.id}/links`);
  const second = await admin.post(`/api/users/${user.id}/links`);
  assertEquals([first.status, second.status], [201, 201]);
  assertEquals((await accept(studio.anonymous, first.body.path)).status, 410);
  assertEquals((await accept(studio.anonymous, second.body.path, "another long phrase")).status, 200);
  await untilStatus(client, "/api/auth/me", 401);
  const signIn = (password: string) =>
    studio.anonymous.post("/api/auth/sign-in", { login: user.login, password });
  assertEquals([(await signIn(PASSWORD)).status, (await signIn("another long phrase")).status], [401, 200]);
  const disabled = await givenUser(studio.db, { status: "disabled" });
  assertEquals((await admin.post(`/api/users/${disabled.id}/links`)).status, 409);
});

Deno.test("changeUser to disabled ends sessions, tokens, links and sockets; enabling lets them in again", async () => {
  await using live = await liveStudio();
  const { studio } = live;
  const admin = await studio.as("admin");
  const bob = await studio.as("creator");
  const program = await studio.asToken(bob.user!, ["read"]);
  const socket = await live.open(bob);
  const link = await admin.post(`/api/users/${bob.user!.id}/links`);
  assertEquals((await program.get("/api/auth/me")).status, 200);
  const start = performance.now();
  const change = await admin.patch(`/api/users/${bob.user!.id}`, { status: "disabled" });
  assertEquals([change.status, change.body.status], [200, "disabled"]);
  assertEquals((await socket.closed).code, 4401);
  await untilStatus(bob, "/api/auth/me", 401);
  await untilStatus(program, "/api/auth/me", 401);
  assert(performance.now() - start < 5_000);
  assertEquals((await accept(studio.anonymous, link.body.path)).status, 410);
  assertEquals((await admin.patch(`/api/users/${bob.user!.id}`, { status: "active" })).status, 200);
  // The session stays ended; the API token is theirs again.
  await untilStatus(program, "/api/auth/me", 200);
  assertEquals((await bob.get("/api/auth/me")).status, 401);
});

Deno.test("changeUser of the role counts at once, and closes the sockets that had the old rights", async () => {
  await using live = await liveStudio();
  const { studio } = live;
  const admin = await studio.as("admin");
  const bob = await studio.as("creator");
  const socket = await live.open(bob);
  const renamed = await admin.patch(`/api/users/${bob.user!.id}`, { displayName: "Robert" });
  assertEquals(renamed.body.displayName, "Robert");
  await socket.subscribe(["studio"]);
  assert(socket.isOpen);
  assertEquals((await bob.post("/api/projects", { name: "One" })).status, 201);
  assertEquals((await admin.patch(`/api/users/${bob.user!.id}`, { role: "reviewer" })).status, 200);
  assertEquals((await socket.closed).code, 4403);
  // Whoever is told so asks at once what they may do now.
  const { role, permissions } = (await bob.get("/api/auth/me")).body;
  assertEquals([role, permissions.includes("project.create")], ["reviewer", false]);
  assertEquals((await bob.post("/api/projects", { name: "Two" })).status, 403);
});

Deno.test("changeUser keeps the last active admin, also when two would remove each other", async () => {
  await using studio = await testStudio();
  const ada = await studio.as("admin");
  await givenUser(studio.db, { role: "admin", status: "disabled" });
  const path = `/api/users/${ada.user!.id}`;
  for (const change of [{ role: "creator" }, { status: "disabled" }]) {
    const { status, body } = await ada.patch(path, change);
    assertEquals([status, body.detail.startsWith("Cannot take the last active admin away")], [409, true]);
  }
  assertEquals((await ada.patch(path, { displayName: "Ada", role: "admin" })).status, 200);
  for (let round = 0; round < 5; round++) {
    const bob = await studio.as("admin");
    const answers = await Promise.all([
      ada.patch(`/api/users/${bob.user!.id}`, { role: "creator" }),
      bob.patch(path, { role: "creator" }),
    ]);
    const [row] = await studio.db<{ count: number }[]>`
      select count(*)::int as count from users where role_id = 1 and status_id = 2`;
    assertEquals([row?.count, answers.filter((answer) => answer.status === 200).length], [1, 1]);
    await studio.db`update users set role_id = 2 where id = ${bob.user!.id}`;
    await studio.db`update users set role_id = 1 where id = ${ada.user!.id}`;
  }
});

Deno.test("changeUser refuses to activate who has not accepted the invitation", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const { body } = await admin.post("/api/users", { login: "bob", role: "creator" });
  assertEquals((await admin.patch(`/api/users/${body.user.id}`, { status: "active" })).status, 409);
  assertEquals((await admin.patch(`/api/users/${body.user.id}`, { status: "disabled" })).status, 200);
  assertEquals((await accept(studio.anonymous, body.link.path)).status, 410);
});

Deno.test("listUsers pages through all, filters, and says nothing of passwords", async () => {
  await using studio = await testStudio();
  const reader = await studio.as("reviewer");
  for (let n = 0; n < 5; n++) await givenUser(studio.db, { status: n % 2 ? "disabled" : "active" });
  const seen: string[] = [];
  let cursor = "";
  do {
    const { body } = await reader.get(`/api/users?limit=2${cursor}`);
    seen.push(...body.items.map((user: User) => user.id));
    cursor = body.next ? `&cursor=${body.next}` : "";
  } while (cursor);
  assertEquals([seen.length, seen.toSorted().toReversed()], [6, seen]);
  const { body } = await reader.get("/api/users?status=disabled");
  assertEquals(body.items.length, 2);
  assert(!JSON.stringify(body).includes("assword"));
});

Deno.test("listRoles is the matrix of roles and permissions", async () => {
  await using studio = await testStudio();
  const { body } = await (await studio.as("reviewer")).get("/api/roles");
  assertEquals(body.map((row: { role: string }) => row.role), RoleCode.options);
  assertEquals(body[0].permissions, Permission.options);
  assert(!body[2].permissions.includes("review.finalize"));
});

Deno.test("listAudit tells who did what to whom and from where, page by page", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const bob = await givenUser(studio.db);
  const project = await givenProject(studio, { member: admin.user });
  for (const name of ["One", "Two", "Three"]) {
    await admin.patch(`/api/users/${bob.id}`, { displayName: name });
  }
  await admin.patch(`/api/projects/${project.id}`, { name: "Renamed" });
  const first = await admin.get(`/api/audit?subjectId=${bob.id}&limit=2`);
  const second = await admin.get(`/api/audit?subjectId=${bob.id}&limit=2&cursor=${first.body.next}`);
  const entries = [...first.body.items, ...second.body.items];
  assertEquals(entries.map((entry) => entry.facts.change.displayName), ["Three", "Two", "One"]);
  assertEquals(second.body.next, undefined);
  const [entry] = entries;
  assertEquals([entry.action, entry.userId, entry.subjectKind], ["user.change", admin.user!.id, "user"]);
  assert(entry.ip.startsWith("10.") && entry.requestId);
  const ofProject = await admin.get(`/api/audit?projectId=${project.id}&action=project.change`);
  assertEquals(ofProject.body.items.length, 1);
  assertEquals((await (await studio.as("creator")).get("/api/audit")).status, 403);
});
