import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { Permission } from "#server/core/permissions.ts";
import { chooseLanguage } from "#client/core/words.ts";
import { type Command, findCommand } from "#client/core/commands.ts";
import { findPanelKind } from "#client/core/panels.ts";
import { clashesWith, findClashes } from "./keymap.ts";

// What no browser is needed for: the lists alone. A sheet of styles that is made at the start is the one exception.
globalThis.CSSStyleSheet ??= class {} as typeof CSSStyleSheet;
const { appCommands, screenCommands } = await import("./app_commands.ts");
const { dockCommands } = await import("./dock_commands.ts");
const { registerSlices, SLICES } = await import("./slices.ts");

const verbs = { openPalette: () => {}, openKeySheet: () => {}, focusArea: () => {} };
const screens = SLICES.flatMap(({ screens = [] }) => screens);
const panels = SLICES.flatMap(({ panels = [] }) => panels);
const ALL: readonly Command[] = [
  ...appCommands(verbs),
  ...dockCommands(),
  ...screenCommands(screens),
  ...(await Promise.all(SLICES.map(({ loadCommands }) => loadCommands?.() ?? []))).flat(),
];

/** What a name is in one language; a command that names its target says something without one too. */
function named(language: "en" | "de", name: () => string): string {
  chooseLanguage(language);
  const text = name();
  chooseLanguage("en");
  return text;
}

Deno.test("every command has a name in both languages, a group and a permission that exists", () => {
  assertEquals(ALL.length, new Set(ALL.map(({ id }) => id)).size);
  const known: ReadonlySet<string | null> = new Set([...Permission.options, null]);
  for (const command of ALL) {
    assert(/^[a-z_-]+(\.[a-z0-9_-]+)+$/.test(command.id), command.id);
    assert(known.has(command.permission), `${command.id}: ${command.permission}`);
    for (const language of ["en", "de"] as const) {
      for (const name of [() => command.label(), () => command.group()]) {
        const text = named(language, name);
        assert(text !== "" && !/[{}]/.test(text), `${command.id} in ${language}: ${text}`);
      }
    }
  }
});

/** What destroys or stops something and can be taken back, and how. */
const TAKEN_BACK: Readonly<Record<string, string>> = {
  "characters.trash": "undo, history",
  "clips.trash": "undo, history",
  "jobs.cancel": "undo, jobs.retry",
  "people.suspend": "undo, people.enable",
  "projects.trash": "undo, history, projects.restore",
  "scenes.trash": "undo, history",
  "workers.remove": "asks, workers.keep",
  "workers.remove_now": "undo",
};

Deno.test("what destroys or stops something can be taken back, or says before that it can't", () => {
  const dangerous = ALL.filter(({ isDanger }) => isDanger);
  assert(dangerous.length > 0);
  // What is for good only at times says so by itself.
  const silent = dangerous.filter(({ isForGood }) => isForGood === undefined).map(({ id }) => id);
  assertEquals(silent.sort(), Object.keys(TAKEN_BACK));
});

Deno.test("no stroke means two commands in one panel", () => {
  const clashes = findClashes(ALL).map(({ stroke, commands: [one, other] }) =>
    `${stroke}: ${one.id}, ${other.id}`
  );
  // Leaving focus mode is only possible while it is on, and then nothing else is meant.
  assertEquals(clashes.filter((clash) => !clash.includes("app.leave_focus_mode")), []);
  const palette = ALL.find(({ id }) => id === "app.palette");
  const keys = ALL.find(({ id }) => id === "app.keys");
  assert(palette && keys);
  assertEquals(keys && clashesWith(keys, "mod+k", ALL), [palette]);
});

Deno.test("screens and panels name only panels and commands that are there", () => {
  registerSlices();
  const kinds = new Set(panels.map(({ id }) => id));
  const commandIds = new Set(ALL.map(({ id }) => id));
  for (const { id, actions = [] } of panels) {
    for (const action of actions) assert(commandIds.has(action), `${id} shows ${action}`);
  }
  assertEquals(screens.length, new Set(screens.map(({ id }) => id)).size);
  for (const { id, layout, layoutFor = {} } of screens) {
    for (const area of [layout, ...Object.values(layoutFor)]) {
      const lists = JSON.stringify(area).match(/"panels":\[[^\]]*\]/g) ?? [];
      const ofArea = lists.flatMap((list) => [...list.slice('"panels":'.length).matchAll(/"([^"]+)"/g)]);
      for (const [, kind = ""] of ofArea) assert(kinds.has(kind), `${id} names ${kind}`);
    }
    const named = JSON.stringify(layout).match(/"panels":\[[^\]]*\]/g) ?? [];
    assert(
      named.some((list) => [...kinds].some((kind) => list.includes(`"${kind}"`))),
      `${id} shows nothing`,
    );
  }
});

Deno.test("registerSlices() brings a slice's commands with its first panel, the others when asked", async () => {
  const named = (id: string): Command => ({
    id,
    label: () => id,
    group: () => "",
    permission: null,
    run: () => {},
  });
  let failures = 1;
  const panel = {
    id: "panel-of-one",
    title: () => "",
    icon: "grid",
    tag: "st-none",
    load: () => Promise.resolve(),
  } as const;
  const loadAll = registerSlices([
    { panels: [panel], loadCommands: () => Promise.resolve([named("one.act")]) },
    {
      loadCommands: () =>
        failures-- > 0 ? Promise.reject(new Error("offline")) : Promise.resolve([named("two.act")]),
    },
  ]);
  assertEquals(findCommand("one.act"), undefined);
  await findPanelKind("panel-of-one")?.load();
  assertEquals(findCommand("one.act")?.id, "one.act");
  assertEquals(findCommand("two.act"), undefined);
  await assertRejects(loadAll, Error, "offline");
  await loadAll();
  await loadAll();
  assertEquals(findCommand("two.act")?.id, "two.act");
});
