import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { liveStudio } from "#server/testing/live_studio.ts";
import { type TestClient, testStudio } from "#server/testing/test_studio.ts";
import * as contract from "./contract.ts";

interface Edit {
  readonly name?: string;
  readonly base?: number;
  readonly agoMs?: number;
  readonly content?: string | null;
  readonly editId?: string;
  readonly keepsBefore?: boolean;
}

const edit = ({ content = '"x"', ...given }: Edit = {}) => ({
  name: "view/1/layout",
  editId: newId(),
  base: 0,
  agoMs: 0,
  content,
  ...given,
});

async function givenWorkspace(artist: TestClient): Promise<string> {
  return (await artist.call(contract.createWorkspace, { body: { name: "Main" } })).id;
}

async function save(artist: TestClient, workspaceId: string, ...documents: ReturnType<typeof edit>[]) {
  return await artist.put(`/api/workspaces/${workspaceId}/documents`, { by: "tab-1", documents });
}

async function read(artist: TestClient, workspaceId: string, after = 0) {
  return (await artist.get(`/api/workspaces/${workspaceId}/documents?after=${after}`)).body;
}

Deno.test("saveDocuments keeps every document to the letter", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  const odd = JSON.stringify({ "b": 1, "a": "\0 \ud800 ✂", "__proto__x": 1e21, "deep": [[[[[]]]]] });
  const { body } = await save(
    artist,
    id,
    edit({ content: odd }),
    edit({ name: "drafts/a:1", content: "null" }),
  );
  assertEquals(body.items.map((item: { isBranched: boolean }) => item.isBranched), [false, false]);
  const found = await read(artist, id);
  assertEquals(found.items.map((item: { content: string }) => item.content), ["null", odd]);
  assertEquals(found.names, ["drafts/a:1", "view/1/layout"]);
  assertEquals((await read(artist, id, found.revision)).items, []);
});

Deno.test("saveDocuments lets the newest edit win and keeps the other as a branch", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  const first = (await save(artist, id, edit({ content: '"first"' }))).body.items[0].revision;
  await save(artist, id, edit({ base: first, content: '"here"', agoMs: 5_000 }));
  // Made after the one that was saved in between: it wins.
  const newer =
    (await save(artist, id, edit({ base: first, content: '"there"', agoMs: 1_000 }))).body.items[0];
  assertEquals(newer.isBranched, false);
  // Made before, sent late: it loses, and is told what counts.
  const older =
    (await save(artist, id, edit({ base: first, content: '"late"', agoMs: 9_000 }))).body.items[0];
  assertEquals([older.isBranched, older.current.content, older.revision], [
    true,
    '"there"',
    newer.revision,
  ]);
  const branches = (await artist.get(`/api/workspaces/${id}/branches?name=view/1/layout`)).body.items;
  const contents = await Promise.all(
    branches.map(async (branch: { id: string }) =>
      (await artist.get(`/api/workspaces/${id}/branches/${branch.id}`)).body.content
    ),
  );
  assertEquals(contents, ['"here"', '"late"']);
});

Deno.test("saveDocuments takes an edit once, however often it is sent", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  const mine = edit({ content: '"mine"' });
  const saved = (await save(artist, id, mine)).body.items[0];
  assertEquals((await save(artist, id, mine)).body.items[0], saved);
  const late = edit({ content: '"late"', agoMs: 60_000 });
  for (const _ of [1, 2]) assertEquals((await save(artist, id, late)).body.items[0].isBranched, true);
  assertEquals((await artist.get(`/api/workspaces/${id}/branches`)).body.items.length, 1);
  assertEquals((await read(artist, id)).items[0].content, '"mine"');
});

Deno.test("saveDocuments removes by null, and keeps the state before when asked", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  const base = (await save(artist, id, edit({ content: '"kept"' }))).body.items[0].revision;
  await save(artist, id, edit({ base, content: null, keepsBefore: true }));
  assertEquals(await read(artist, id), { revision: 2, names: [], items: [] });
  assertEquals((await artist.get(`/api/workspaces/${id}/branches`)).body.items.length, 1);
  // A document of that name made anew never has a number that an old one had.
  assertEquals((await save(artist, id, edit())).body.items[0].revision, 3);
});

Deno.test("saveDocuments refuses what is too large or no JSON, names the field, and changes nothing", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  const large = `"${"ä".repeat(contract.MAX_DOCUMENT_BYTES / 2)}"`;
  const refused = await save(artist, id, edit(), edit({ name: "b", content: large }));
  assertEquals([refused.status, refused.body.fields[0].field], [413, "/body/documents/1/content"]);
  assertMatch(refused.body.detail, /"b": it has 524290 bytes and may have 524288/);
  assertEquals(
    (await save(artist, id, edit({ content: "{" }))).body.fields[0].field,
    "/body/documents/0/content",
  );
  assertEquals(
    (await save(artist, id, edit({ name: "../x" }))).body.fields[0].field,
    "/body/documents/0/name",
  );
  assertEquals((await read(artist, id)).names, []);
});

Deno.test("a document keeps its 50 newest branches", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  await save(artist, id, edit());
  const late = Array.from({ length: 60 }, (_, at) => edit({ content: `${at}`, agoMs: 1_000 + at }));
  await save(artist, id, ...late);
  const { items } = (await artist.get(`/api/workspaces/${id}/branches`)).body;
  assertEquals(items.length, 50);
  assertEquals(items[0].id, late[0]?.editId);
});

Deno.test("workspaces are one's own: named, copied, removed and brought back", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const id = await givenWorkspace(artist);
  await save(artist, id, edit({ content: '"mine"' }));
  assertEquals((await artist.post("/api/workspaces", { name: "main" })).status, 409);
  const copy = (await artist.post("/api/workspaces", { name: "Review", copyOfId: id })).body;
  assertEquals((await read(artist, copy.id)).items[0].content, '"mine"');
  assertEquals((await artist.patch(`/api/workspaces/${copy.id}`, { name: "MAIN" })).status, 409);
  const removed = (await artist.patch(`/api/workspaces/${copy.id}`, { isRemoved: true })).body;
  assertMatch(removed.removedAt, /^20/);
  assertEquals((await save(artist, copy.id, edit())).status, 410);
  // Its name may be taken meanwhile; then it can't come back under it.
  await artist.call(contract.createWorkspace, { body: { name: "Review" } });
  assertEquals((await artist.patch(`/api/workspaces/${copy.id}`, { isRemoved: false })).status, 409);
  const back = await artist.patch(`/api/workspaces/${copy.id}`, { isRemoved: false, name: "Review 2" });
  assertEquals([back.status, back.body.removedAt], [200, null]);

  const admin = await studio.as("admin");
  assertEquals((await admin.get(`/api/workspaces/${id}/documents`)).status, 404);
  assertEquals((await admin.get("/api/workspaces")).body.items, []);
  assertEquals((await admin.post("/api/workspaces", { name: "Theirs", copyOfId: id })).status, 404);
});

Deno.test("a user's other devices hear who saved, and nobody else does", async () => {
  await using world = await liveStudio();
  const artist = await world.studio.as("creator");
  const id = await givenWorkspace(artist);
  const socket = await world.open(artist);
  await socket.subscribe([`user:${artist.user?.id}`]);
  await save(artist, id, edit());
  // The word of its making may still have been under way when the socket began to listen.
  const isSaved = ({ t, data }: { t?: unknown; data?: unknown }) =>
    t === "event" && (data as { revision?: number }).revision === 1;
  await socket.until(() => socket.messages.some(isSaved));
  const event = socket.messages.find(isSaved);
  assertEquals([event?.code, event?.data], ["workspace.changed", {
    workspaceId: id,
    revision: 1,
    by: "tab-1",
  }]);
});
