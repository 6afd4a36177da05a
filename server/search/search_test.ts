import { assert, assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import {
  givenAsset,
  givenBatch,
  givenCharacter as givenCharacterOf,
  givenMember,
  givenProject,
  givenSeed,
  givenWorker,
  givenWorkflowVersion,
  lookup,
} from "#server/testing/fixtures.ts";
import { type TestClient, type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { type Found, readSearchIndex, search } from "./contract.ts";

async function givenCharacter({ db }: TestStudio, projectId: string, name: string): Promise<string> {
  const id = newId<"character">();
  await db`
    insert into characters (id, project_id, name, status_id)
    select ${id}, ${projectId}, ${name}, id from character_status order by sort limit 1`;
  return id;
}

const find = async (client: TestClient, q: string, thing?: Found["thing"]): Promise<Found[]> =>
  (await client.call(search, { query: { q, ...(thing ? { thing } : {}) } })).items;

const names = (found: readonly Found[]) => found.map(({ name }) => name);

Deno.test("search ranks the very name first, then its beginning, a word's, any part, and slips", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  for (const name of ["The Marlowe", "Marlowe", "Submarlowe", "Marlowe Junior", "Nobody"]) {
    await givenCharacter(studio, project.id, name);
  }
  assertEquals(names(await find(artist, "marlowe")), [
    "Marlowe",
    "Marlowe Junior",
    "The Marlowe",
    "Submarlowe",
  ]);
  assertEquals(names(await find(artist, "malrowe"))[0], "Marlowe");
  assertEquals(names(await find(artist, "marlwe jun"))[0], "Marlowe Junior");
  assertEquals(names(await find(artist, "no", "character")), ["Nobody"]);
  // Signs that SQL patterns are made of mean only themselves.
  for (const sign of ["%", "_", "\\", "'", "%%%", "' or 1=1 --"]) {
    assertEquals(await find(artist, sign, "character"), [], sign);
  }
});

Deno.test("search and index show what one may see: one's projects, and users to those who may read them", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const stranger = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const id = await givenCharacter(studio, project.id, "Secret");
  const index = async (client: TestClient) =>
    (await client.call(readSearchIndex, { query: { limit: 100 } })).rows.map(([, rowId]) => rowId);

  assertEquals([names(await find(artist, "secret")), (await index(artist)).includes(id)], [["Secret"], true]);
  assertEquals([await find(stranger, "secret"), (await index(stranger)).includes(id)], [[], false]);
  assertEquals(names(await find(await studio.as("admin"), "secret")), ["Secret"]);
  await givenMember(studio, project, stranger.user!, "reviewer");
  assertEquals(names(await find(stranger, "secret")), ["Secret"]);

  const byLogin = await find(artist, stranger.user?.login ?? "", "user");
  // Logins at random may be alike enough to be found as a slip: after it.
  assertEquals(byLogin[0]?.id, stranger.user?.id);
  await studio.db`
    update projects set status_id = ${
    lookup(studio.db, "project_status", "trashed")
  } where id = ${project.id}`;
  assertEquals(await find(artist, "secret"), []);
});

Deno.test("search finds workers, workflows and batches, these by whom they show and what was asked for", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const [stranger, project] = [
    await studio.as("creator"),
    await givenProject(studio, { member: artist.user }),
  ];
  await studio.db`update workers set name = 'gpu-attic' where id = ${(await givenWorker(studio)).id}`;
  await givenWorkflowVersion(studio);
  const portrait = await givenSeed(studio, {
    character: await givenCharacterOf(studio, { projectId: project.id }),
  });
  const { id } = await givenBatch(studio, { portrait });
  await studio.db`update variation_batches set prompt = 'at the harbour' where id = ${id}`;
  await studio.db`update characters set name = 'Marlowe' where id in (
    select character_id from variation_batches where id = ${id})`;
  const [workflow] = await studio.db<{ id: string; title: string }[]>`select id, title from workflows`;

  const kinds = async (client: TestClient, text: string) =>
    (await find(client, text)).map(({ thing }) => thing);
  assertEquals(await kinds(artist, "gpu-attic"), ["worker"]);
  assertEquals((await find(artist, workflow?.title ?? "", "workflow"))[0]?.id, workflow?.id);
  const [batch] = await find(artist, "harbour", "batch");
  assertEquals([batch?.id, batch?.name, batch?.projectId], [id, "Marlowe · at the harbour", project.id]);
  // What belongs to the studio is everybody's; a batch is its project's.
  assertEquals([await kinds(stranger, "gpu-attic"), await kinds(stranger, "harbour")], [["worker"], []]);
  await studio.db`
    update workers set removed_at = now(), status_id = ${lookup(studio.db, "worker_status", "disabled")}`;
  assertEquals(await kinds(artist, "gpu-attic"), []);
});

Deno.test("search shows nobody what is in no project but users, workers and workflows", async () => {
  await using studio = await testStudio();
  const project = await givenProject(studio);
  const asset = await givenAsset(studio, { projectId: project.id });
  await studio.db`update assets set project_id = null, name = 'stray.png' where id = ${asset.id}`;
  for (const role of ["creator", "admin"] as const) {
    const client = await studio.as(role);
    assertEquals(await find(client, "stray"), []);
    const { rows } = await client.call(readSearchIndex, { query: { limit: 100 } });
    assertEquals(rows.some(([, id]) => id === asset.id), false);
  }
});

Deno.test("search tells of no users those who may not read them", async () => {
  await using studio = await testStudio();
  await studio.db`
    delete from role_permission where role_id = ${lookup(studio.db, "role", "creator")}
       and permission_id = ${lookup(studio.db, "permission", "user.read")}`;
  const artist = await studio.as("creator");
  assertEquals(await find(artist, artist.user?.login ?? ""), []);
  assertEquals((await artist.call(readSearchIndex, { query: { limit: 100 } })).rows, []);
});

Deno.test("readSearchIndex pages through everything once, and tells what came since", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const made: string[] = [];
  for (let at = 0; at < 25; at++) made.push(await givenCharacter(studio, project.id, `Character ${at}`));
  const rows: string[] = [];
  let before: string | undefined;
  do {
    const page = await artist.call(readSearchIndex, { query: { limit: 10, ...(before ? { before } : {}) } });
    assert(page.rows.every(([, , , at]) => at === -1 || page.projects[at] === project.id));
    rows.push(...page.rows.map(([, id]) => id));
    before = page.next;
  } while (before !== undefined);
  assertEquals(rows, [...new Set(rows)]);
  assertEquals(rows.filter((id) => made.includes(id)), made.toReversed());
  const later = await givenCharacter(studio, project.id, "Later");
  const since = await artist.call(readSearchIndex, { query: { limit: 10, after: rows[0] ?? "" } });
  assertEquals(since.rows.map(([, id, name]) => [id, name]), [[later, "Later"]]);
});
