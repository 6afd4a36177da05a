import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import { syncBundled } from "#server/workflows/service.ts";
import { givenAsset, givenCharacter, givenProject, givenScene } from "#server/testing/fixtures.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { Workshop } from "#server/testing/workshop.ts";
import type { Seed } from "./contract.ts";

async function open(studio: TestStudio) {
  const artist = await studio.as("creator");
  await syncBundled(studio.db, BUNDLED_TEMPLATES);
  const project = await givenProject(studio, { member: artist.user });
  const character = await givenCharacter(studio, { projectId: project.id });
  const workshop = new Workshop(studio);
  const give = async (kind: "portrait" | "foundation", more: Record<string, unknown> = {}) => {
    const asset = await givenAsset(studio, { projectId: project.id });
    return await artist.post(`/api/characters/${character.id}/seeds`, { kind, assetId: asset.id, ...more });
  };
  const find = async (seedId: string): Promise<Seed> => (await artist.get(`/api/seeds/${seedId}`)).body;
  const versions = async () =>
    (await studio.db<{ version: number }[]>`
      select version from documents where character_id = ${character.id} order by version`).map((row) =>
      row.version
    );
  const document = async () => (await artist.get(`/api/characters/${character.id}/metadata`)).body;
  return { artist, project, character, workshop, give, find, versions, document };
}

Deno.test("seeds come by hand, from A to B and from B to A, with what they came from", async () => {
  await using studio = await testStudio();
  const { artist, workshop, give, find, character } = await open(studio);
  const given = await give("portrait");
  assertEquals([given.status, given.body.status], [202, "making"]);
  const early = await artist.post(`/api/seeds/${given.body.id}/derive`, {});
  assertMatch(early.body.detail, /not ready yet: wait until it has been looked into/);
  await workshop.work();
  const portrait = await find(given.body.id);
  assertEquals([portrait.status, portrait.origin, portrait.measures?.likeness], ["candidate", "given", null]);
  const [asset] = await studio.db<{ class: string }[]>`
    select c.code as class from assets a join retention_class c on c.id = a.retention_class_id
     where a.id = ${portrait.assetId}`;
  assertEquals(asset?.class, "protected");

  const forward =
    (await artist.post(`/api/seeds/${portrait.id}/derive`, { prompt: "wide", randomSeed: 7 })).body;
  await workshop.work();
  const foundation = await find(forward.id);
  assertEquals(
    [foundation.kind, foundation.origin, foundation.derivedFromSeedId, foundation.randomSeed],
    ["foundation", "derived", portrait.id, 7],
  );
  assertEquals(foundation.measures?.likeness, 0.9, "measured against the portrait that it came from");
  const back = (await artist.post(`/api/seeds/${foundation.id}/derive`, {})).body;
  await workshop.work();
  assertEquals([(await find(back.id)).kind, (await find(back.id)).status], ["portrait", "candidate"]);
  const [made] = await studio.db<{ parameters: { seed: number }; inputs: string[] }[]>`
    select p.parameters, array(select parameter from provenance_inputs i where i.asset_id = p.asset_id) as inputs
      from provenance p where p.asset_id = ${foundation.assetId}`;
  assertEquals([made?.parameters.seed, made?.inputs], [7, ["image"]]);
  const page = await artist.get(`/api/characters/${character.id}/seeds?kind=portrait`);
  assertEquals(page.body.items.length, 2);
});

Deno.test("a replaced seed and what was made from it are stale once the new one is good, and never gone", async () => {
  await using studio = await testStudio();
  const { artist, workshop, give, find } = await open(studio);
  const old = (await give("portrait")).body;
  await workshop.work();
  const made = (await artist.post(`/api/seeds/${old.id}/derive`, {})).body;
  await workshop.work();
  const bad = (await give("portrait", { replacesSeedId: old.id })).body;
  await workshop.fail(await workshop.only(), "It is cut short: upload it again");
  assertEquals([(await find(bad.id)).status, (await find(bad.id)).failure], [
    "failed",
    "It is cut short: upload it again",
  ]);
  assertEquals([(await find(old.id)).status, (await find(made.id)).staleAt], ["candidate", null]);
  const good = (await give("portrait", { replacesSeedId: old.id })).body;
  await workshop.work();
  assertEquals([(await find(good.id)).replacesSeedId, (await find(old.id)).status], [old.id, "rejected"]);
  assert((await find(made.id)).staleAt !== null);
  const other = await give("foundation", { replacesSeedId: old.id });
  assertEquals(other.status, 409);
  assertMatch(other.body.detail, /of the same kind and character/);
});

Deno.test("a batch has one hero; letting go of it takes its approval back, and is refused while a clip builds on it", async () => {
  await using studio = await testStudio();
  const { artist, project, character, workshop, give, find, document, versions } = await open(studio);
  const { db } = studio;
  const portrait = (await give("portrait")).body;
  await workshop.work();
  const asked = {
    portraitSeedId: portrait.id,
    count: 4,
    baseRandomSeed: 100,
    id: newId<"variation batch">(),
  };
  const path = `/api/characters/${character.id}/variations`;
  const batch = await artist.post(path, asked);
  assertEquals([batch.status, batch.body.seeds.length], [202, 4]);
  assertEquals(batch.body.seeds.map((seed: Seed) => seed.randomSeed), [100, 101, 102, 103]);
  assertEquals((await artist.post(path, asked)).body.seeds.length, 4, "the same id is the same batch");
  assertEquals((await workshop.waiting()).length, 4);
  const [one, two, three, four] = batch.body.seeds.map((seed: Seed) => seed.id) as [
    string,
    string,
    string,
    string,
  ];
  await workshop.cancel((await workshop.waiting()).find((job) => job.seedId === four)!);
  assertEquals((await find(four)).status, "cancelled");
  assertMatch((await artist.patch(`/api/seeds/${one}`, { status: "kept" })).body.detail, /still being made/);
  assertEquals((await artist.post(`/api/seeds/${one}/hero`, {})).status, 409);
  await workshop.work();

  assertEquals((await artist.patch(`/api/seeds/${one}`, { status: "kept", rating: 4 })).body.rating, 4);
  assertEquals((await artist.patch(`/api/seeds/${two}`, { status: "rejected" })).body.status, "rejected");
  assertEquals((await artist.patch(`/api/seeds/${one}`, { rating: 6 })).body.fields[0].field, "/body/rating");
  const hero = await artist.post(`/api/seeds/${one}/hero`, { approve: false });
  assertEquals([hero.body.status, hero.body.approvedAt], ["hero", null]);
  assertEquals((await document()).seeds.find((seed: { id: string }) => seed.id === one).status, "hero");
  const before = (await versions()).length;
  assert((await artist.post(`/api/seeds/${one}/approve`)).body.approvedAt !== null);
  assert((await artist.post(`/api/seeds/${one}/approve`)).body.approvedAt !== null, "twice is once");
  assertEquals((await versions()).length, before + 1);
  assert((await document()).seeds.find((seed: { id: string }) => seed.id === one).approved_at !== null);
  for (const _ of ["back", "twice is once"]) {
    const { status, body } = await artist.delete(`/api/seeds/${one}/approve`);
    assertEquals([status, body.status, body.approvedAt], [200, "hero", null]);
  }
  const noted = await db`
    select 1 from audit_entries e join audit_action a on a.id = e.action_id
     where a.code = 'seed.withdraw_approval' and e.subject_id = ${one}`;
  assertEquals([noted.length, (await versions()).length], [1, before + 2]);
  assert((await artist.post(`/api/seeds/${one}/approve`)).body.approvedAt !== null, "and again");

  const race = await Promise.all([
    artist.post(`/api/seeds/${two}/hero`, {}),
    artist.post(`/api/seeds/${three}/hero`, {}),
  ]);
  assertEquals(race.map((answer) => answer.status), [200, 200]);
  const states = await Promise.all([one, two, three].map(find));
  assertEquals(states.filter((seed) => seed.status === "hero").length, 1);
  assertEquals([states[0]?.status, states[0]?.approvedAt], ["kept", null]);
  await assertRejects(
    async () => await db`update seeds set status_id = 5 where batch_id = ${asked.id} and status_id <> 6`,
  );

  const now = states.find((seed) => seed.status === "hero")!;
  const scene = await givenScene(studio, { projectId: project.id });
  const clip = await artist.post(`/api/scenes/${scene.id}/clips`, {
    name: "Clip 010",
    characterId: character.id,
    frames: 24,
    heroSeedId: now.id,
  });
  await artist.post(`/api/clips/${clip.body.id}/generate`);
  for (
    const refused of [
      await artist.post(`/api/seeds/${one}/hero`, {}),
      await artist.patch(`/api/seeds/${now.id}`, { status: "kept" }),
      await artist.delete(`/api/seeds/${now.id}/approve`),
    ]
  ) {
    assertEquals(refused.status, 409);
    assertMatch(refused.body.detail, /used by Clip 010: choose another hero for it first/);
  }
  assert((await find(now.id)).approvedAt !== null);
});

Deno.test("seeds of portraits, of other people's things and with used ids are refused with the reason", async () => {
  await using studio = await testStudio();
  const { artist, workshop, give, character, project } = await open(studio);
  const elsewhere = await givenAsset(studio);
  const path = `/api/characters/${character.id}/seeds`;
  assertEquals((await artist.post(path, { kind: "portrait", assetId: elsewhere.id })).status, 404);
  const own = await givenProject(studio, { member: artist.user });
  const asset = await givenAsset(studio, { projectId: own.id });
  assertMatch(
    (await artist.post(path, { kind: "portrait", assetId: asset.id })).body.detail,
    /belongs to another project: upload it to this one/,
  );
  const id = newId<"seed">();
  const first = await give("portrait", { id });
  assertEquals((await artist.post(path, { id, kind: "portrait", assetId: first.body.assetId })).status, 202);
  assertEquals((await workshop.waiting()).length, 1);
  assertMatch((await give("portrait", { id })).body.detail, /its id belongs to another one. Use a new id/);
  await workshop.work();
  assertMatch(
    (await artist.post(`/api/seeds/${id}/hero`, {})).body.detail,
    /derive one from this portrait first/,
  );
  assertEquals((await artist.post(path, { kind: "hero", assetId: "x" })).body.fields.length, 2);
  const many = { portraitSeedId: id, count: 65 };
  const variations = `/api/characters/${character.id}/variations`;
  assertEquals((await artist.post(variations, many)).body.fields[0].field, "/body/count");
  const knobs = await artist.post(variations, { portraitSeedId: id, count: 1, knobs: { nonsense: 1 } });
  assertEquals([knobs.status, knobs.body.fields[0].field], [400, "/parameters/nonsense"]);
  assertEquals((await artist.get(`/api/characters/${character.id}/seeds`)).body.items.length, 1);
  const other = await givenCharacter(studio, { projectId: project.id });
  assertEquals(
    (await artist.post(`/api/characters/${other.id}/variations`, { portraitSeedId: id })).status,
    409,
  );
});

Deno.test("a file that is no picture fails its seed with the reason; a retry takes it back", async () => {
  await using studio = await testStudio();
  const { workshop, give, find } = await open(studio);
  const seed = (await give("portrait")).body;
  const job = await workshop.only();
  await workshop.finish(job, {
    facts: { kind: "document", mediaType: "text/plain", container: "txt" },
  });
  assertMatch(
    (await find(seed.id)).failure ?? "",
    /a document \(text\/plain\): a seed is a still picture, give a PNG/,
  );
  await workshop.retry(job);
  assertEquals([(await find(seed.id)).status, (await find(seed.id)).failure], ["making", null]);
  await workshop.work();
  assertEquals((await find(seed.id)).status, "candidate");
  await workshop.finish(job);
  assertEquals((await find(seed.id)).status, "candidate", "a late result changes nothing");
});
