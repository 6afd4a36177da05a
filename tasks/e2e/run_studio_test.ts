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
  const data = await Deno.makeTempDir({ prefix: "seedloop_run_" });
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

/** Runs a command as one without a mouse does. */
async function choose(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  const box = page.locator("st-palette").getByRole("combobox");
  await box.fill(text);
  await page.locator("st-palette").getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await box.waitFor({ state: "hidden" });
}

/** Asks the studio as the page does, and returns its answer. */
async function ask(page: Page, method: string, path: string, body?: unknown): Promise<unknown> {
  return await page.evaluate(async ({ method, path, body }) => {
    const init = body === undefined ? {} : {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const response = await fetch(`/api${path}`, { method, ...init });
    return await response.json().catch(() => undefined);
  }, { method, path, body });
}

Deno.test("who runs a studio: first run, queue, workers, people, tokens, and a studio that falls silent", async (test) => {
  await using world = await openStudio();
  await using opened = await openBrowser();
  const { page, said } = await opened.newPage({ viewport: { width: 1440, height: 900 }, locale: "en" });
  await page.goto(world.studio.firstAdminUrl ?? "");
  await page.getByLabel("Name to sign in with").fill("ada");
  await page.getByLabel("Password").fill(PHRASE);
  await page.keyboard.press("Enter");
  await page.locator("st-dock st-panel-host").first().waitFor();

  await test.step("one press makes the sample, which is watched until its cut plays", async () => {
    await page.goto(`${world.studio.url}/first-run`);
    await page.getByText("Files are kept here, and can be written.").waitFor();
    await page.getByText("Only the CPU engine is here.", { exact: false }).waitFor({ timeout: 60_000 });
    assertEquals(await findBarriers(page), []);
    await choose(page, "make the sample project");
    await page.getByAltText("The portrait").or(page.locator(".stage img")).first().waitFor();
    // A reload in the middle loses nothing: the next step is asked for by whoever looks.
    await page.reload();
    await page.getByRole("heading", { name: "The sample is ready to be reviewed" }).waitFor({
      timeout: 240_000,
    });
    const frame = await page.locator("video").evaluate((video: HTMLVideoElement) =>
      new Promise<number>((resolve) => {
        const look = () => video.readyState >= 2 && resolve(video.videoWidth);
        video.addEventListener("loadeddata", look);
        look();
      })
    );
    assertEquals(frame, 768, "the cut's first frame is there");
    assertEquals(await findBarriers(page), []);
  });

  await test.step("jobs are held, moved, cancelled and taken back by keys", async () => {
    await ask(page, "POST", "/queue/pause", { lane: "gpu" });
    const sample = await ask(page, "GET", "/first-run/sample") as {
      characterId: string;
      portrait: { seedId: string };
    };
    const body = { portraitSeedId: sample.portrait.seedId, count: 3, baseRandomSeed: 5 };
    await ask(page, "POST", `/characters/${sample.characterId}/variations`, body);
    await choose(page, "go to queue");
    const rows = page.locator("st-queue-panel [role=row][data-index]");
    await page.getByText(/^The .+ lane is paused/).first().waitFor();
    await until("three rows", async () => await rows.count() === 3);
    const order = async () => {
      const { items } = await ask(page, "GET", "/queue/jobs?status=queued,held") as {
        items: { id: string; status: string }[];
      };
      return items.map(({ id, status }) => `${id} ${status}`);
    };
    const before = await order();
    await page.getByRole("grid", { name: "Queue" }).focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Alt+ArrowUp");
    await until("the last is the second", async () => (await order())[1] === before[2]);
    await page.keyboard.press("h");
    await page.getByText("Held: release it to let it wait its turn").first().waitFor();
    assertEquals((await order()).filter((line) => line.endsWith("held")).length, 1);
    await page.keyboard.press("Delete");
    await page.getByText("Cancelled 1 job").waitFor();
    await page.getByRole("button", { name: "Undo" }).last().click();
    assertEquals(await findBarriers(page), []);
    // What happened shows in the tray as well, opened by its key.
    await page.keyboard.press("Control+j");
    await page.locator("st-job-tray").getByText("0 running, 3 waiting").waitFor();
    await page.keyboard.press("Escape");
  });

  await test.step("groups and filters by keys, and the way back from a filter that finds nothing", async () => {
    await page.getByRole("grid", { name: "Queue" }).focus();
    await page.keyboard.press("g");
    await page.locator("st-queue-panel").getByText("3 jobs").first().waitFor();
    await page.keyboard.press("/");
    await page.locator("input:focus").waitFor();
    await page.keyboard.type("nothing is called that");
    await page.getByText("No job is like that").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("grid", { name: "Queue" }).waitFor();
  });

  await test.step("a server is tested before it is added, and what is wrong is said", async () => {
    await choose(page, "add a worker");
    await page.getByLabel("Address").fill("http://127.0.0.1:9");
    await page.keyboard.press("Enter");
    await page.getByText("It can’t be used yet").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("Box");
    await page.keyboard.press("Enter");
    await page.getByText("Added Box").waitFor();
    await choose(page, "remove");
    await page.getByText("The studio forgets its address").waitFor();
    await page.getByRole("button", { name: "Remove Box" }).click();
    await page.getByText("Removed Box").waitFor();
    assertEquals(await findBarriers(page), []);
  });

  await test.step("an invitation's link and a token's secret are shown once", async () => {
    await choose(page, "invite someone");
    await page.getByLabel("Signs in as").fill("sam");
    await page.keyboard.press("Enter");
    await page.getByText("The link for sam").waitFor();
    assertMatch(await page.locator(".once code").first().innerText(), /^http.*#sll_/);
    assertEquals(await findBarriers(page), []);
    await choose(page, "make a token");
    await page.getByLabel("What it is for").fill("farm");
    await page.keyboard.press("Enter");
    assertMatch(await page.locator("st-tokens-panel .once code").innerText(), /^slt_/);
    await page.reload();
    await page.getByText("never used").waitFor();
    assertEquals(
      await page.getByText("slt_", { exact: false }).count() <= 1,
      true,
      "the prefix alone is left",
    );
    assertEquals(await findBarriers(page), []);
  });

  await test.step("a studio that falls silent leaves what was known, marked as old", async () => {
    await choose(page, "go to queue");
    await page.getByText(/^The .+ lane is paused/).first().waitFor();
    assertEquals(said.filter((line) => !SILENT.test(line)), []);
    await world.stop();
    await page.locator("st-queue-panel").getByText("Not up to date: the studio does not answer").waitFor();
    await page.locator("st-queue-panel [role=row][data-index]").nth(2).waitFor();
  });
});
