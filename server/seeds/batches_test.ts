import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import {
  givenAsset,
  givenCharacter,
  givenMember,
  givenProject,
  givenScene,
} from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { Workshop } from "#server/testing/workshop.ts";
import { syncBundled } from "#server/workflows/service.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import type { Seed, VariationSummary } from "./contract.ts";

async function openBatch() {
  const studio = await testStudio();
  const artist = await studio.as("creator");
  await syncBundled(studio.db, BUNDLED_TEMPLATES);
  const project = await givenProject(studio, { member: artist.user });
  const character = await givenCharacter(studio, { projectId: project.id });
  const workshop = new Workshop(studio);
  const give = async (kind: "portrait" | "foundation"): Promise<Seed> => {
    const asset = await givenAsset(studio, { projectId: project.id });
    const path = `/api/characters/${character.id}/seeds`;
    const seed = (await artist.post(path, { kind, assetId: asset.id })).body;
    await workshop.work();
    return (await artist.get(`/api/seeds/${seed.id}`)).body;
  };
  return { studio, artist, project, character, workshop, give };
}

Deno.test("listVariations counts what is made, left and picked, with cover and cost", async () => {
  const { studio, artist, project, character, workshop, give } = await openBatch();
  await using _ = studio;
  const portrait = await give("portrait");
  const path = `/api/characters/${character.id}/variations`;
  const estimate = (await artist.get(`${path}/estimate?count=3`)).body;
  assertEquals([estimate.widthPx, estimate.isCpuPreview, estimate.each, estimate.workers], [
    64,
    true,
    null,
    [],
  ]);
  const batch = (await artist.post(path, { portraitSeedId: portrait.id, count: 3 })).body;
  const list = async (): Promise<VariationSummary[]> => (await artist.get(path)).body.items;
  const [begun] = await list();
  assertEquals([begun?.askedCount, begun?.making, begun?.ready, begun?.coverAssetId], [3, 3, 0, null]);
  assertEquals(begun?.leftMs, null, "nothing of the kind was ever made");
  await studio.db`
    insert into job_durations (kind_id, workflow_version_id, runs, recent_ms, median_ms)
    select id, ${batch.workflowVersionId}, 2, '{2000,4000}', 3000 from job_kind where code = 'comfy.generate'`;
  assertEquals((await list())[0]?.leftMs, 9000);
  assertEquals((await artist.get(`${path}/estimate?count=3`)).body.total.p50Ms, 9000);
  await workshop.work();
  const hero = batch.seeds[1].id;
  await artist.post(`/api/seeds/${hero}/hero`, {});
  const [done] = await list();
  assertEquals([done?.making, done?.ready, done?.heroSeedId], [0, 3, hero]);
  const heroSeed = (await artist.get(`/api/seeds/${hero}`)).body;
  assertEquals(done?.coverAssetId, heroSeed.assetId);
  assertEquals([heroSeed.madeWith.isCpuPreview, portrait.madeWith], [true, null]);
  const named = (await artist.get(`/api/characters/${character.id}`)).body;
  assertEquals([named.portraitAssetId, named.heroAssetId, named.foundations], [
    portrait.assetId,
    heroSeed.assetId,
    3,
  ]);
  const [card] = (await artist.get("/api/projects")).body.items;
  assertEquals((await artist.get(`/api/projects/${project.id}`)).body, card);
  assertEquals([card.id, card.role, card.members, card.characters, card.clips, card.coverAssetId], [
    project.id,
    "creator",
    1,
    1,
    0,
    heroSeed.assetId,
  ]);
});

Deno.test("cancelVariations gives up what is being made, and is for those who began it", async () => {
  const { studio, artist, project, character, workshop, give } = await openBatch();
  await using _ = studio;
  const portrait = await give("portrait");
  const path = `/api/characters/${character.id}/variations`;
  const batch = (await artist.post(path, { portraitSeedId: portrait.id, count: 2 })).body;
  const [first] = await workshop.waiting();
  await workshop.work((job) => job.seedId !== first?.seedId);
  const other = await studio.as("creator");
  await givenMember(studio, project, other.user!, "creator");
  const refused = await other.post(`/api/variations/${batch.id}/cancel`);
  assertEquals(refused.status, 403);
  assertMatch(refused.body.detail, /someone else's/);
  assertEquals((await artist.post(`/api/variations/${batch.id}/cancel`)).status, 202);
  const asked = await studio.db<{ seedId: string }[]>`
    select seed_id from jobs where cancel_asked_at is not null`;
  assert(asked.length > 0 && asked.every(({ seedId }) => seedId !== portrait.id));
});

Deno.test("compareSeed measures a pair that was given by hand; a derived portrait is measured by itself", async () => {
  const { studio, artist, workshop, give } = await openBatch();
  await using _ = studio;
  const foundation = await give("foundation");
  assertEquals([foundation.measures?.likeness, foundation.measures?.againstSeedId], [null, null]);
  const portrait = await give("portrait");
  const compare = `/api/seeds/${foundation.id}/compare`;
  assertEquals((await artist.post(compare, { withSeedId: foundation.id })).status, 409);
  assertEquals((await artist.post(compare, { withSeedId: portrait.id })).status, 202);
  await artist.post(`/api/seeds/${foundation.id}/hero`, {});
  await workshop.work();
  const compared: Seed = (await artist.get(`/api/seeds/${foundation.id}`)).body;
  assertEquals([compared.status, compared.measures?.likeness, compared.measures?.againstSeedId], [
    "hero",
    0.9,
    portrait.id,
  ]);
  const derived = (await artist.post(`/api/seeds/${foundation.id}/derive`, {})).body;
  await workshop.work();
  const back: Seed = (await artist.get(`/api/seeds/${derived.id}`)).body;
  assertEquals([back.measures?.likeness, back.measures?.againstSeedId], [0.9, foundation.id]);
  assertEquals(back.measures?.meanLab.length, 3);
});

Deno.test("getSeedUses names what a replacement would make stale", async () => {
  const { studio, artist, project, character, workshop, give } = await openBatch();
  await using _ = studio;
  const portrait = await give("portrait");
  const made = (await artist.post(`/api/seeds/${portrait.id}/derive`, {})).body;
  await workshop.work();
  await artist.post(`/api/seeds/${made.id}/hero`, {});
  const scene = await givenScene(studio, { projectId: project.id });
  await artist.post(`/api/scenes/${scene.id}/clips`, {
    name: "Clip 010",
    characterId: character.id,
    frames: 24,
    heroSeedId: made.id,
  });
  const uses = (await artist.get(`/api/seeds/${portrait.id}/uses`)).body;
  assertEquals([uses.seeds, uses.takes, uses.clips.map((clip: { name: string }) => clip.name)], [1, 0, [
    "Clip 010",
  ]]);
});
