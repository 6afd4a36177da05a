import { assertEquals } from "@std/assert/mod.js";
import type { Command } from "#client/core/commands.ts";
import {
  bindKeys,
  findClashes,
  isSingle,
  type KeyPress,
  keysOf,
  restoreKeys,
  showKeys,
  strokeOf,
} from "./keymap.ts";

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held };
}

function command(id: string, keys: readonly string[], scope?: string): Command {
  const where = scope === undefined ? {} : { scope };
  return { id, label: () => id, group: () => "test", permission: null, keys, ...where, run: () => {} };
}

Deno.test("strokeOf writes a key as commands do", () => {
  assertEquals(
    [
      strokeOf(press("K", { ctrlKey: true, shiftKey: true }), false),
      strokeOf(press("k", { metaKey: true }), true),
      strokeOf(press(" ", { ctrlKey: true }), true),
      strokeOf(press("?", { shiftKey: true }), false),
      strokeOf(press("P", { shiftKey: true }), false),
      strokeOf(press("ArrowLeft", { altKey: true }), false),
      strokeOf(press("+", { ctrlKey: true }), false),
      strokeOf(press("Shift", { shiftKey: true }), false),
      strokeOf(press("Dead"), false),
    ],
    ["mod+shift+k", "mod+k", "ctrl+space", "?", "shift+p", "alt+arrowleft", "mod++", undefined, undefined],
  );
});

Deno.test("showKeys writes a stroke as it stands on the caps", () => {
  assertEquals(["mod+shift+k", "f6", "shift+f11", "escape"].map(showKeys), [
    "Ctrl+Shift+K",
    "F6",
    "Shift+F11",
    "Esc",
  ]);
});

Deno.test("isSingle tells what typing also makes", () => {
  assertEquals(["p", "shift+p", "?", "space", "arrowleft"].map(isSingle), [true, true, true, true, true]);
  assertEquals(["mod+p", "alt+p", "f6", "ctrl+space", "shift+f6"].map(isSingle), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("findClashes: a panel's own key goes before one for everywhere, but not before its neighbour's", () => {
  const list = [
    command("one", ["p"], "clip"),
    command("other", ["p"], "scene"),
    command("everywhere", ["p"]),
    command("same", ["x", "p"], "clip"),
  ];
  assertEquals(
    findClashes(list).map(({ stroke, commands: [one, other] }) => [stroke, one.id, other.id]),
    [["p", "one", "same"]],
  );
});

Deno.test("bindKeys gives other keys, none, and the own ones back", () => {
  const one = command("test.one", ["p"]);
  bindKeys("test.one", ["mod+p", "x"]);
  assertEquals(keysOf(one), ["mod+p", "x"]);
  bindKeys("test.one", []);
  assertEquals(keysOf(one), []);
  bindKeys("test.one", undefined);
  assertEquals(keysOf(one), ["p"]);
  restoreKeys({});
});
