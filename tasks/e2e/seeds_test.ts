import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { Buffer } from "node:buffer";
import { readConfig } from "#server/config.ts";
import { silentLog } from "#server/core/log.ts";
import { startStudio } from "#server/main.ts";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { until } from "#server/testing/until.ts";
import { buildClient } from "#tasks/build_client.ts";
import { defaultPortrait } from "#tasks/demo/portrait.ts";

const PHRASE = "a phrase that is long enough";
const LONG_NAME = "Marguerite-Éléonore van der Hooghenbrugghe-Vandersteen the Second of Her Name A";
/** A render on two busy cores. */
const RENDER_MS = 90_000;
/** The browser notes each request that nobody answers: the studio is stopped on purpose. */
const SILENT = /^(Failed to load resource|WebSocket connection)/;

async function openStudio() {
  await buildClient();
  const database = await openTestDatabase();
  const data = await Deno.makeTempDir({ prefix: "seedloop_seeds_" });
  const args = ["--data", data, "--port", "0", "--database-url", database.url];
  const studio = await startStudio(readConfig(args, () => undefined), silentLog);
  let isStopped = false;
  const stop = async () => {
    if (!isStopped) await studio.stop();
    isStopped = true;
  };
  return {
    studio,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await database[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** What the studio says about a path, asked as the page's own user. */
// deno-lint-ignore no-explicit-any -- a test asserts what it reads
async function ask(page: Page, path: string): Promise<any> {
  return await page.evaluate(async (path) => await (await fetch(`/api${path}`)).json(), path);
}

async function overflowOf(page: Page): Promise<number> {
  return await page.evaluate(() =>
    document.documentElement.scrollWidth - document.documentElement.clientWidth
  );
}

async function choose(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  const box = page.locator("st-palette").getByRole("combobox");
  await box.fill(text);
  await page.locator("st-palette").getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await box.waitFor({ state: "hidden" });
}

Deno.test("from an empty studio to a hero: project, character, portrait, variations culled by keys", async (test) => {
  await using world = await openStudio();
  await using opened = await openBrowser();
  const { page, said } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
  await page.goto(world.studio.firstAdminUrl ?? "");
  await page.getByLabel("Name to sign in with").fill("ada");
  await page.getByLabel("Password").fill(PHRASE);
  await page.keyboard.press("Enter");
  await page.locator("st-dock st-panel-host").first().waitFor();

  await test.step("a project is made by keys, with a size of its own", async () => {
    await choose(page, "new project");
    await page.getByRole("dialog", { name: "New project" }).waitFor();
    const dialog = page.locator("st-project-form");
    await dialog.getByLabel("Name").fill("Aurora");
    await dialog.getByLabel("Frame size").selectOption("");
    await dialog.getByLabel("Width").fill("385");
    await dialog.getByLabel("Height").fill("256");
    await page.keyboard.press("Enter");
    const isValid = (one: SVGElement | HTMLElement) => (one as HTMLInputElement).validity.valid;
    assertEquals(await dialog.getByLabel("Width").evaluate(isValid), false);
    assertEquals(await findBarriers(page), []);
    await dialog.getByLabel("Width").fill("384");
    await page.keyboard.press("Enter");
    await page.getByText("No character yet").first().waitFor();
    assertMatch(page.url(), /\/projects\/[0-9a-f-]+\/characters$/);
    assertEquals(await findBarriers(page), []);
  });

  await test.step("a dropped portrait becomes a character's, whose name may be long", async () => {
    // Long before it opens: one that opens while the browser is still being told to hand it over is never heard of.
    const choosing = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "New character" }).first().click();
    await page.getByRole("dialog", { name: "New character" }).waitFor();
    await page.locator("st-character-form").getByLabel("Name").fill(LONG_NAME);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: LONG_NAME }).waitFor();
    assertEquals(await overflowOf(page), 0);
    await page.getByRole("button", { name: "Give a portrait" }).first().press("Enter");
    const chooser = await choosing;
    await chooser.setFiles({
      name: "jane.png",
      mimeType: "image/png",
      buffer: Buffer.from(await defaultPortrait()),
    });
    const slot = page.locator("st-seed-slot[kind=portrait]");
    await slot.getByText("ready", { exact: true }).waitFor({ timeout: RENDER_MS });
    assertEquals(await findBarriers(page), []);
  });

  await test.step("the form of a batch says what it takes, and its tiles fill", async () => {
    await choose(page, "show variations");
    await page.getByText("384 × 256").waitFor();
    await page.getByText("never measured here").waitFor();
    const count = page.getByRole("slider", { name: "Pictures" });
    await count.focus();
    for (let presses = 0; presses < 4; presses++) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Control+Enter");
    await page.locator("st-seed-tile").nth(3).waitFor();
    assertMatch(page.url(), /\/batches\/[0-9a-f-]+$/);
    await page.getByText(/^4 of 4 ready · \d+ s spent$/).waitFor({ timeout: RENDER_MS });
    await page.getByText("CPU preview", { exact: true }).nth(3).waitFor();
    assertEquals(await findBarriers(page), []);
  });

  const batch = `/variations/${page.url().split("/").at(-1)}`;
  /** Waits until the studio has these states and ratings of the batch's seeds; what is shown at once is not yet kept. */
  const settle = async (...wanted: string[]) => {
    let found = "";
    for (const end = Date.now() + 15_000; Date.now() < end;) {
      const { seeds } = await ask(page, batch);
      found = seeds.map((seed: { status: string; rating: number | null }) =>
        `${seed.status}${seed.rating ?? ""}`
      )
        .join();
      if (found === wanted.join()) return;
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    assertEquals(found, wanted.join());
  };

  await test.step("keys rate, keep, reject and take back", async () => {
    await page.getByRole("grid", { name: "Variations" }).focus();
    for (const key of ["Home", "4", "p", "x", "p"]) await page.keyboard.press(key);
    await settle("kept4", "rejected", "kept", "candidate");
    await page.keyboard.press("Control+z");
    await settle("kept4", "rejected", "candidate", "candidate");
    await page.keyboard.press("p");
    await settle("kept4", "rejected", "kept", "candidate");
  });

  await test.step("kept ones are compared in step, and one key makes the approved hero", async () => {
    await page.keyboard.press("c");
    const cells = page.getByRole("listbox", { name: "Comparison" }).getByRole("option");
    await cells.nth(1).waitFor();
    await until("two cells", async () => await cells.count() === 2);
    await page.keyboard.press("+");
    await page.getByText("125%").waitFor();
    const moves = await page.locator("st-seed-compare .moved").evaluateAll((all) =>
      all.map((one) => (one as HTMLElement).style.transform)
    );
    assert(moves[0] !== "" && moves[0] === moves[1], moves.join(" | "));
    assertEquals(await findBarriers(page), []);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("h");
    await page.getByText(/chosen and approved/).first().waitFor();
    await settle("kept4", "rejected", "hero", "candidate");
    assert((await ask(page, batch)).seeds[2].approvedAt !== null);
    await page.keyboard.press("Escape");
    await page.getByRole("grid", { name: "Variations" }).waitFor();
  });

  await test.step("the pair says how alike the two are, and shows their faces", async () => {
    await choose(page, "go to characters");
    const score = page.getByRole("button", { name: /^[01]\.\d\d$/ });
    await score.waitFor();
    await score.press("Enter");
    await page.getByRole("img", { name: "Face in B" }).waitFor();
    assertEquals(await findBarriers(page), []);
    await page.keyboard.press("Escape");
  });
  assertEquals(said, []);

  await test.step("what is known stays when the studio falls silent", async () => {
    await world.stop();
    await page.getByText("reconnecting").or(page.getByText("The studio does not answer")).first().waitFor();
    await page.getByRole("heading", { name: LONG_NAME }).waitFor();
    assertEquals(said.filter((line) => !SILENT.test(line)), []);
  });
});
