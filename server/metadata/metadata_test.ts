import { assert, assertEquals } from "@std/assert/mod.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import { givenAsset, givenCharacter, givenProject } from "#server/testing/fixtures.ts";
import { type TestClient, testStudio } from "#server/testing/test_studio.ts";
import { givenClipInReview, Workshop } from "#server/testing/workshop.ts";

/** Compiles the schemas that the studio serves; its answer is a list of faults. */
async function openValidator(client: TestClient) {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictTypes: false,
    formats: { uuid: /^[0-9a-f-]{36}$/, "date-time": (text: string) => !Number.isNaN(Date.parse(text)) },
  });
  const compile = async (name: string) => {
    const { status, body } = await client.get(`/api/schemas/${name}`);
    assertEquals(status, 200);
    return ajv.compile(body);
  };
  const schemas = {
    character: await compile("character_metadata"),
    video: await compile("video_metadata"),
  };
  return (kind: keyof typeof schemas, document: unknown) => {
    schemas[kind](document);
    return schemas[kind].errors ?? [];
  };
}

Deno.test("character_metadata is valid, follows the facts, and keeps its old versions", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const validate = await openValidator(studio.anonymous);
  const workshop = new Workshop(studio);
  const project = await givenProject(studio, { member: artist.user });
  const made = await artist.post(`/api/projects/${project.id}/characters`, {
    name: "Jane",
    description: '🎬 "x"',
  });
  const read = async () => (await artist.get(`/api/characters/${made.body.id}/metadata`)).body;
  const versions = async () =>
    await studio.db<{ version: number; hash: string }[]>`
      select d.version, a.file_hash as hash from documents d join assets a on a.id = d.asset_id
       where d.character_id = ${made.body.id} order by d.version`;
  assertEquals([(await read()).document_version, (await read()).character.name], [1, "Jane"]);
  await artist.patch(`/api/characters/${made.body.id}`, { name: "Jane" });
  assertEquals((await versions()).length, 1, "no fact has changed");
  await artist.patch(`/api/characters/${made.body.id}`, { name: "Janet" });
  assertEquals([(await read()).document_version, (await read()).character.name], [2, "Janet"]);

  const kinds = ["portrait", "foundation", "foundation", "foundation", "foundation"];
  for (const kind of kinds) {
    const { id: assetId } = await givenAsset(studio, { projectId: project.id });
    await artist.post(`/api/characters/${made.body.id}/seeds`, { kind, assetId });
  }
  await workshop.work((job) => job.kind === "seeds.measure");
  // Each writes a version: they take turns instead of failing each other's job.
  await Promise.all((await workshop.waiting()).map((job) => workshop.finish(job)));
  const document = await read();
  assertEquals(document.seeds.length, 5);
  assertEquals(document.document_version, 7);
  assertEquals(validate("character", document), []);
  const hero = document.seeds[1].id;
  await artist.post(`/api/seeds/${hero}/hero`, {});
  const approved = await read();
  assertEquals([approved.document_version, approved.seeds[1].status], [8, "hero"]);
  assertEquals(validate("character", approved), []);
  const kept = await versions();
  assertEquals(kept.map((row) => row.version), [1, 2, 3, 4, 5, 6, 7, 8]);
  const first = JSON.parse(await new Response(await studio.store.read(kept[0]!.hash)).text());
  assertEquals([first.character.name, first.seeds], ["Jane", []]);
  assertEquals(validate("character", first), []);
  assert(validate("character", { ...document, seeds: [{ ...document.seeds[0], sha256: "no" }] }).length > 0);
});

Deno.test("video_metadata is valid, tells each frame's origin, and follows decisions and undo", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const validate = await openValidator(artist);
  const { cutId, clip } = await givenClipInReview(studio, new Workshop(studio), artist, { frames: 150 });
  await artist.post(`/api/cuts/${cutId}/finalize`, { note: "a\u2028b" });
  const read = async () => (await artist.get(`/api/cuts/${cutId}/metadata`)).body;
  const document = await read();
  assertEquals(validate("video", document), []);
  assertEquals(document.technical.frames, 150);
  assertEquals([document.technical.duration_us, document.technical.start_timecode.length], [6_250_000, 11]);
  let next = 0;
  for (const segment of document.segments) {
    assertEquals(segment.first_frame, next);
    assertEquals(segment.last_frame - segment.first_frame + 1, segment.source_frame_count);
    next = segment.last_frame + 1;
    const { provenance } = segment;
    assertEquals([provenance.software, provenance.parameters.seed], ["seedloop-cpu", segment.random_seed]);
    assertEquals(provenance.inputs.image, segment.start_sha256);
    assertEquals(segment.retimed_frame_count, null);
    assert(Object.keys(provenance.graph).length > 0);
  }
  assertEquals(next, 150);
  assertEquals(document.quality.gate, { verdict: "pass", reasons: [], segment: null });
  assertEquals(document.segments[0].start_sha256, clip.hero.file.hash);
  await artist.post(`/api/decisions/${document.review.decisions[0] && (await decisionsOf())[0].id}/undo`);
  const undone = await read();
  assertEquals([undone.document_version, undone.review.outcome], [2, "ready"]);
  assert(undone.review.decisions[0].undone_at !== null);
  await artist.post(`/api/cuts/${cutId}/reject`, { note: "too soft" });
  const rejected = await read();
  assertEquals([rejected.document_version, rejected.review.outcome], [3, "rejected"]);
  assertEquals(rejected.review.decisions.map((each: { decision: string }) => each.decision), [
    "finalize",
    "reject",
  ]);
  assertEquals(validate("video", rejected), []);
  const stranger = await studio.as("creator");
  assertEquals((await stranger.get(`/api/cuts/${cutId}/metadata`)).status, 404);

  async function decisionsOf() {
    return (await artist.get(`/api/cuts/${cutId}/decisions`)).body;
  }
});

Deno.test("documents lie beside the media as assets of the project, and are not deleted while they are in use", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  await artist.post(`/api/projects/${project.id}/characters`, { name: "Jane" });
  const { items } = (await artist.get(`/api/projects/${project.id}/assets?kind=metadata`)).body;
  assertEquals(items.map((asset: { name: string; mediaType: string }) => [asset.name, asset.mediaType]), [
    ["character_metadata.json", "application/json"],
  ]);
  const refused = await artist.delete(`/api/assets/${items[0].id}`);
  assertEquals([refused.status, refused.body.details.uses], [409, ["metadata"]]);
  const bare = await givenCharacter(studio, { projectId: project.id });
  assertEquals((await artist.get(`/api/characters/${bare.id}/metadata`)).status, 404);
});

Deno.test("a new name of project, scene, clip or character is in their documents at once, and the old ones stay", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const { cutId, clip } = await givenClipInReview(studio, new Workshop(studio), artist, { frames: 24 });
  const bystander = await givenClipInReview(studio, new Workshop(studio), artist, { frames: 24 });
  await studio.db`update project_members set role_id = (select id from role where code = 'admin')`;
  const admin = await studio.as("admin");
  await admin.patch(`/api/characters/${clip.characterId}`, { description: "Has a document now" });
  for (const id of [cutId, bystander.cutId]) await artist.post(`/api/cuts/${id}/finalize`, {});
  const video = async (id = cutId) => (await artist.get(`/api/cuts/${id}/metadata`)).body;
  const character = async () => (await artist.get(`/api/characters/${clip.characterId}/metadata`)).body;
  const other = (await video(bystander.cutId)).document_version;
  const rename = async (path: string, name: string) => {
    const [before, own] = [(await video()).document_version, (await character()).document_version];
    const answer = await admin.patch(path, { name });
    assertEquals(answer.status, 200, JSON.stringify(answer.body));
    return [(await video()).document_version - before, (await character()).document_version - own];
  };
  assertEquals(await rename(`/api/clips/${clip.id}`, "Clip anew"), [1, 0]);
  assertEquals((await video()).clip.name, "Clip anew");
  assertEquals(await rename(`/api/scenes/${clip.sceneId}`, "Scene anew"), [1, 0]);
  assertEquals((await video()).scene.name, "Scene anew");
  assertEquals(await rename(`/api/characters/${clip.characterId}`, "Character anew"), [1, 1]);
  assertEquals([(await video()).character.name, (await character()).character.name], [
    "Character anew",
    "Character anew",
  ]);
  assertEquals(await rename(`/api/projects/${clip.projectId}`, "Project anew"), [1, 1]);
  assertEquals([(await video()).project.name, (await character()).project.name], [
    "Project anew",
    "Project anew",
  ]);
  assertEquals(
    await rename(`/api/projects/${clip.projectId}`, "Project anew"),
    [0, 0],
    "nothing has changed",
  );
  assertEquals(
    (await video(bystander.cutId)).document_version,
    other,
    "another project's documents stay as they are",
  );
  const kept = await studio.db<{ hash: string }[]>`
    select a.file_hash as hash from documents d join assets a on a.id = d.asset_id where d.cut_id = ${cutId} order by d.version`;
  assertEquals(kept.length, 5);
  const first = JSON.parse(await new Response(await studio.store.read(kept[0]!.hash)).text());
  assert(first.clip.name !== "Clip anew" && first.document_version === 1);
});
