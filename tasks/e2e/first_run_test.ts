import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { readConfig } from "#server/config.ts";
import { silentLog } from "#server/core/log.ts";
import { startStudio } from "#server/main.ts";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { buildClient } from "#tasks/build_client.ts";

const NAME = "ada";
const PHRASE = "a phrase that is long enough";
/** The browser notes every refused request of a page; a wrong password is one. */
const REFUSED = /^Failed to load resource: .* 40[01] /;

async function openStudio() {
  await buildClient();
  const database = await openTestDatabase();
  const data = await Deno.makeTempDir({ prefix: "seedloop_first_run_" });
  const args = ["--data", data, "--port", "0", "--database-url", database.url];
  const studio = await startStudio(readConfig(args, () => undefined), silentLog);
  return {
    studio,
    [Symbol.asyncDispose]: async () => {
      await studio.stop();
      await database[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(NAME);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
}

Deno.test("the first run: the printed link makes the admin, who lands in the studio and comes back", async () => {
  await using world = await openStudio();
  const { url, firstAdminUrl = "" } = world.studio;
  await using opened = await openBrowser();
  const { page, said } = await opened.newPage();

  await page.goto(firstAdminUrl);
  await page.getByRole("heading", { name: "Welcome to Seedloop" }).waitFor();
  assertEquals(await findBarriers(page), []);

  // By keyboard only; a password that is too short is told at its field.
  await page.locator("input:focus").waitFor();
  await page.keyboard.type(NAME);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Ada Lovelace");
  await page.keyboard.press("Tab");
  await page.keyboard.type("short");
  await page.keyboard.press("Enter");
  await page.getByText("This must have at least 10 characters.").waitFor();
  assertEquals(await page.getByLabel("Password").getAttribute("aria-invalid"), "true");
  assertEquals(await findBarriers(page), []);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(PHRASE);
  await page.keyboard.press("Enter");

  await page.locator("st-dock st-panel-host").first().waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  assertEquals(new URL(page.url()).hash, "");
  await page.getByRole("button", { name: "Ada Lovelace, admin" }).waitFor();
  // The keyboard is where the next step is.
  await page.locator("st-action[command='first_run.sample'] button:focus").waitFor();
  assertEquals(await findBarriers(page), []);

  await page.goto(`${url}/status`);
  await page.getByRole("heading", { name: "Workers" }).waitFor();
  assertEquals(await findBarriers(page), []);

  await page.getByRole("button", { name: "Ada Lovelace, admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assertEquals(await findBarriers(page), []);
  assertEquals(said.filter((line) => !REFUSED.test(line)), []);

  await signIn(page, "not the phrase");
  await page.getByText("Name and password do not match an account: check both and try again.").waitFor();
  await signIn(page, PHRASE);
  await page.getByRole("heading", { name: "Workers" }).waitFor();

  // The link has worked once.
  const { page: second } = await opened.newPage();
  await second.goto(firstAdminUrl);
  await second.getByLabel("Name to sign in with").fill("eve");
  await second.getByLabel("Password").fill(PHRASE);
  await second.keyboard.press("Enter");
  await second.getByRole("alert").filter({ hasText: /link/i }).waitFor();
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assertEquals(said.filter((line) => !REFUSED.test(line)), []);
});
