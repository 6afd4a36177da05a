import { assertEquals } from "@std/assert/mod.js";
import { listAssets } from "#server/assets/contract.ts";
import { givenProject, tinyPng } from "#server/testing/fixtures.ts";
import { loadModule, openModulePages } from "#server/testing/module_page.ts";
import type { Page } from "#server/testing/browser.ts";
import type { Upload, UploadStage } from "./upload.ts";

/** The whole page side in one place: what `module` is there. */
declare const module: typeof import("./upload.ts");

const KIB = 1024;

/** Makes a PNG of this many bytes in the page and gives it to the uploads. */
async function add(page: Page, projectId: string, name: string, sizeBytes: number): Promise<void> {
  const head = [...tinyPng(7)];
  await page.evaluate(async ({ projectId, name, sizeBytes, head }) => {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(head);
    const file = new File([bytes], name, { type: "image/png", lastModified: 1 });
    await module.uploads.add([{ file, path: name }], { projectId });
  }, { projectId, name, sizeBytes, head });
}

async function until(page: Page, stage: UploadStage, count = 1): Promise<Upload[]> {
  const isThere = page.waitForFunction(
    ({ stage, count }) => module.uploads.all.filter((upload) => upload.stage === stage).length === count,
    { stage, count },
    { polling: 20, timeout: 60_000 },
  );
  const plain = () =>
    page.evaluate(() => {
      const plain = module.uploads.all.map(({ problem, ...upload }) => ({
        ...upload,
        ...(problem
          ? { problem: { status: problem.status, code: problem.code, message: problem.message } }
          : {}),
      }));
      return plain as unknown as Upload[];
    });
  await isThere.catch(async (error) => {
    throw new Error(`No upload is ${stage}: ${JSON.stringify(await plain())}`, { cause: error });
  });
  return await plain();
}

Deno.test("Uploads", async (test) => {
  await using pages = await openModulePages("client/core/upload.ts");
  const { world } = pages;
  const artist = await world.studio.as("creator");
  const project = await givenProject(world.studio, { member: artist.user });
  const profile = await pages.profile(artist);
  const names = async () =>
    (await artist.call(listAssets, {
      params: { projectId: project.id as never },
      query: { limit: 50 } as never,
    }))
      .items.map(({ name }) => name).sort();

  await test.step("bring files to the project, checked by their hash, three at a time", async () => {
    const page = await pages.open(profile);
    for (const name of ["a.png", "b.png", "c.png", "d.png"]) await add(page, project.id, name, 200 * KIB);
    const all = await until(page, "done", 4);
    assertEquals(await names(), ["a.png", "b.png", "c.png", "d.png"]);
    assertEquals(all.map(({ sentBytes }) => sentBytes), Array(4).fill(200 * KIB));
    const [row] = await world.studio.db<{ hash: string }[]>`
      select file_hash as hash from assets where id = ${all[0]?.id ?? ""}`;
    assertEquals(row?.hash, all[0]?.hash);
    await page.close();
  });

  await test.step("say why a file is refused, and don't try it again", async () => {
    const page = await pages.open(profile);
    const elsewhere = await givenProject(world.studio);
    await add(page, elsewhere.id, "a.png", KIB);
    const [upload] = await until(page, "failed");
    assertEquals([upload?.problem?.status, upload?.problem?.message], [
      404,
      "There is no such project, or it is not yours to see",
    ]);
    await page.close();
  });

  await test.step("go on where they were when the connection comes back", async () => {
    const page = await pages.open(profile);
    let cuts = 0;
    // The first two parts are lost on their way.
    await page.route("**/api/uploads/*", (route) => {
      if (route.request().method() !== "PATCH" || cuts++ >= 2) return route.fallback();
      return route.abort("connectionreset");
    });
    await add(page, project.id, "lost.png", 300 * KIB);
    const [lost] = await until(page, "lost");
    assertEquals(lost?.problem?.code, "unreachable");
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await until(page, "done");
    assertEquals((await names()).includes("lost.png"), true);
    await page.close();
  });

  await test.step("go on by themselves after the page was killed and loaded again", async () => {
    const page = await pages.open(profile);
    const userId = artist.user?.id ?? "";
    await page.evaluate((userId) => module.uploads.restore(userId), userId);
    await page.route("**/api/uploads/*", (route) => route.abort("connectionreset"));
    await add(page, project.id, "killed.png", 300 * KIB);
    const [before] = await until(page, "lost");
    await page.unroute("**/api/uploads/*");
    await page.reload();
    await loadModule(page);
    await page.evaluate((userId) => module.uploads.restore(userId), userId);
    const [after] = await until(page, "done");
    assertEquals(after?.id, before?.id);
    assertEquals((await names()).filter((name) => name === "killed.png").length, 1);
    await page.reload();
    await loadModule(page);
    await page.evaluate((userId) => module.uploads.restore(userId), userId);
    assertEquals(await page.evaluate(() => module.uploads.all.length), 0);
    await page.close();
  });

  await test.step("stop when they are paused or cancelled", async () => {
    const page = await pages.open(profile);
    await page.route("**/api/uploads/*", async (route) => {
      // It hangs until the page lets go.
      if (route.request().method() !== "PATCH") await route.fallback();
    });
    await add(page, project.id, "paused.png", 300 * KIB);
    const [upload] = await until(page, "sending");
    await page.evaluate((id) => module.uploads.pause(id), upload?.id ?? "");
    await until(page, "paused");
    await page.unroute("**/api/uploads/*");
    await page.evaluate((id) => module.uploads.resume(id), upload?.id ?? "");
    await until(page, "done");
    await page.evaluate((id) => module.uploads.cancel(id), upload?.id ?? "");
    assertEquals(await page.evaluate(() => module.uploads.all.length), 0);
    assertEquals((await names()).includes("paused.png"), true);
    await page.close();
  });
});
