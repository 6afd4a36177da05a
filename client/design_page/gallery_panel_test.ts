import { assert, assertEquals } from "@std/assert/mod.js";
import { findBarriers } from "#server/testing/accessibility.ts";
import type { Page } from "#server/testing/browser.ts";
import { openClientPages } from "#server/testing/client_page.ts";
import { THEMES } from "#client/design/tokens.ts";
import { readThemes } from "#tasks/tokens.ts";
import { until } from "#server/testing/until.ts";

/** What the page is showing of a list, and how it was told. */
async function listFacts(
  page: Page,
  tag: string,
): Promise<{ rendered: number; active: string; told: string[] }> {
  return await page.locator(tag).evaluate((list) => {
    const root = list.shadowRoot;
    const focus = root?.querySelector("[tabindex='0']")?.getAttribute("aria-activedescendant") ?? "";
    const rows = root?.querySelectorAll("[role=gridcell], [role=treeitem]").length ?? 0;
    // deno-lint-ignore no-explicit-any -- what the step before has put there
    return { rendered: rows, active: focus, told: (globalThis as any).told ?? [] };
  });
}

interface Moving {
  readonly name: string;
  /** A picture inside an SVG can't be moved without being painted for each frame. */
  readonly isHtml: boolean;
  readonly properties: readonly string[];
}

/** The animations without an end, in all shadow trees: the document itself names none of those. */
async function listMoving(page: Page): Promise<Moving[]> {
  return await page.evaluate(() => {
    const rootsOf = (root: Document | ShadowRoot): (Document | ShadowRoot)[] => [
      root,
      ...[...root.querySelectorAll("*")].flatMap(({ shadowRoot }) => shadowRoot ? rootsOf(shadowRoot) : []),
    ];
    return rootsOf(document).flatMap((root) => root.getAnimations()).flatMap((one) => {
      const effect = one.effect as KeyframeEffect; // CSS makes no other.
      if (effect.getTiming().iterations !== Infinity) return [];
      return [{
        name: (one as CSSAnimation).animationName,
        isHtml: effect.target instanceof HTMLElement,
        properties: effect.getKeyframes().flatMap((frame) => Object.keys(frame)).filter((key) =>
          !["offset", "computedOffset", "easing", "composite"].includes(key)
        ),
      }];
    });
  });
}

Deno.test("the elements of the design system", async (test) => {
  await using pages = await openClientPages();
  const open = async (hasReducedMotion = false) => {
    const opened = await pages.open("st-gallery-panel", "gallery_panel", { hasReducedMotion, height: 2400 });
    await opened.page.locator("st-grid [role=gridcell]").first().waitFor();
    return opened;
  };

  await test.step("can be used and read by everyone in every theme", async () => {
    // Without motion, so that no colour is read on its way to another.
    const { page, said } = await open(true);
    for (const theme of THEMES) {
      await page.evaluate((name) => document.documentElement.dataset["theme"] = name, theme);
      assertEquals(await findBarriers(page), [], theme);
    }
    // Where people choose all colours themselves, what is selected or pressed is known by its edge.
    await page.emulateMedia({ forcedColors: "active" });
    for (
      const chosen of ["st-tabs [aria-selected=true]", "st-tree [aria-selected=true]", "[aria-pressed=true]"]
    ) {
      const edge = await page.locator(chosen).first().evaluate((one) => getComputedStyle(one).outlineStyle);
      assertEquals(edge, "solid", chosen);
    }
    // The studio's content policy has nothing to refuse either.
    assertEquals(said, []);
    await page.close();
  });

  await test.step("shows every token", async () => {
    const { page, said } = await pages.open("st-token-gallery", "gallery_panel", { height: 2400 });
    await page.getByText("color.ion", { exact: true }).waitFor();
    const size = (await readThemes())[0]?.tokens.size;
    await until(`${size} tokens`, async () => await page.locator("st-token-gallery li").count() === size);
    assertEquals(said, []);
    await page.close();
  });

  await test.step("a grid of 10,000 renders what is in view, and goes by keys", async () => {
    const { page } = await open();
    await page.locator("st-grid").evaluate((grid) => {
      const told: string[] = [];
      Object.assign(globalThis, { told });
      // deno-lint-ignore no-explicit-any -- the events' classes live in the page's bundle only
      grid.addEventListener("st-select", (event: any) => told.push(event.ids.join(" ")));
      // deno-lint-ignore no-explicit-any -- as above
      grid.addEventListener("st-open", (event: any) => told.push(`open ${event.itemId}`));
      (grid as HTMLElement).focus();
    });
    for (const key of ["ArrowRight", "Shift+ArrowRight", "Control+ArrowRight", "Space", "End", "Enter"]) {
      await page.keyboard.press(key);
    }
    const { rendered, active, told } = await listFacts(page, "st-grid");
    assert(rendered > 10 && rendered < 200, `${rendered} tiles are rendered`);
    assertEquals(active, "tile-9999");
    assertEquals(told, [
      "clip-1",
      "clip-1 clip-2",
      "clip-1 clip-2 clip-3",
      "clip-9999",
      "open clip-9999",
    ]);
    await page.keyboard.press("Control+a");
    assertEquals((await listFacts(page, "st-grid")).told.at(-1)?.split(" ").length, 10_000);
    await page.close();
  });

  await test.step("a dialog that is made open gives the keyboard to what is to be filled in", async () => {
    const { page } = await open();
    await page.evaluate(() => {
      const dialog = document.createElement("st-dialog");
      dialog.setAttribute("open", "");
      const field = Object.assign(document.createElement("st-field"), { label: "Name", id: "first" });
      field.setAttribute("autofocus", "");
      dialog.append(field);
      document.querySelector("main")?.append(dialog);
    });
    await page.locator("dialog[open]").waitFor();
    await page.keyboard.type("Aurora");
    assertEquals(
      await page.locator("#first").evaluate((field) => (field as HTMLInputElement).value),
      "Aurora",
    );
    await page.close();
  });

  await test.step("a menu opens by key, moves by first letters, tells what was picked, and gives the focus back", async () => {
    const { page } = await open();
    const trigger = page.locator("st-menu st-button");
    await trigger.evaluate((button) => {
      Object.assign(globalThis, { told: [] });
      const menu = button.closest("st-menu");
      // deno-lint-ignore no-explicit-any -- the event's class lives in the page's bundle only
      menu?.addEventListener("st-pick", (event: any) => (globalThis as any).told.push(event.itemId));
      (button as HTMLElement).focus();
    });
    await page.keyboard.press("ArrowDown");
    await page.getByRole("menuitem", { name: "Use" }).waitFor();
    assertEquals(await findBarriers(page), []);
    // What can't be done now can be reached and read, and is not done.
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.press("l");
    await page.keyboard.press("Enter");
    // deno-lint-ignore no-explicit-any -- as above
    assertEquals(await page.evaluate(() => (globalThis as any).told), ["likeness"]);
    assertEquals(await trigger.evaluate((button) => button.matches(":focus-within")), true);
    await page.close();
  });

  await test.step("a button that says why not is reached and read, and does nothing", async () => {
    const { page } = await open();
    const button = page.locator("st-button[why-not]").first();
    await button.evaluate((one) => {
      Object.assign(globalThis, { told: [] });
      // deno-lint-ignore no-explicit-any -- as above
      one.addEventListener("click", () => (globalThis as any).told.push("click"));
      (one as HTMLElement).focus();
    });
    await page.keyboard.press("Enter");
    // deno-lint-ignore no-explicit-any -- as above
    assertEquals(await page.evaluate(() => (globalThis as any).told), []);
    const inner = button.getByRole("button");
    assertEquals(await inner.getAttribute("aria-description"), "The hero is not approved yet");
    await page.close();
  });

  await test.step("nothing moves where motion is not wanted", async () => {
    const { page } = await open(true);
    assertEquals(await listMoving(page), []);
    await page.close();
  });

  await test.step("what moves on and on is moved by the compositor: the page itself is left in peace", async () => {
    const { page } = await open();
    const moving = await listMoving(page);
    // Progress as line and ring, marks, skeletons, a busy button.
    assertEquals(new Set(moving.map(({ name }) => name)), new Set(["pass", "turn", "drift", "run"]));
    const costly = moving.filter(({ isHtml, properties }) =>
      !isHtml ||
      properties.some((one) => !["transform", "rotate", "scale", "translate", "opacity"].includes(one))
    );
    assertEquals(costly, []);
    await page.close();
  });
});
