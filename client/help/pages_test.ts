import { assert, assertEquals } from "@std/assert/mod.js";
import { spansOf } from "./document.ts";
import { findPage, PAGES } from "./page_list.ts";
import { LOADS } from "./page_texts.ts";

// What no browser is needed for: the lists alone. A sheet of styles that is made at the start is the one exception.
globalThis.CSSStyleSheet ??= class {} as typeof CSSStyleSheet;
const { appCommands, screenCommands } = await import("#client/app/app_commands.ts");
const { dockCommands } = await import("#client/app/dock_commands.ts");
const { workspaceCommands } = await import("#client/app/workspace_commands.ts");
const { SLICES } = await import("#client/app/slices.ts");

const verbs = { openPalette: () => {}, openKeySheet: () => {}, focusArea: () => {} };
const COMMANDS = [
  ...appCommands(verbs),
  ...dockCommands(),
  ...workspaceCommands,
  ...screenCommands(SLICES.flatMap(({ screens = [] }) => screens)),
  ...(await Promise.all(SLICES.map(({ loadCommands }) => loadCommands?.() ?? []))).flat(),
];
const PANELS = SLICES.flatMap(({ panels = [] }) => panels);
const [EN, DE] = await Promise.all([LOADS.en(), LOADS.de()]);

/** The shortest page is far longer: less is a page that lost its text. */
const LEAST_LETTERS = 600;

Deno.test("every page of the manual is written in both languages, part for part", () => {
  const ids = PAGES.map(({ id }) => id);
  assertEquals(ids.length, new Set(ids).size);
  for (const pages of [EN, DE]) assertEquals(Object.keys(pages), ids);
  for (const id of ids) {
    assertEquals(EN[id].map(({ kind }) => kind), DE[id].map(({ kind }) => kind), id);
    for (const page of [EN[id], DE[id]]) {
      const letters = spansOf(page).filter((span) => typeof span === "string").join("").length;
      assert(letters > LEAST_LETTERS, `${id} has ${letters} letters: ${JSON.stringify(page).slice(0, 200)}`);
    }
    assertEquals(namedIn(EN[id]), namedIn(DE[id]), `${id} names other things in German`);
  }
});

Deno.test("every command, page and panel that the manual names is there", () => {
  const commandIds = new Set(COMMANDS.map(({ id }) => id));
  for (const [id, page] of [...Object.entries(EN), ...Object.entries(DE)]) {
    for (const name of namedIn(page)) {
      const [kind = "", named = ""] = name.split(" ");
      const isThere = kind === "page" ? findPage(named) !== undefined : commandIds.has(named);
      assert(isThere, `${id} names the ${name}, which is not there`);
    }
  }
  const kinds = new Set(PANELS.map(({ id }) => id));
  for (const { id, about } of PAGES) {
    for (const kind of about) assert(kinds.has(kind), `${id} is about ${kind}, which is not there`);
  }
  const panels = PAGES.flatMap(({ about }) => [...about]);
  assertEquals(panels.length, new Set(panels).size, "two pages are about one panel");
});

/** The commands and pages that a page names, in the order of the alphabet: languages order their words otherwise. */
function namedIn(page: Parameters<typeof spansOf>[0]): string[] {
  const spans = spansOf(page).flatMap((span) => {
    if (typeof span === "string") return [];
    if (span.kind === "page") return [`page ${span.page}`];
    return span.kind === "keys" || span.kind === "command" ? [`command ${span.command}`] : [];
  });
  const buttons = page.flatMap((block) => block.kind === "actions" ? block.commands : []);
  return [...spans, ...buttons.map((id) => `command ${id}`)].sort();
}
