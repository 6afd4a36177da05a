import { assertEquals } from "@std/assert/mod.js";
import { findBarriers } from "#server/testing/accessibility.ts";
import { openModulePages } from "#server/testing/module_page.ts";
import { until } from "#server/testing/until.ts";

/** The whole page side in one place: what `module` is there. */
declare const module: typeof import("#client/core/history.ts") & typeof import("./commands.ts");

Deno.test("st-history-panel shows every branch and is walked through by keys", async () => {
  await using pages = await openModulePages(
    "client/core/history.ts",
    "client/history/history_panel.ts",
    "client/history/commands.ts",
  );
  const profile = await pages.profile(await pages.world.studio.as("creator"));
  // No workspace is open here: the first saving would open one, and begin with what the studio has.
  await profile.route("**/api/workspaces**", (route) => route.abort("connectionreset"));
  const page = await pages.open(profile);
  const tokens = await Deno.readTextFile(new URL(import.meta.resolve("#client/design/tokens.css")));
  await page.evaluate(async (tokens) => {
    const { history } = module;
    for (const style of document.querySelectorAll("style, link")) style.remove();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      `${tokens} main { height: 400px; background: var(--color-surface); color: var(--color-text);
      font: var(--size-text) var(--font-text); }`,
    );
    document.adoptedStyleSheets = [sheet];
    const steps = { undo: () => {}, redo: () => {} };
    history.record({ label: "Add the portrait", ...steps });
    const hero = history.record({ label: "Make variation 7 the hero", ...steps });
    history.record({ label: "Ask for 6 seconds", ...steps });
    await history.goTo(hero);
    history.record({
      label: "Ask for 9 seconds, with a name so long that no panel is ever as wide as it is",
      ...steps,
    });
    history.record({ label: "Approve", ...steps });
    history.name(hero, "The good hero");
    const main = document.createElement("main");
    const heading = document.createElement("h1");
    heading.textContent = "History";
    main.append(heading, document.createElement("st-history-panel"));
    document.body.replaceChildren(main);
  }, tokens);
  const rows = page.getByRole("option");
  await rows.first().waitFor();
  const texts = (await rows.allInnerTexts()).map((text) => text.split("\n")[0]);
  assertEquals(texts.map((text) => text?.slice(0, 16)), [
    "Approve",
    "Ask for 9 second",
    "Ask for 6 second",
    "The good hero",
    "Add the portrait",
    "Start",
  ]);
  await page.getByRole("listbox").focus();
  for (const key of ["ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  const chosen = page.getByRole("option", { selected: true });
  await until(
    "the second is chosen",
    async () => (await chosen.innerText()).startsWith("Ask for 6 seconds\n"),
  );
  await page.evaluate(() => module.history.goTo(module.chosenPoint() ?? ""));
  await page.locator(".here").getByText("Ask for 6 seconds").waitFor();
  await page.evaluate(() => module.namePoint(module.chosenPoint()));
  await page.locator("input:focus").waitFor();
  await page.keyboard.type("The short");
  // Half a name is kept as well.
  assertEquals(await page.evaluate(() => module.pointNaming()?.text), "The short");
  await page.keyboard.type(" one");
  await page.keyboard.press("Enter");
  await page.getByRole("option", { name: "The short one" }).waitFor();
  assertEquals(await findBarriers(page), []);
});
