import { assertEquals } from "@std/assert/mod.js";
import { loadModule, openModulePages } from "#server/testing/module_page.ts";
import { until } from "#server/testing/until.ts";

/** The whole page side in one place: what `module` is there. */
declare const module: typeof import("./cache.ts");

Deno.test("keepFacts() has a user's facts after a reload, and none once they are forgotten", async () => {
  await using pages = await openModulePages("client/core/cache.ts");
  const page = await pages.open(await pages.profile(pages.world.studio.anonymous));
  await page.clock.install();
  await page.evaluate(() => {
    for (const userId of ["ada", "bob"]) {
      module.keepFacts({ userId, name: "projects" }).save([{ id: userId }]);
    }
  });
  await page.clock.fastForward(2_000);
  const load = () =>
    page.evaluate(() =>
      Promise.all(["ada", "bob"].map((userId) => module.keepFacts({ userId, name: "projects" }).load()))
    );
  await until("both are kept", async () => !(await load()).includes(undefined));
  await page.reload();
  await loadModule(page);
  assertEquals(await load(), [[{ id: "ada" }], [{ id: "bob" }]]);
  await page.evaluate(() => module.forgetFacts("ada"));
  assertEquals(await load(), [undefined, [{ id: "bob" }]]);
  await page.clock.fastForward(15 * 86_400_000);
  assertEquals(await load(), [undefined, undefined]);
});
