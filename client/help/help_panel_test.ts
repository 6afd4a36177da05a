import { assertEquals } from "@std/assert/mod.js";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { until } from "#server/testing/until.ts";

/** The headline of the page that is read. */
const headline = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true });

async function choose(page: Page, text: string, option: RegExp): Promise<void> {
  await page.keyboard.press("Control+k");
  const palette = page.locator("st-palette");
  await palette.getByRole("combobox").fill(text);
  await palette.getByRole("option", { name: option }).click();
}

Deno.test("the manual is found, read, walked through, and comes back where one left it", async (test) => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const ada = await world.person({ role: "admin" });
  const view = { viewport: { width: 1280, height: 720 }, locale: "en" };
  const { page, said } = await opened.newPage(view);
  await page.addInitScript(() =>
    localStorage.setItem("seedloop.keys", '{"clips.generate":["mod+shift+g"],"clips.pause":[]}')
  );
  await page.goto(`${world.url}/status`);
  await signInAs(page, ada);

  await test.step("the palette finds a page in spite of a slip of the finger", async () => {
    await choose(page, "certificte", /^On the network/);
    await headline(page, "On the network").waitFor();
    assertEquals(new URL(page.url()).pathname, "/help/lan");
  });

  await test.step("the keyboard walks the list", async () => {
    // The page has the keyboard; the list is one step before it.
    await page.locator(".page:focus").waitFor();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("ArrowDown");
    await headline(page, "Scripts and the HTTP API").waitFor();
    await page.keyboard.press("Home");
    await headline(page, "Start here").waitFor();
  });

  await test.step("a link leads on, and the browser's way back leads back", async () => {
    await page.getByRole("article").getByRole("link", { name: "A clip and its plan" }).click();
    await headline(page, "A clip and its plan").waitFor();
    await page.goBack();
    await headline(page, "Start here").waitFor();
    await page.goForward();
    await headline(page, "A clip and its plan").waitFor();
  });

  await test.step("keys show as one has bound them, and a command without any by its name", async () => {
    const line = page.getByRole("article").getByText("The button says what it will do");
    await until(
      "the keys are those bound",
      async () =>
        /then Ctrl\s*Shift\s*G generates it. Pause stops/.test(
          await line.evaluate((one) => {
            const textOf = (node: Node): string =>
              node instanceof Element && node.shadowRoot
                ? textOf(node.shadowRoot)
                : node instanceof Text
                ? node.data
                : node instanceof HTMLStyleElement
                ? ""
                : [...node.childNodes].map(textOf).join("");
            return textOf(one).replaceAll(/\s+/g, " ");
          }),
        ),
    );
  });

  await test.step("everybody can read it, in the dark and in the light", async () => {
    for (const theme of ["dark", "light"]) {
      await page.evaluate((name) => document.documentElement.dataset["theme"] = name, theme);
      assertEquals(await findBarriers(page), [], theme);
    }
  });

  await test.step("what one reads, and how far, is there in a fresh browser, in one's language", async () => {
    const scroller = page.locator("st-help-panel .page");
    await scroller.hover();
    await page.mouse.wheel(0, 240);
    const keptScroll = async () => {
      const [kept] = await world.studio.db<{ top: number | null }[]>`
        select (jsonb_path_query_first(content::jsonb, '$.scroll.*[1]'))::integer as top
          from workspace_documents where name like '%panels/%' and content::jsonb ->> 'page' = 'plan'`;
      return kept?.top ?? 0;
    };
    await until("the studio knows how far one has read", async () => await keptScroll() === 240);
    await page.context().close();
    const fresh = await opened.newPage(view);
    await fresh.page.goto(world.url);
    await signInAs(fresh.page, ada);
    await headline(fresh.page, "A clip and its plan").waitFor();
    const top = () => fresh.page.locator("st-help-panel .page").evaluate((one) => one.scrollTop);
    await until("one is where one was", async () => await top() === 240);

    await choose(fresh.page, "Deutsch", /^Deutsch/);
    await headline(fresh.page, "Ein Clip und sein Plan").waitFor();
    await fresh.page.getByText("Ein Clip wünscht sich eine Länge").waitFor();
    assertEquals([...said, ...fresh.said], []);

    // From the panel where one works to the page about it.
    await choose(fresh.page, "Warteschlange öffnen", /^Warteschlange öffnen/);
    await fresh.page.keyboard.press("F1");
    await headline(fresh.page, "Die Warteschlange").waitFor();
  });
});
