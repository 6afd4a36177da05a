import { assertEquals, assertMatch } from "@std/assert/mod.js";
import type { Id } from "#server/core/id.ts";
import { delay } from "#server/core/time.ts";
import { listSeeds } from "#server/seeds/contract.ts";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page, STEP_TIMEOUT_MS } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import {
  givenCharacter,
  givenMember,
  givenProject,
  givenWorkflowVersion,
  tinyPng,
} from "#server/testing/fixtures.ts";
import { Workshop } from "#server/testing/workshop.ts";

/** As a file manager or a clipboard would hand it over, to the first element of this name in the page. */
async function hand(page: Page, how: "drop" | "paste", to: string, name: string, png: Uint8Array) {
  await handAll(page, how, to, [{ name, type: "image/png", bytes: png }]);
}

interface Handed {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Several at once. Whether the page took them: else the browser leaves the studio to show one. */
async function handAll(page: Page, how: "drop" | "paste", to: string, files: readonly Handed[]) {
  return await page.locator(to).first().evaluate((target, { how, files }) => {
    const data = new DataTransfer();
    for (const { name, type, bytes } of files) {
      data.items.add(new File([new Uint8Array(bytes)], name, { type }));
    }
    const facts = { bubbles: true, composed: true, cancelable: true };
    return !target.dispatchEvent(
      how === "drop"
        ? new DragEvent("drop", { ...facts, dataTransfer: data })
        : new ClipboardEvent("paste", { ...facts, clipboardData: data }),
    );
  }, { how, files: files.map(({ bytes, ...file }) => ({ ...file, bytes: [...bytes] })) });
}

Deno.test("a pair comes about in every way: dropped, pasted, A from B, both by hand, and after a killed tab", async (test) => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const { studio } = world;
  const ada = await world.person({ login: "ada" });
  const api = await studio.asUser(ada);
  const project = await givenProject(studio);
  await givenMember(studio, project, ada, "creator");
  await givenWorkflowVersion(studio, { role: "portrait_from_foundation" });
  const workshop = new Workshop(studio);
  const context = await opened.browser.newContext({ viewport: { width: 1280, height: 720 }, locale: "en" });
  context.setDefaultTimeout(STEP_TIMEOUT_MS);
  let page = await context.newPage();
  await page.goto(world.url);
  await signInAs(page, ada);

  const open = async () => {
    const character = await givenCharacter(studio, { projectId: project.id });
    await page.goto(`${world.url}/projects/${project.id}/characters/${character.id}`);
    await page.locator("st-seed-slot[kind=portrait]").waitFor();
    await page.waitForLoadState("networkidle");
    return character.id;
  };
  /** The kinds of a character's seeds, and whether each was made from another; once there are so many. */
  const seedsOf = async (id: string, count: number): Promise<[string, boolean][]> => {
    for (const end = Date.now() + STEP_TIMEOUT_MS;; await delay(50)) {
      const params = { characterId: id as Id<"character"> };
      const { items } = await api.call(listSeeds, { params, query: {} as never });
      const found = items.map(({ kind, derivedFromSeedId }): [string, boolean] => [
        kind,
        derivedFromSeedId !== null,
      ]).sort();
      if (found.length >= count || Date.now() > end) return found;
    }
  };
  const slot = (kind: string) => page.locator(`st-seed-slot[kind=${kind}]`);
  const ready = async (kind: string) => {
    await workshop.work();
    await slot(kind).getByText("ready", { exact: true }).waitFor();
  };

  await test.step("a foundation is dropped on its place, and A is made from it", async () => {
    const id = await open();
    await hand(page, "drop", "st-seed-slot[kind=foundation] st-drop-zone", "b.png", tinyPng(201));
    assertEquals(await seedsOf(id, 1), [["foundation", false]]);
    await ready("foundation");
    await slot("foundation").locator(".kind").click();
    await page.keyboard.press("Shift+ArrowLeft");
    await page.getByRole("button", { name: /^B → A/, pressed: true }).waitFor();
    await page.keyboard.press("Shift+G");
    assertEquals(await seedsOf(id, 2), [["foundation", false], ["portrait", true]]);
    await ready("portrait");
  });

  await test.step("a picture is pasted with the focus nowhere: a portrait first, then B; both by hand", async () => {
    const id = await open();
    await slot("foundation").locator(".kind").click();
    await page.keyboard.press("Shift+ArrowUp");
    await page.getByRole("button", { name: /^A and B by hand/, pressed: true }).waitFor();
    await hand(page, "paste", "body", "", tinyPng(202));
    assertEquals(await seedsOf(id, 1), [["portrait", false]]);
    await ready("portrait");
    await hand(page, "paste", "body", "", tinyPng(203));
    assertEquals(await seedsOf(id, 2), [["foundation", false], ["portrait", false]]);
    await ready("foundation");
  });

  await test.step("several are dropped where no place is for them: one says what they are, and stays there", async () => {
    const id = await open();
    await page.goto(`${world.url}/projects/${project.id}/queue`);
    await page.locator("st-queue-panel").waitFor();
    const picture = (name: string, seed: number) => ({ name, type: "image/png", bytes: tinyPng(seed) });
    const text = { name: "notes.txt", type: "text/plain", bytes: new Uint8Array([104, 105]) };
    const given = [picture("one.png", 205), text, picture("two.png", 206)];
    assertEquals(await handAll(page, "drop", "st-queue-panel", given), true);
    await page.getByText("notes.txt is no picture").waitFor();
    await page.getByRole("dialog", { name: "What are these 2 pictures?" }).waitFor();
    assertEquals(await findBarriers(page), []);
    await page.getByRole("button", { name: /^2 foundations of/ }).click();
    assertEquals(await seedsOf(id, 2), [["foundation", false], ["foundation", false]]);
    assertMatch(page.url(), /\/queue$/);
    await workshop.work();
  });

  await test.step("what was on its way when the tab was killed lands in the slot it was dropped on", async () => {
    const id = await open();
    await page.route("**/api/uploads/*", (route) => route.abort("connectionreset"));
    await hand(page, "drop", "st-seed-slot[kind=foundation] st-drop-zone", "cut_off.png", tinyPng(204));
    await slot("foundation").getByText("The studio is out of reach: it goes on by itself").waitFor();
    const address = page.url();
    const session = await context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    // A page that is gone answers nothing.
    session.send("Page.crash").catch(() => {});
    await crashed;
    await page.close();
    page = await context.newPage();
    await page.goto(address);
    await slot("foundation").waitFor();
    assertEquals(await seedsOf(id, 1), [["foundation", false]]);
    await ready("foundation");
    assertEquals(await slot("portrait").locator("st-seed-picture").count(), 0);
  });
});
