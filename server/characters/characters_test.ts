import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { givenMember, givenProject } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";

Deno.test("characters have names of their own in a project; the same id twice is the same one", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const elsewhere = await givenProject(studio, { member: artist.user });
  const path = `/api/projects/${project.id}/characters`;
  const id = newId<"character">();
  const first = await artist.post(path, { id, name: "  Jåne 🎬 " });
  assertEquals([first.status, first.body.name, first.body.description], [201, "Jåne 🎬", ""]);
  assertEquals((await artist.post(path, { id, name: "Jåne 🎬" })).body.id, id);
  const same = await artist.post(path, { name: "Jåne 🎬" });
  assertEquals(same.status, 409);
  assertMatch(same.body.detail, /another one with the same project id, name is there already/);
  assertEquals(
    (await artist.post(`/api/projects/${elsewhere.id}/characters`, { id, name: "Bob" })).status,
    409,
  );
  assertEquals(
    (await artist.post(`/api/projects/${elsewhere.id}/characters`, { name: "Jåne 🎬" })).status,
    201,
  );
  assertEquals((await artist.get(`${path}?limit=1`)).body.items.length, 1);

  const fields = async (body: unknown) =>
    (await artist.post(path, body)).body.fields.map((each: { field: string }) => each.field);
  assertEquals(await fields({ name: "" }), ["/body/name"]);
  assertEquals(await fields({ name: "a\nb" }), ["/body/name"]);
  assertEquals(await fields({ name: 5, description: "x".repeat(10_001) }), [
    "/body/name",
    "/body/description",
  ]);
  assertEquals(await fields({ name: "Bob", id: "7" }), ["/body/id"]);
  assertEquals((await artist.post(path, { name: "nul\u0000" })).status, 400);
});

Deno.test("a character in the trash leaves the list, keeps its name and comes back", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const reviewer = await studio.as("reviewer");
  const project = await givenProject(studio, { member: artist.user });
  await givenMember(studio, project, reviewer.user!, "reviewer");
  const path = `/api/projects/${project.id}/characters`;
  const { body: jane } = await artist.post(path, { name: "Jane" });
  const change = (body: unknown) => artist.patch(`/api/characters/${jane.id}`, body);
  assertEquals((await reviewer.patch(`/api/characters/${jane.id}`, { name: "Mine" })).status, 403);
  assertEquals((await change({ status: "trashed" })).body.status, "trashed");
  assertEquals((await change({ status: "trashed" })).status, 200, "twice is once");
  assertEquals((await artist.get(path)).body.items, []);
  assertEquals((await change({ status: "active" })).body.status, "active");
  assertEquals((await change({ status: "gone" })).body.fields[0].field, "/body/status");
  await artist.patch(`/api/projects/${project.id}`, { status: "archived" });
  const closed = await change({ name: "Later" });
  assertEquals(closed.status, 409);
  assertMatch(closed.body.detail, /The project is archived: restore it/);
  assertEquals((await reviewer.get(`/api/characters/${jane.id}`)).body.name, "Jane", "it can still be read");
});
