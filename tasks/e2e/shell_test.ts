import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { readConfig } from "#server/config.ts";
import { silentLog } from "#server/core/log.ts";
import { startStudio } from "#server/main.ts";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { buildClient } from "#tasks/build_client.ts";
import { until } from "#server/testing/until.ts";

const PHRASE = "a phrase that is long enough";
/** The browser notes each request that nobody answers: the studio is stopped on purpose. */
const SILENT = /^(Failed to load resource|WebSocket connection)/;

async function openStudio() {
  await buildClient();
  const database = await openTestDatabase();
  const data = await Deno.makeTempDir({ prefix: "seedloop_shell_" });
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

async function makeAdmin(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel("Name to sign in with").fill("ada");
  await page.getByLabel("Password").fill(PHRASE);
  await page.keyboard.press("Enter");
  await page.locator("st-dock st-panel-host").first().waitFor();
}

async function choose(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  const box = page.locator("st-palette").getByRole("combobox");
  await box.fill(text);
  await page.locator("st-palette").getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await box.waitFor({ state: "hidden" });
}

/** What the studio finds late joins the list and moves nothing under the hand. */
async function keepsChosen(page: Page): Promise<void> {
  const isAsked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  await page.route("**/api/search**", async (route) => {
    isAsked.resolve();
    await mayAnswer.promise;
    await route.continue();
  });
  const options = page.locator("st-palette").getByRole("option");
  const chosen = page.locator("st-palette").getByRole("option", { selected: true });
  await page.keyboard.press("Control+k");
  await page.locator("st-palette").getByRole("combobox").fill("au");
  await options.nth(1).waitFor();
  await page.keyboard.press("ArrowDown");
  const wanted = await chosen.innerText();
  await isAsked.promise;
  const found = page.waitForResponse(/\/api\/search/);
  mayAnswer.resolve();
  await (await found).finished();
  await options.filter({ hasText: "Aurora" }).first().waitFor();
  assertEquals(await chosen.innerText(), wanted);
  await page.keyboard.press("Escape");
  await page.unroute("**/api/search**");
}

/** Ctrl+Z before the studio has answered means what was asked last, not what was done before it. */
async function takesBackAtOnce(page: Page, isPaused: () => Promise<boolean>): Promise<void> {
  const isAsked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  await page.route("**/api/queue/pause", async (route) => {
    isAsked.resolve();
    await mayAnswer.promise;
    await route.continue();
  });
  const resumed = page.waitForResponse(/\/api\/queue\/resume/);
  await choose(page, "pause the script lane");
  await isAsked.promise;
  await page.keyboard.press("Control+z");
  mayAnswer.resolve();
  await resumed;
  await until("the lane goes on as if nothing was", async () => !await isPaused());
  await page.unroute("**/api/queue/pause");
}

Deno.test("the shell: palette, keys, focus mode, a second window, links, trash, and a studio that falls silent", async (test) => {
  await using world = await openStudio();
  await using opened = await openBrowser();
  const { page, said } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
  await makeAdmin(page, world.studio.firstAdminUrl ?? "");
  await choose(page, "go to status");
  await page.getByRole("heading", { name: "Workers" }).waitFor();
  assertMatch(page.url(), /\/status$/);

  await test.step("the palette finds by a few letters, runs, and gives the focus back", async () => {
    const account = page.getByRole("button", { name: "ada, admin" });
    await account.focus();
    await page.keyboard.press("Control+k");
    assertEquals(await findBarriers(page), []);
    await page.locator("st-palette").getByRole("combobox").fill("zzqqxx");
    await page.getByText("Nothing is called").waitFor();
    assertEquals(await findBarriers(page), []);
    await page.locator("st-palette").getByRole("combobox").fill("lite thme");
    await page.locator("st-palette").getByRole("option", { name: "Light theme" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("html[data-theme=light]").waitFor();
    await until("the focus is back", () => account.evaluate((one) => one.matches(":focus")));
    // What was chosen last comes first.
    await page.keyboard.press("Control+k");
    await page.locator("st-palette").getByRole("option").first().filter({ hasText: "Dark theme" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("html[data-theme=dark]").waitFor();
    // Before anything is typed there are things of the studio, too, where only they are asked for.
    await page.keyboard.press("Control+k");
    await page.locator("st-palette").getByRole("combobox").fill("@");
    await page.locator("st-palette").getByRole("option", { name: /User/ }).first().waitFor();
    await page.keyboard.press("Escape");
    // What is on is called by how it ends, and found by how it began.
    for (const named of ["Fill the window with this area", "Show the other areas again"]) {
      await page.keyboard.press("Control+k");
      await page.locator("st-palette").getByRole("combobox").fill("fill the window");
      await page.locator("st-palette").getByRole("option", { name: named }).waitFor();
      await page.keyboard.press("Enter");
    }
    // What nothing takes back says so before it is done.
    await page.keyboard.press("Control+k");
    await page.locator("st-palette").getByRole("combobox").fill("sign out everywhere");
    await page.locator("st-palette").getByRole("option", { name: /This can't be undone/ }).first().waitFor();
    await page.keyboard.press("Escape");
  });

  await test.step("a key is bound anew, and one that is taken is refused with what it means", async () => {
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    assertEquals(await findBarriers(page), []);
    await page.getByRole("button", { name: /^Change the keys of Light theme/ }).click();
    await page.keyboard.press("Control+k");
    await page.getByText(/Ctrl\+K already means “Search or do something”/).waitFor();
    await page.keyboard.press("t");
    await page.getByRole("button", { name: "Change the keys of Light theme: T" }).waitFor();
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.keyboard.press("t");
    await page.locator("html[data-theme=light]").waitFor();
    // Not while one types.
    await page.keyboard.press("Control+k");
    await page.locator("input:focus").waitFor();
    await page.keyboard.type("ttt");
    await page.keyboard.press("Escape");
    assertEquals(await page.locator("html").getAttribute("data-theme"), "light");
    await choose(page, "single letters");
    await page.keyboard.press("t");
    assertEquals(await page.locator("html").getAttribute("data-theme"), "light");
    await choose(page, "single letters");
    await choose(page, "dark theme");
  });

  await test.step("focus mode hides the bars, and Esc brings them back", async () => {
    await page.keyboard.press("Control+.");
    await page.locator("st-top-bar").waitFor({ state: "detached" });
    await page.getByRole("heading", { name: "Workers" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("st-top-bar").waitFor();
  });

  await test.step("the keyboard goes through header, panel and areas", async () => {
    await choose(page, "split to the right");
    await page.keyboard.press("F6");
    await page.waitForFunction(() => {
      let focused = document.activeElement;
      while (focused?.shadowRoot?.activeElement) {
        if (focused.localName === "st-panel-host") return true;
        focused = focused.shadowRoot.activeElement;
      }
      return focused?.localName === "st-panel-host";
    });
    await choose(page, "reset this layout to the preset");
    await page.getByText("The layout is as it was made").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await until("two areas", async () => await page.getByRole("tab").count() === 2);
    await choose(page, "reset this layout to the preset");
    await until("one area", async () => await page.getByRole("tab").count() === 1);
    assertEquals(await findBarriers(page), []);
  });

  await test.step("a panel opens in its own window, follows the place, and comes back with the window's end", async () => {
    const opens = page.context().waitForEvent("page");
    await choose(page, "open the panel in its own window");
    const second = await opens;
    await second.getByRole("heading", { name: "Workers" }).waitFor();
    assertEquals(await second.locator("st-top-bar").count(), 0);
    await page.getByRole("heading", { name: "Workers" }).waitFor({ state: "detached" });
    await page.evaluate(() => history.pushState(null, "", "/projects"));
    await page.evaluate(() => dispatchEvent(new PopStateEvent("popstate")));
    await second.waitForURL(/\/projects\?/);
    // Loaded anew it is still the window of this panel, and the panel shows there alone.
    await second.reload();
    await second.locator("st-dock st-panel-host").first().waitFor();
    await choose(page, "go to status");
    await page.getByRole("heading", { name: "Workers" }).waitFor({ state: "detached" });
    await second.close({ runBeforeUnload: true });
    await choose(page, "go to status");
    await page.getByRole("heading", { name: "Workers" }).waitFor();
  });

  await test.step("a link for another account asks first, and one that is spent says so", async () => {
    await page.goto(`${world.studio.url}/reset#sll_${"x".repeat(40)}`);
    await page.getByRole("heading", { name: "New password" }).waitFor();
    await page.getByText("You are signed in as ada.").waitFor();
    assertEquals(await findBarriers(page), []);
    await page.getByRole("textbox", { name: "New password" }).fill(PHRASE);
    await page.keyboard.press("Enter");
    await page.getByText(/ask for a new one/).waitFor();
    said.splice(0);
    await page.getByRole("link", { name: "Stay as you are" }).click();
    await page.locator("st-dock st-panel-host").first().waitFor();
    assertEquals(said, []);
  });

  await test.step("an address that is no place says so, and Back leaves what floats over a place with it", async () => {
    for (const address of ["/nowhere", "/status/of/what"]) {
      await page.goto(`${world.studio.url}${address}`);
      await page.getByRole("heading", { name: "Nothing is at this address" }).waitFor();
      assertEquals([new URL(page.url()).pathname, await page.locator("st-dock").count()], [address, 0]);
    }
    await page.getByText("/status/of/what is no place of this studio").waitFor();
    assertEquals(await findBarriers(page), []);
    await page.getByRole("button", { name: "Go to Projects" }).click();
    await page.locator("st-dock st-panel-host").first().waitFor();
    await choose(page, "go to status");
    await page.getByRole("heading", { name: "Workers" }).waitFor();
    await page.keyboard.press("?");
    const keys = page.getByRole("dialog", { name: "Keys" });
    await keys.waitFor();
    await page.goBack();
    await keys.waitFor({ state: "hidden" });
    await until("the place before", () => new URL(page.url()).pathname === "/projects");
    await page.goForward();
    await page.getByRole("heading", { name: "Workers" }).waitFor();
    assertEquals(await keys.count(), 0);
  });

  await test.step("a workspace is as it was left, whatever was done in another one", async () => {
    const areas = () => page.locator("st-dock st-area").count();
    await choose(page, "go to queue");
    const before = [page.url(), await areas()];
    await choose(page, "new workspace");
    const form = page.locator("st-workspace-form");
    await form.getByRole("textbox", { name: "Name" }).fill("Bee");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /Bee/ }).first().waitFor();
    // Nothing is asked for over a dialog.
    await form.getByRole("textbox", { name: "Name" }).waitFor({ state: "hidden" });
    await choose(page, "light theme");
    await choose(page, "split to the right");
    await choose(page, "go to status");
    await choose(page, "open the workspace main");
    await page.locator("html[data-theme=dark]").waitFor();
    await page.waitForURL(String(before[0]));
    await until("the areas are those of before", async () => await areas() === before[1]);
    await choose(page, "open the workspace bee");
    await page.locator("html[data-theme=light]").waitFor();
    await page.waitForURL(/\/status$/);
    await choose(page, "open the workspace main");
    await page.locator("html[data-theme=dark]").waitFor();
  });

  await test.step("a project in the trash is listed there and comes back", async () => {
    await page.evaluate(() =>
      fetch("/api/projects", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "Aurora", rate: { num: 24, den: 1 }, widthPx: 1280, heightPx: 720 }),
      })
    );
    await choose(page, "go to projects");
    const tile = page.getByRole("gridcell", { name: /Aurora/ });
    await tile.waitFor();
    await keepsChosen(page);
    await tile.click();
    await page.keyboard.press("Delete");
    await page.getByText("Aurora is in the trash").waitFor();
    await tile.waitFor({ state: "detached" });
    const trash = page.locator("st-projects-panel").getByRole("button", { name: "Trash", exact: true });
    await trash.click();
    await tile.click();
    assertEquals(await findBarriers(page), []);
    await choose(page, "restore project");
    await page.getByText("The trash is empty").waitFor();
    await trash.click();
    await tile.waitFor();
  });

  await test.step("the history has what the studio was told, and Ctrl+Z takes it back there", async () => {
    // deno-lint-ignore no-explicit-any -- a test asserts what it reads
    const ask = (path: string): Promise<any> =>
      page.evaluate(async (path) => await (await fetch(`/api${path}`)).json(), path);
    const isPaused = async () =>
      (await ask("/queue")).lanes.some(({ lane, isPaused }: { lane: string; isPaused: boolean }) =>
        lane === "script" && isPaused
      );
    await choose(page, "pause the script lane");
    await page.getByText("The script lane is paused").waitFor();
    // Under the pointer it stays.
    const toast = page.locator("st-toasts .toast", { hasText: "The script lane is paused" });
    await toast.hover();
    await until("the lane is paused", isPaused);
    await page.keyboard.press("Control+z");
    await until("the lane goes on", async () => !await isPaused());
    // It offers nothing that was done already.
    await toast.getByText("Taken back").waitFor();
    assertEquals(await toast.getByRole("button", { name: "Undo" }).count(), 0);
    await page.mouse.move(1, 1);
    await page.keyboard.press("Control+Shift+z");
    await until("the lane is paused again", isPaused);
    await page.keyboard.press("Control+z");
    await until("the lane goes on again", async () => !await isPaused());
    await takesBackAtOnce(page, isPaused);
    // How the studio looks for oneself is a change, too.
    await choose(page, "light theme");
    await page.locator("html[data-theme=light]").waitFor();
    await page.keyboard.press("Control+z");
    await page.locator("html[data-theme=dark]").waitFor();
    // What one has just made is the last thing that one did.
    const names = async () => (await ask("/projects")).items.map(({ name }: { name: string }) => name);
    await choose(page, "new project");
    const form = page.locator("st-project-form");
    await form.locator("input:focus").waitFor();
    for (const text of ["", "   "]) {
      await form.getByLabel("Name").fill(text);
      await page.keyboard.press("Enter");
      await form.getByRole("alert").filter({ hasText: "This is needed: fill it in" }).waitFor();
      await until("it has the keyboard", async () => await form.locator("input:focus").count() === 1);
    }
    await form.getByRole("textbox", { name: "Name", description: /This is needed/ }).waitFor();
    assertEquals(await findBarriers(page), []);
    await form.getByLabel("Name").fill("Borealis");
    await form.getByText("This is needed").waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await page.getByText("No character yet").first().waitFor();
    await choose(page, "undo: borealis was made");
    await until("it is in the trash", async () => !(await names()).includes("Borealis"));
    await page.keyboard.press("Control+Shift+z");
    await until("it is back", async () => (await names()).includes("Borealis"));
  });

  await test.step("a studio that refuses is told apart from one that does not answer", async () => {
    const detail = "The queue can't be read: its table is locked";
    await page.route("**/api/queue", (route) =>
      route.fulfill({
        status: 503,
        headers: { "content-type": "application/problem+json", "x-request-id": "r-17" },
        body: JSON.stringify({ code: "unavailable", detail }),
      }));
    await page.route("**/api/search**", (route) => route.abort());
    await page.reload();
    await page.locator("st-dock st-panel-host").first().waitFor();
    // What needs no names of the studio is found without them.
    await page.keyboard.press("Control+k");
    const found = page.locator("st-palette").getByRole("option");
    await found.first().waitFor();
    await page.locator("st-palette").getByRole("combobox").fill("/high");
    await page.locator("st-palette").getByRole("group", { name: "Settings" }).waitFor();
    await found.filter({ hasText: "High contrast, dark" }).waitFor();
    assertEquals(await found.filter({ hasText: "Commands" }).count(), 0);
    await page.keyboard.press("Escape");
    await page.unroute("**/api/search**");
    const banner = page.getByRole("status").filter({ hasText: "The studio answers, but refuses" });
    await banner.getByText(detail).waitFor();
    await banner.getByText("r-17").waitFor();
    // The page asks again by itself.
    await page.unroute("**/api/queue");
    await banner.waitFor({ state: "detached" });
    await choose(page, "go to status");
    await page.getByRole("heading", { name: "Workers" }).waitFor();
    said.splice(0);
  });

  await test.step("when the studio falls silent a banner says what still works", async () => {
    // What comes after the first panel has come: palette and commands.
    await page.waitForLoadState("networkidle");
    await world.stop();
    await page.getByText("The studio does not answer").first().waitFor();
    await page.getByText(/layout, selection and drafts are kept/).waitFor();
    await page.keyboard.press("Control+k");
    await page.locator("st-palette").getByRole("option").first().waitFor();
    await page.keyboard.press("Escape");
    assertEquals(said.filter((line) => !SILENT.test(line)), []);
  });
});
