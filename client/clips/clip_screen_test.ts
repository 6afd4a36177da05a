import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { readConfig } from "#server/config.ts";
import { silentLog } from "#server/core/log.ts";
import { startStudio } from "#server/main.ts";
import { encodeBase64 } from "@std/encoding/base64.js";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { until } from "#server/testing/until.ts";
import { buildClient } from "#tasks/build_client.ts";
import { defaultPortrait } from "#tasks/demo/portrait.ts";

const PHRASE = "a phrase that is long enough";
const LONG_NAME = "A clip whose name somebody typed without a thought for any column, outline or bar at all";
/** A take and a cut on two busy cores. */
const RENDER_MS = 120_000;
/** The browser notes each request that nobody answers: the studio is stopped on purpose. */
const SILENT = /^(Failed to load resource|WebSocket connection)/;

async function openStudio() {
  await buildClient();
  const database = await openTestDatabase();
  const data = await Deno.makeTempDir({ prefix: "seedloop_clip_" });
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

/** Asks the studio as the page's own user. */
// deno-lint-ignore no-explicit-any -- a test asserts what it reads
async function ask(page: Page, method: string, path: string, body?: unknown): Promise<any> {
  return await page.evaluate(async ([method, path, body]) => {
    const response = await fetch(`/api${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body }),
    });
    return await response.json();
  }, [method, path, body === undefined ? undefined : JSON.stringify(body)] as const);
}

/** Waits until the studio says that a thing has this status. */
async function settle(page: Page, path: string, status: string): Promise<void> {
  await page.evaluate(async ([path, status]) => {
    for (let tries = 0; tries < 600; tries++) {
      const { status: now } = await (await fetch(`/api${path}`)).json();
      if (now === status) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`${path} never became ${status}`);
  }, [path, status] as const);
}

/** A project with a character whose hero is approved, and a scene. */
async function givenScene(page: Page): Promise<string> {
  const project = await ask(page, "POST", "/projects", { name: "Aurora", widthPx: 192, heightPx: 256 });
  const character = await ask(page, "POST", `/projects/${project.id}/characters`, { name: "Jane" });
  const bytes = [...await defaultPortrait()];
  const asset = await page.evaluate(async ([path, bytes]) => {
    const body = new Uint8Array(bytes);
    return await (await fetch(path, { method: "POST", body, headers: { "content-type": "image/png" } }))
      .json();
  }, [`/api/projects/${project.id}/assets?name=jane.png`, bytes] as const);
  const seed = await ask(page, "POST", `/characters/${character.id}/seeds`, {
    kind: "foundation",
    assetId: asset.id,
  });
  await settle(page, `/seeds/${seed.id}`, "candidate");
  const hero = await ask(page, "POST", `/seeds/${seed.id}/hero`, { approve: true });
  assertEquals([hero.status, typeof hero.approvedAt], ["hero", "string"], hero.detail);
  await ask(page, "POST", `/projects/${project.id}/scenes`, { name: "Scene 010" });
  return project.id;
}

/**
 * Moves the pointer along a still that has a sprite: near its ends other pixels show than at rest, other ones at each end,
 * and after it has left, those at rest.
 */
async function assertScrubs(page: Page, still: ReturnType<Page["locator"]>): Promise<void> {
  await page.mouse.move(1, 1);
  await until("the still", () => still.locator("img").evaluate((img) => (img as HTMLImageElement).complete));
  const { x = 0, y = 0, width = 0, height = 0 } = await still.boundingBox() ?? {};
  // Without the foot, where a line says how far along the pointer is.
  const clip = { x, y, width, height: 0.7 * height };
  const pixels = async () => encodeBase64(await page.screenshot({ clip }));
  const atRest = await pixels();
  const seen = [atRest];
  for (const share of [0.1, 0.9]) {
    await page.mouse.move(x + share * width, y + height / 2);
    seen.push(
      await until(`another picture at ${share}`, async () => {
        const now = await pixels();
        return !seen.includes(now) && now;
      }),
    );
  }
  await page.mouse.move(1, 1);
  await until("the still again", async () => await pixels() === atRest);
}

async function overflowOf(page: Page): Promise<number> {
  return await page.evaluate(() =>
    document.documentElement.scrollWidth - document.documentElement.clientWidth
  );
}

Deno.test("a clip: made in the outline, planned, generated, stepped through, made final and taken back", async (test) => {
  // Each step goes on where the one before it ended.
  const step = async (name: string, body: () => Promise<void>) => {
    assert(await test.step(name, body), "A step failed: those after it say nothing");
  };
  await using world = await openStudio();
  await using opened = await openBrowser();
  const { page, said } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
  await page.goto(world.studio.firstAdminUrl ?? "");
  await page.getByLabel("Name to sign in with").fill("ada");
  await page.getByLabel("Password").fill(PHRASE);
  await page.keyboard.press("Enter");
  await page.locator("st-dock st-panel-host").first().waitFor();
  const projectId = await givenScene(page);
  const { origin } = new URL(page.url());
  await page.goto(`${origin}/projects/${projectId}/scenes`);
  const frame = page.getByLabel("Frame: a number");

  await step(
    "a scene without clips says what comes next, and a clip is made by its length in seconds",
    async () => {
      await page.getByRole("treeitem", { name: "Scene 010" }).waitFor();
      assertEquals(await findBarriers(page), []);
      await page.locator("st-outline-panel").getByRole("button", { name: "New clip" }).click();
      const form = page.locator("st-scene-form");
      await form.getByLabel("Length").fill("1");
      await form.getByText("24 frames at the project's rate").waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("treeitem", { name: "Clip 010" }).waitFor();
      assertMatch(page.url(), /\/clips\/[0-9a-f-]+$/);
    },
  );

  await step("the plan is seen before anything runs, then it runs, with live pictures", async () => {
    const plan = page.getByRole("button", { name: /^Plan 24 frames · 1 segment/ });
    await plan.waitFor();
    await page.getByText(/\d+ frames to generate at 24 fps/).waitFor();
    await page.getByText(/^generates \d+$/).waitFor();
    assertEquals(await findBarriers(page), []);
    await plan.press("Enter");
    await page.getByRole("button", { name: /^Generate/ }).press("Enter");
    await page.getByRole("button", { name: "Pause" }).first().waitFor();
    await page.getByText("CPU preview", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Finalize cut 1" }).waitFor({ timeout: RENDER_MS });
    assertEquals(await findBarriers(page), []);
  });

  await step("keys step to the frame, play, and put it on either end", async () => {
    const at = async (wanted: string) =>
      await page.waitForFunction(
        ([field, wanted]) => (field as HTMLInputElement).value === wanted,
        [await frame.elementHandle(), wanted] as const,
      );
    await page.locator("st-player").click();
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press("ArrowRight");
    await at("3");
    await page.keyboard.press("ArrowLeft");
    await at("2");
    await page.keyboard.press("End");
    await at("23");
    await frame.fill("0:07");
    await page.keyboard.press("Enter");
    await at("7");
    await page.locator("st-player").click();
    await page.keyboard.press("l");
    await page.waitForFunction(
      (field) => Number((field as HTMLInputElement).value) > 10,
      await frame.elementHandle(),
    );
    await page.keyboard.press("k");
  });

  await step("Enter makes it final, U takes that back, and the lane knows its seams and takes", async () => {
    const clip = `/clips/${page.url().split("/").at(-1)}`;
    await page.keyboard.press("Enter");
    await settle(page, clip, "final");
    await page.getByText("Cut 1 of Clip 010 is final").waitFor();
    await page.getByRole("button", { name: "Undo final" }).waitFor();
    await page.locator("st-player").click();
    await page.keyboard.press("u");
    await settle(page, clip, "in_review");
    await page.getByRole("option", { name: /^Segment 1, 24 frames, Take 1/ }).click();
    await page.getByText(/^chosen · /).waitFor();
    // What the curve shows, for who can't see it; of the cut, which has measures of its own.
    await page.getByRole("img", { name: /^Motion · cut 1: .* Lowest [\d.]+ at frame \d+/ }).waitFor();
    assertEquals(await findBarriers(page), []);
    // Nothing on the bar under the player is cut off, however narrow the panel.
    const [bar, button] = await Promise.all([
      page.locator("st-transport").boundingBox(),
      page.getByRole("button", { name: "Finalize cut 1" }).boundingBox(),
    ]);
    assert(bar && button && button.x + button.width <= bar.x + bar.width, JSON.stringify({ bar, button }));
    await ask(page, "PATCH", clip, { name: LONG_NAME });
    await page.getByRole("treeitem", { name: LONG_NAME }).waitFor();
    assertEquals(await overflowOf(page), 0);
  });

  await step("a take made again is taken back and done again by the history, with its cut", async () => {
    const clip = `/clips/${page.url().split("/").at(-1)}`;
    const chosen = (number: number, cut: number) =>
      until(`take ${number} in cut ${cut}`, async () => {
        const { status, segments: [segment], cuts } = await ask(page, "GET", clip);
        return status === "in_review" && cuts.at(-1).number === cut &&
          segment.takes.find(({ isChosen }: { isChosen: boolean }) => isChosen)?.number === number;
      }, { patienceMs: RENDER_MS });
    await page.locator("st-player").click();
    await page.keyboard.press("r");
    await chosen(2, 2);
    await page.getByRole("button", { name: "Finalize cut 2" }).waitFor();
    await page.keyboard.press("Control+z");
    await chosen(1, 3);
    await page.getByRole("button", { name: "Finalize cut 3" }).waitFor();
    await page.keyboard.press("Control+Shift+z");
    await chosen(2, 4);
    await page.getByRole("button", { name: "Finalize cut 4" }).waitFor();
  });

  await step(
    "a take and a clip of the scene show their course under the pointer, and are still without",
    async () => {
      const asked: string[] = [];
      page.on("request", (request) => request.url().endsWith("/sprite") && asked.push(request.url()));
      await assertScrubs(page, page.locator("st-segment-settings li .picture").first());
      assertEquals(asked.length, 1, "the sprite is asked for once, not for each movement");
      await page.getByRole("treeitem", { name: "Scene 010" }).click();
      const tile = page.locator("st-scene-sheet st-tile");
      await tile.waitFor();
      assertEquals(await findBarriers(page), []);
      await assertScrubs(page, tile.locator(".picture"));
      await page.getByRole("gridcell", { name: LONG_NAME }).dblclick();
      await page.locator("st-player").waitFor();
    },
  );

  await step("the palette finds the clip's settings by their names and leads to them", async () => {
    // In a drawer that is closed it is found all the same.
    const gates = page.locator("st-clip-settings-panel details", {
      has: page.locator("st-slider", { hasText: "Re-rolls by itself" }),
    });
    await gates.locator("summary").click();
    await until(
      "the drawer is closed",
      () => gates.evaluate((drawer) => !(drawer as HTMLDetailsElement).open),
    );
    await page.keyboard.press("Control+k");
    await page.locator("st-palette").getByRole("combobox").fill("rolls by itself");
    await page.locator("st-palette").getByRole("option", { name: /Re-rolls/ }).first().waitFor();
    await page.keyboard.press("Enter");
    await gates.getByLabel("Re-rolls by itself").first().waitFor();
    await until("it has the keyboard", async () => await gates.locator("input:focus").count() === 1);
  });

  await step("without the studio the clip stays, and says that it may be out of date", async () => {
    assertEquals(said.filter((line) => !SILENT.test(line)), []);
    await world.stop();
    await page.getByText(/The studio does not answer: what shows may be out of date/).first().waitFor();
    assert(await frame.isVisible());
  });
});
