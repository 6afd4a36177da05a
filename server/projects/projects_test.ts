import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { reduceRate, timecode } from "#server/core/media_time.ts";
import { givenClip, givenCut } from "#server/testing/clip_fixtures.ts";
import { type Given, givenMember, givenProject } from "#server/testing/fixtures.ts";
import { liveStudio } from "#server/testing/live_studio.ts";
import { givenUser, testStudio } from "#server/testing/test_studio.ts";

Deno.test("createProject makes its maker a member, once per id, and says which field is wrong", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const stranger = await studio.as("creator");
  const id = newId<"project">();
  const made = await artist.post("/api/projects", { id, name: "Film", rate: { num: 24000, den: 1001 } });
  assertEquals([made.status, made.body.widthPx, made.body.rate], [201, 1280, { num: 24000, den: 1001 }]);
  assertEquals((await artist.post("/api/projects", { id, name: "Film" })).status, 201);
  const taken = await stranger.post("/api/projects", { id, name: "Film" });
  assertEquals(taken.status, 409);
  assertMatch(taken.body.detail, /Use a new id/);
  assertEquals((await artist.get(`/api/projects/${id}/members`)).body.length, 1);
  assertEquals((await stranger.get("/api/projects")).body.items, []);
  assertEquals((await artist.get("/api/projects")).body.items.length, 1);
  const fields = async (body: unknown) =>
    (await artist.post("/api/projects", body)).body.fields.map((each: { field: string }) => each.field);
  assertEquals(await fields({ name: "x", widthPx: 63, heightPx: 65 }), [
    "/body/widthPx",
    "/body/widthPx",
    "/body/heightPx",
  ]);
  assertEquals(await fields({ name: "x", rate: { num: 0, den: 1 } }), ["/body/rate/num"]);
  assertEquals(await fields({ name: "x", rate: 24 }), ["/body/rate"]);
  assertEquals(await fields({}), ["/body/name"]);
});

Deno.test("a project starts at one o'clock in its own timecode, at a rate in its lowest terms", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  for (
    const [num, den] of [[24, 1], [24000, 1001], [50, 2], [30000, 1001], [30, 1], [60000, 1001]] as const
  ) {
    const { body } = await artist.post("/api/projects", { name: `${num}/${den}`, rate: { num, den } });
    assertMatch(timecode(body.startFrame, body.rate), /^01:00:00[:;]00$/);
    assertEquals(timecode(body.startFrame - 1, body.rate).slice(0, 8), "00:59:59");
    assertEquals(body.rate, reduceRate({ num, den }));
  }
});

Deno.test("a project's card names its newest final cut, else its newest cut, as what moves under the pointer", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const filmOf = async () => {
    const { film } = (await artist.get("/api/projects")).body.items[0];
    return film?.assetId ?? null;
  };
  const assetOf = async (cut: Given) => {
    const [row] = await studio.db<{ assetId: string }[]>`select asset_id from cuts where id = ${cut.id}`;
    return row?.assetId;
  };
  assertEquals(await filmOf(), null);
  const clip = await givenClip(studio, { projectId: project.id });
  await givenCut(studio, { clip, status: "rejected" });
  assertEquals(await filmOf(), null);
  const final = await givenCut(studio, { clip, status: "final" });
  await givenCut(studio, { clip });
  assertEquals(await filmOf(), await assetOf(final));
  await artist.patch(`/api/clips/${clip.id}`, { trash: true });
  assertEquals(await filmOf(), null);
});

Deno.test("what was archived or trashed can only be read and restored", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const change = (body: unknown) => artist.patch(`/api/projects/${project.id}`, body);
  assertEquals((await change({ name: "Two", widthPx: 640 })).body.widthPx, 640);
  assertEquals((await change({ widthPx: 641 })).body.fields[0].field, "/body/widthPx");
  for (const status of ["archived", "trashed"]) {
    assertEquals((await change({ status })).body.status, status);
    const refused = await artist.post(`/api/projects/${project.id}/scenes`, { name: "Scene" });
    assertEquals(refused.status, 409);
    assertMatch(refused.body.detail, new RegExp(`The project is ${status}: restore it`));
    assertEquals((await artist.get(`/api/projects/${project.id}`)).status, 200);
    const listed = async (query: string) =>
      (await artist.get(`/api/projects${query}`)).body.items.map(({ id }: { id: string }) => id);
    assertEquals(await listed(""), status === "trashed" ? [] : [project.id]);
    assertEquals(await listed("?trash=only"), status === "trashed" ? [project.id] : []);
    assertEquals((await artist.get("/api/projects?trash=all")).status, 400);
    assertEquals((await change({ status: "active" })).body.status, "active");
  }
  assertEquals((await artist.post(`/api/projects/${project.id}/scenes`, { name: "Scene" })).status, 201);
});

Deno.test("members come, change and go; an admin's role is an admin's to give", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const admin = await studio.as("admin");
  const guest = await givenUser(studio.db);
  const project = await givenProject(studio, { member: artist.user });
  const path = (userId: string) => `/api/projects/${project.id}/members/${userId}`;
  const asGuest = await studio.asUser(guest);
  assertEquals((await asGuest.get(`/api/projects/${project.id}`)).status, 404);
  assertEquals((await artist.put(path(guest.id), { role: "reviewer" })).body.role, "reviewer");
  assertEquals((await artist.put(path(guest.id), { role: "reviewer" })).status, 200);
  assertEquals((await asGuest.get(`/api/projects/${project.id}`)).status, 200);
  assertEquals((await asGuest.put(path(guest.id), { role: "creator" })).status, 403);
  assertEquals((await artist.put(path(guest.id), { role: "admin" })).status, 403);
  assertEquals((await admin.put(path(guest.id), { role: "admin" })).status, 200);
  assertEquals((await artist.put(path(newId()), { role: "creator" })).status, 404);
  assertEquals((await artist.put(path(guest.id), { role: "king" })).body.fields[0].field, "/body/role");
  assertEquals((await artist.delete(path(guest.id))).status, 204);
  assertEquals((await artist.delete(path(guest.id))).status, 404);
  assertEquals((await asGuest.get(`/api/projects/${project.id}`)).status, 404);
  await givenMember(studio, project, guest, "creator");
  assertEquals((await artist.get(`/api/projects/${project.id}/members`)).body.length, 2);
});

Deno.test("who is added to a project or removed from it hears so on their own topic", async () => {
  await using world = await liveStudio();
  const { studio } = world;
  const artist = await studio.as("creator");
  const guest = await givenUser(studio.db);
  const project = await givenProject(studio, { member: artist.user });
  const socket = await world.open(await studio.asUser(guest));
  const topic = `user:${guest.id}`;
  await socket.subscribe([topic]);
  const path = `/api/projects/${project.id}/members/${guest.id}`;
  const heard = () => socket.messages.filter((one) => one.topic === topic && one.code === "project.changed");
  await artist.put(path, { role: "reviewer" });
  await socket.until(() => heard().length === 1);
  await artist.delete(path);
  await socket.until(() => heard().length === 2);
  assertEquals(heard().map(({ data }) => data), [{ projectId: project.id }, { projectId: project.id }]);
});
