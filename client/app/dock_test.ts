import { assert, assertEquals } from "@std/assert/mod.js";
import { openModulePages } from "#server/testing/module_page.ts";
import type { Page } from "#server/testing/browser.ts";
import { until } from "#server/testing/until.ts";
import type * as fixture from "./dock_fixture.ts";

declare const module: typeof fixture;

/** What happened to the video since the last question, and where its panel stands. */
async function watch(
  page: Page,
): Promise<{ pauses: number; isSame: boolean; connected: number; moved: number }> {
  return await page.evaluate(async () => {
    const video = document.querySelector("st-panel-host")?.shadowRoot?.querySelector("st-test-video");
    const element = video?.querySelector("video");
    // deno-lint-ignore no-explicit-any -- kept on the page between two questions
    const kept = globalThis as any;
    if (!kept.video && element) {
      kept.video = element;
      kept.pauses = 0;
      for (const type of ["pause", "emptied", "waiting"]) element.addEventListener(type, () => kept.pauses++);
    }
    const from = element?.currentTime ?? 0;
    await new Promise((resolve) =>
      element?.requestVideoFrameCallback(() => element.requestVideoFrameCallback(resolve))
    );
    return {
      pauses: kept.pauses,
      isSame: kept.video === element && !element?.paused,
      connected: Number((video as HTMLElement | undefined)?.dataset.connected),
      moved: (element?.currentTime ?? 0) - from,
    };
  });
}

async function areas(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const frames = document.querySelector("st-dock")?.shadowRoot?.querySelectorAll("st-area") ?? [];
    return [...frames].map((frame) => {
      const { width, height } = frame.getBoundingClientRect();
      const tabs = [...frame.shadowRoot?.querySelectorAll("[role=tab]") ?? []].map((tab) =>
        `${tab.getAttribute("aria-selected") === "true" ? "*" : ""}${
          tab.textContent?.trim().replace("Panel ", "")
        }`
      );
      return `${tabs.join("+")} ${Math.round(width / 10) * 10}x${Math.round(height / 10) * 10}`;
    });
  });
}

async function dragTab(page: Page, name: string, to: { x: number; y: number }): Promise<void> {
  const tab = page.getByRole("tab", { name });
  // Hovering waits until nothing moves any more.
  await tab.hover();
  const box = await tab.boundingBox();
  if (!box) throw new Error(`There is no tab ${name}`);
  await page.mouse.move(box.x + 20, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(to.x - 20, to.y, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 2 });
  // What a frame shows is what a hand would see before it lets go.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  await page.mouse.up();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
}

Deno.test("st-dock", async (test) => {
  await using pages = await openModulePages("client/app/dock_fixture.ts");
  const profile = await pages.profile(await pages.world.studio.as("admin"));
  const page = await pages.open(profile);
  await page.evaluate(async () => {
    localStorage.setItem("seedloop.session_expires", new Date(Date.now() + 600_000).toISOString());
    await module.session.resume();
    module.openDock();
  });
  await page.getByRole("tab", { name: "Panel video" }).waitFor();
  const unmoved = await watch(page);
  assertEquals([unmoved.pauses, unmoved.connected], [0, 1]);
  assertEquals(await areas(page), ["*video+one 500x600", "*other 500x600"]);

  const stillPlays = async () => {
    const { pauses, isSame, connected, moved } = await watch(page);
    assertEquals({ pauses, isSame, connected }, { pauses: 0, isSame: true, connected: 1 });
    assert(moved > 0);
  };

  await test.step("moves a tab to another area's side by the mouse, and the video plays on", async () => {
    await dragTab(page, "Panel video", { x: 800, y: 580 });
    assertEquals(await areas(page), ["*one 500x600", "*other 500x300", "*video 500x300"]);
    await stillPlays();
  });

  await test.step("moves it among the tabs of an area", async () => {
    await dragTab(page, "Panel video", { x: 250, y: 300 });
    assertEquals(await areas(page), ["one+*video 500x600", "*other 500x600"]);
    await stillPlays();
  });

  await test.step("plays on behind another tab, floating, and filling the dock", async () => {
    await page.getByRole("tab", { name: "Panel one" }).click();
    await page.getByRole("tab", { name: "Panel video" }).click();
    await stillPlays();
    await page.evaluate(() => module.runCommand("dock.float"));
    assertEquals(await areas(page), ["*one 500x600", "*other 500x600", "*video 400x300"]);
    await stillPlays();
    await page.keyboard.press("Control+Space");
    assertEquals((await areas(page)).at(-1), "*video 1000x600");
    await stillPlays();
    await page.keyboard.press("Control+Space");
    // Back among the tabs from which it came.
    await page.evaluate(() => module.runCommand("dock.dock"));
    assertEquals(await areas(page), ["one+*video 500x600", "*other 500x600"]);
    await stillPlays();
  });

  await test.step("splits, joins and sizes areas by commands and keys", async () => {
    await page.getByRole("tab", { name: "Panel one" }).click();
    await page.evaluate(() => module.runCommand("dock.split_down"));
    assertEquals((await areas(page)).filter((area) => area.startsWith("*one")).length, 2);
    await page.evaluate(() => module.runCommand("dock.join_down"));
    assertEquals((await areas(page)).length, 2);
    const before = await areas(page);
    await page.getByRole("separator").first().focus();
    await page.keyboard.press("ArrowRight");
    assert((await areas(page))[0] !== before[0]);
    await stillPlays();
  });

  await test.step("puts back what is heard of only when the panel shows", async () => {
    const host = page.locator("st-panel-host").filter({ has: page.locator("st-test-other") });
    const topOf = () => host.evaluate((one) => one.shadowRoot?.querySelector(".panel")?.scrollTop);
    assertEquals(await topOf(), 0);
    await host.evaluate((one) => {
      const { id } = (one as HTMLElement & { ref: { id: string } }).ref;
      module.restorePanelStates({ [id]: { scroll: { "": [0, 300] } } });
    });
    await until("it is scrolled", async () => await topOf() === 300);
    // Whoever does something meanwhile takes over what is there, and not what is still to come.
    await host.evaluate((one) => {
      const { id } = (one as HTMLElement & { ref: { id: string } }).ref;
      module.restorePanelStates({ [id]: { scroll: { "section.0": [0, 40] } } });
    });
    await page.getByRole("tab", { name: "Panel other" }).click();
    await host.click();
    await host.evaluate((one) => {
      const late = document.createElement("section");
      late.style.cssText = "height: 50px; overflow: auto";
      late.append(Object.assign(document.createElement("div"), { style: "height: 500px" }));
      one.shadowRoot?.querySelector(".panel")?.append(late);
    });
    const late = host.locator("section");
    await until("what came late is scrolled", () => late.evaluate((one) => one.scrollTop === 40));
  });

  await test.step("keeps the layout for the next visit, and refuses to change a locked one", async () => {
    const before = await areas(page);
    await page.evaluate(() => module.dock.lock(true));
    await dragTab(page, "Panel video", { x: 100, y: 580 });
    assertEquals(await areas(page), before);
    await page.evaluate(() => module.dock.lock(false));
    const kept = await page.evaluate(() => JSON.parse(localStorage.getItem("seedloop.dock") ?? "{}"));
    assertEquals(kept.layouts.test.version, 1);
  });
});
