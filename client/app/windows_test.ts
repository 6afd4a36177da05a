import { assertEquals } from "@std/assert/mod.js";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenProject } from "#server/testing/fixtures.ts";
import { until } from "#server/testing/until.ts";

async function choose(page: Page, words: string): Promise<void> {
  await page.keyboard.press("Control+k");
  const palette = page.locator("st-palette");
  await palette.getByRole("combobox").fill(words);
  await palette.getByRole("option", { name: words }).first().waitFor();
  await page.keyboard.press("Enter");
}

/** There is one thing to take back: pressed again it does nothing more, pressed too early nothing at all. */
async function undo(page: Page): Promise<void> {
  await until("what was taken back", async () => {
    await page.keyboard.press("Control+z");
    return await page.locator('html[data-theme="dark"]').count() > 0;
  }, { everyMs: 200 });
}

async function waitForTheme(page: Page, theme: string): Promise<void> {
  await page.locator(`html[data-theme="${theme}"]`).waitFor();
}

Deno.test("a panel's own window has its tab's history and settings: what is undone in one is undone in both", async () => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  await givenProject(world.studio);
  const user = await world.person({ role: "admin", login: "ada" });
  const { page, said } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
  await page.goto(`${world.url}/projects`);
  await signInAs(page, user);
  await page.locator("st-area").getByText("Projects", { exact: true }).first().waitFor();
  await choose(page, "Light theme");
  await waitForTheme(page, "light");

  const [popup] = await Promise.all([
    page.waitForEvent("popup"),
    choose(page, "Open the panel in its own window"),
  ]);
  await popup.locator("st-panel-host").first().waitFor();
  await waitForTheme(popup, "light");
  await undo(popup);
  await waitForTheme(popup, "dark");
  await waitForTheme(page, "dark");
  await page.keyboard.press("Control+Shift+z");
  await waitForTheme(page, "light");
  await waitForTheme(popup, "light");
  // Loaded anew it is the same window still.
  await popup.reload();
  await popup.locator("st-panel-host").first().waitFor();
  await waitForTheme(popup, "light");
  await undo(popup);
  await waitForTheme(page, "dark");
  assertEquals(said, []);
});
