import type { BrowserContext, Route } from "playwright-core";
import { assertEquals } from "@std/assert/mod.js";
import { listAssets } from "#server/assets/contract.ts";
import { listSeeds } from "#server/seeds/contract.ts";
import { givenCharacter, givenProject, tinyPng } from "#server/testing/fixtures.ts";
import { openModulePages } from "#server/testing/module_page.ts";
import type { Page } from "#server/testing/browser.ts";
import { until } from "#server/testing/until.ts";

/** The whole page side in one place: what `module` is there. */
declare const module: typeof import("./seed_uploads.ts") & typeof import("#client/core/upload.ts");

const SEEDS = "**/api/characters/*/seeds";

Deno.test("a still becomes the one seed that it was given as", async (test) => {
  await using pages = await openModulePages("client/core/upload.ts", "client/seeds/seed_uploads.ts");
  const { studio } = pages.world;
  const artist = await studio.as("creator");
  const { id: projectId } = await givenProject(studio, { member: artist.user });
  const profile = await pages.profile(artist);
  const visit = (context: BrowserContext) => openVisit(pages, context, artist.user?.id ?? "");

  const assets = async () =>
    (await artist.call(listAssets, { params: { projectId: projectId as never }, query: {} })).items;
  const seedsOf = async (characterId: string) =>
    (await artist.call(listSeeds, { params: { characterId: characterId as never }, query: {} })).items;
  const shown = (page: Page, characterId: string) =>
    page.evaluate((id) => module.seedUploads(id, "portrait").map(({ upload }) => upload.stage), characterId);
  const nothingIsLeft = async () => {
    const page = await visit(profile);
    assertEquals(await page.evaluate(() => module.uploads.all.length), 0);
    await page.close();
  };
  const give = (page: Page, characterId: string, name: string) =>
    page.evaluate(async ({ bytes, ...given }) => {
      const file = new File([new Uint8Array(bytes)], given.name, { type: "image/png", lastModified: 1 });
      await module.giveStill(file, { ...given, kind: "portrait" });
    }, { bytes: [...tinyPng(7)], projectId, characterId, name });
  const finish = async (characterId: string) => {
    const page = await visit(profile);
    const isDone = () => page.evaluate(() => module.uploads.all.some(({ stage }) => stage === "done"));
    await until("the end of the upload", isDone);
    assertEquals(await shown(page, characterId), []);
    await page.close();
  };

  await test.step("in the next visit, when the page dies before the seed is asked for", async () => {
    const { id: characterId } = await givenCharacter(studio, { projectId });
    const page = await visit(profile);
    const asked = held(page);
    await give(page, characterId, "never_asked.png");
    await asked.promise;
    const [asset] = await assets();
    assertEquals([asset?.name, await seedsOf(characterId)], ["never_asked.png", []]);
    await page.close();

    await finish(characterId);
    const made = await seedsOf(characterId);
    assertEquals(made.map(({ kind, assetId }) => ({ kind, assetId })), [
      { kind: "portrait", assetId: asset?.id ?? null },
    ]);
    await nothingIsLeft();
    assertEquals((await seedsOf(characterId)).length, 1);
  });

  await test.step("once, when the page dies before it is told that the seed is made", async () => {
    const { id: characterId } = await givenCharacter(studio, { projectId });
    const page = await visit(profile);
    const asked = held(page, async (route) => void await route.fetch());
    await give(page, characterId, "never_told.png");
    await asked.promise;
    const before = await seedsOf(characterId);
    assertEquals(before.length, 1);
    await page.close();

    await finish(characterId);
    assertEquals((await seedsOf(characterId)).map(({ id }) => id), before.map(({ id }) => id));
    await nothingIsLeft();
  });

  await test.step("by itself, when the connection is lost right then", async () => {
    const { id: characterId } = await givenCharacter(studio, { projectId });
    const page = await visit(profile);
    let losses = 0;
    await page.route(SEEDS, (route) => losses++ === 0 ? route.abort("connectionreset") : route.fallback());
    await give(page, characterId, "lost.png");
    await until("one seed", async () => (await seedsOf(characterId)).length === 1);
    await until("nothing on its way", async () => (await shown(page, characterId)).length === 0);
    assertEquals([losses, (await seedsOf(characterId)).length], [2, 1]);
    await page.close();
    await nothingIsLeft();
  });
});

async function openVisit(
  pages: Awaited<ReturnType<typeof openModulePages>>,
  context: BrowserContext,
  userId: string,
): Promise<Page> {
  const page = await pages.open(context);
  await page.evaluate((userId) => module.uploads.restore(userId, module.reviveSeedUpload), userId);
  return page;
}

/** Resolves when the page has asked for the seed and `meanwhile` is over; the page is never answered. */
function held(page: Page, meanwhile?: (route: Route) => Promise<void>): { readonly promise: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  void page.route(SEEDS, (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    return (meanwhile?.(route) ?? Promise.resolve()).then(resolve, reject);
  });
  return { promise };
}
