import { assertEquals } from "@std/assert/mod.js";
import { join } from "node:path";
import { openBrowser } from "#server/testing/browser.ts";
import { buildClient } from "#tasks/build_client.ts";
import { defaultPortrait } from "#tasks/demo/portrait.ts";
import { stagesOf } from "./journey.ts";
import { freePort, StudioProcess } from "./studio_process.ts";

Deno.test("a newcomer goes from the printed link to a final clip of six seconds, by keys", async (test) => {
  await buildClient();
  const folder = await Deno.makeTempDir({ prefix: "seedloop_journey_" });
  await Deno.chmod(folder, 0o755);
  const studio = new StudioProcess({ data: join(folder, "data"), port: freePort() });
  try {
    assertEquals(await studio.isUp(), true, studio.said);
    await using opened = await openBrowser();
    const { page, said } = await opened.newPage({ viewport: { width: 1600, height: 1000 }, locale: "en" });
    page.setDefaultTimeout(15_000);
    const pictures = Deno.env.get("SEEDLOOP_JOURNEY_PICTURES");
    const stages = stagesOf({
      page,
      firstAdminUrl: studio.firstAdminUrl ?? "",
      portrait: await defaultPortrait(),
      size: { width: 384, height: 256 },
      look: async (name) => {
        if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
      },
    });
    for (const { name, walk } of stages) {
      // What comes after a stage needs it.
      if (!await test.step(name, walk)) {
        if (pictures) await page.screenshot({ path: join(pictures, "stopped.png") });
        break;
      }
    }
    assertEquals(said, []);
  } finally {
    await studio.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
