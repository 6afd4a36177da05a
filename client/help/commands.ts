import { dock } from "#client/app/dock_store.ts";
import type { Command } from "#client/core/commands.ts";
import { openManual } from "./open_page.ts";
import { pageAbout } from "./page_list.ts";
import { keywords, title } from "./titles.ts";
import { w } from "./words.ts";

/** Opens the manual at the page about the panel one works in. */
export const helpCommands: readonly Command[] = [{
  id: "help.open",
  label: () => w("open"),
  group: () => title("manual"),
  icon: "book",
  keys: ["f1"],
  permission: null,
  keywords: () => keywords("start"),
  run: () => openManual(pageAbout(dock.active?.kind)),
}];
