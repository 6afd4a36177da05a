import { assert, assertEquals } from "@std/assert/mod.js";
import { givenWorkflowVersion } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { Workshop } from "#server/testing/workshop.ts";
import { advanceSample, getSample } from "./contract.ts";

Deno.test("advanceSample() goes from the shipped portrait to a cut, one step per call, and makes nothing twice", async () => {
  await using studio = await testStudio();
  await givenWorkflowVersion(studio, { role: "foundation_from_portrait" });
  await givenWorkflowVersion(studio);
  const workshop = new Workshop(studio);
  const artist = await studio.as("creator");
  assertEquals((await artist.call(getSample)).step, "none");

  const [first, same] = await Promise.all([artist.call(advanceSample), artist.call(advanceSample)]);
  assertEquals([first.step, first.projectId], ["portrait", same.projectId]);
  const asset = await artist.get(`/api/assets/${first.portrait?.assetId}/content`);
  assertEquals(asset.headers.get("content-type"), "image/png");
  await workshop.work();

  const second = await artist.call(advanceSample);
  assertEquals([second.step, second.foundations.length], ["foundations", 3]);
  assertEquals((await artist.call(advanceSample)).foundations.length, 3, "the batch is there already");
  await workshop.work();

  const third = await artist.call(advanceSample);
  assertEquals([third.step, third.foundations.filter(({ isHero }) => isHero).length], ["clip", 1]);
  await workshop.work();
  const last = await artist.call(getSample);
  assertEquals(last.step, "ready");
  assert(last.clip?.cutAssetId && last.clip.segmentsReady > 0);
  assertEquals((await artist.get("/api/projects")).body.items.length, 1);

  // One's own, and a new one when the old one lies in the trash.
  assertEquals((await (await studio.as("creator")).call(getSample)).step, "none");
  await artist.patch(`/api/projects/${last.projectId}`, { status: "trashed" });
  assertEquals((await artist.call(getSample)).step, "none");
  assert((await artist.call(advanceSample)).projectId !== last.projectId);
});

Deno.test("getSample() says why it stopped, and goes on after a retry", async () => {
  await using studio = await testStudio();
  const workshop = new Workshop(studio);
  const artist = await studio.as("creator");
  await artist.call(advanceSample);
  // The upload is looked into for itself, too.
  const job = (await workshop.waiting()).find(({ seedId }) => seedId !== null);
  if (!job) throw new Error("The portrait is not looked into");
  await workshop.fail(job, "The picture can't be read");
  const failed = await artist.call(getSample);
  assertEquals([failed.step, failed.failure], ["failed", "The picture can't be read"]);
  assertEquals((await artist.call(advanceSample)).step, "failed");
  await workshop.retry(job);
  await workshop.work();
  assertEquals((await artist.call(getSample)).step, "portrait");
});
