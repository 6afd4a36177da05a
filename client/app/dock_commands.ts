import type { Command } from "#client/core/commands.ts";
import { panelKinds } from "#client/core/panels.ts";
import { tell } from "#client/core/notices.ts";
import { dock } from "./dock_store.ts";
import {
  addPanel,
  type AreaNode,
  areaOf,
  areasOf,
  bringBack,
  closePanel,
  freshPanelId,
  joinArea,
  type Layout,
  moveBorder,
  movePanel,
  neighbour,
  sendToWindow,
  type Side,
  type SplitNode,
  toggleMaximised,
} from "./layout.ts";
import { currentScreen } from "./screens.ts";
import { w } from "./words.ts";
import { openPanelWindow } from "./windows.ts";

/** A step of an area's border by key, as a share of its split. */
const STEP = 0.04;

/** The area that a command is for: the one whose header it is in (its id is the target), else the active panel's. */
function areaFor(target: unknown): AreaNode | undefined {
  const { layout, active } = dock;
  if (!layout) return undefined;
  if (typeof target === "string") return areasOf(layout).find(({ id }) => id === target);
  return active ? areaOf(layout, active.id) : areasOf(layout)[0];
}

function isFloating(layout: Layout, areaId: string): boolean {
  return layout.floats.some(({ area }) => area.id === areaId);
}

/** What all commands here have in common. */
function area(
  command: Pick<Command, "id" | "icon" | "keys" | "keywords" | "isOn" | "repeats"> & {
    readonly label: () => string;
    /** Changes the layout; without it the command is for looking only and works in a locked layout too. */
    readonly edit?: (layout: Layout, area: AreaNode) => Layout;
    readonly act?: (area: AreaNode) => void;
    /** Why it can't be done to this area; undefined when it can. */
    readonly hinder?: (layout: Layout, area: AreaNode) => string | undefined;
  },
): Command {
  const { edit, act, hinder, ...rest } = command;
  const why = (target?: unknown): string | undefined => {
    const found = areaFor(target);
    const { layout } = dock;
    if (!found || !layout) return w("noPanel");
    if (edit && dock.isLocked) return w("locked");
    return hinder?.(layout, found);
  };
  return {
    ...rest,
    group: () => w("window"),
    permission: null,
    when: (target) => why(target) === undefined,
    whyNot: (target) => why(target) ?? "",
    run: (target) => {
      const found = areaFor(target);
      if (!found) return;
      if (edit) dock.change((layout) => edit(layout, found));
      act?.(found);
    },
  };
}

/** One more of the kind that shows: Blender's way to split. */
function split(side: Side) {
  return (layout: Layout, { id: areaId, panels, active }: AreaNode): Layout => {
    const screen = currentScreen();
    const kind = panels.find(({ id }) => id === active)?.kind ?? panelKinds()[0]?.id;
    if (!screen || kind === undefined) return layout;
    return addPanel(layout, { id: freshPanelId(layout, screen.id, kind), kind }, { areaId, side });
  };
}

function joinCommand(id: string, label: () => string, side: Side): Command {
  return area({
    id,
    label,
    icon: "merge",
    edit: (layout, { id: areaId }) => joinArea(layout, areaId, side),
    hinder: (layout, { id: areaId }) => neighbour(layout, areaId, side) ? undefined : w("noArea"),
  });
}

function sizeCommand(
  id: string,
  label: () => string,
  key: string,
  direction: SplitNode["direction"],
  by: number,
): Command {
  return area({
    id,
    label,
    icon: "aspect",
    keys: [key],
    repeats: true,
    edit: (layout, { id: areaId }) => resize(layout, areaId, direction, by),
  });
}

/** Moves the border behind the area, or before it where it is the last one. */
function resize(layout: Layout, areaId: string, direction: SplitNode["direction"], by: number): Layout {
  const walk = (node: Layout["root"]): { split: SplitNode; index: number } | undefined => {
    if (node.type === "area") return undefined;
    const index = node.children.findIndex((child) => holds(child, areaId));
    const child = node.children[index];
    if (!child) return undefined;
    return walk(child) ?? (node.direction === direction ? { split: node, index } : undefined);
  };
  const found = walk(layout.root);
  if (!found) return layout;
  const isLast = found.index === found.split.children.length - 1;
  return moveBorder(layout, found.split.id, isLast ? found.index - 1 : found.index, isLast ? -by : by);
}

function holds(node: Layout["root"], areaId: string): boolean {
  return node.type === "area" ? node.id === areaId : node.children.some((child) => holds(child, areaId));
}

function cycleTab(by: number) {
  return ({ panels, active }: AreaNode) => {
    const at = panels.findIndex(({ id }) => id === active);
    const next = panels[(at + by + panels.length) % panels.length];
    if (next) dock.show(next.id);
  };
}

const FLOAT = { left: 0.3, top: 0.2, width: 0.4, height: 0.5 } as const;

/** What can be done to areas and their panels. */
export function dockCommands(): Command[] {
  return [
    area({
      id: "dock.maximise",
      label: () => dock.layout?.maximised ? w("restore") : w("maximise"),
      keywords: () => `${w("maximise")} ${w("restore")}`,
      icon: "maximize",
      keys: ["ctrl+space"],
      isOn: () => Boolean(dock.layout?.maximised),
      act: ({ id }) => void dock.change((layout) => toggleMaximised(layout, id), { evenLocked: true }),
    }),
    area({ id: "dock.split_right", label: () => w("splitRight"), icon: "columns", edit: split("right") }),
    area({ id: "dock.split_down", label: () => w("splitDown"), icon: "rows", edit: split("bottom") }),
    joinCommand("dock.join_left", () => w("joinLeft"), "left"),
    joinCommand("dock.join_right", () => w("joinRight"), "right"),
    joinCommand("dock.join_up", () => w("joinUp"), "top"),
    joinCommand("dock.join_down", () => w("joinDown"), "bottom"),
    area({
      id: "dock.float",
      label: () => w("float"),
      icon: "layers",
      edit: (layout, { active }) => movePanel(layout, active, { float: FLOAT }),
      hinder: (layout, { id }) => isFloating(layout, id) ? w("float") : undefined,
    }),
    area({
      id: "dock.dock",
      label: () => w("dock"),
      icon: "pin",
      edit: (layout, { active }) => bringBack(layout, active),
      hinder: (layout, { id }) => isFloating(layout, id) ? undefined : w("dock"),
    }),
    area({
      id: "dock.pop_out",
      label: () => w("popOut"),
      icon: "externalLink",
      act: ({ panels, active }) => {
        const panel = panels.find(({ id }) => id === active);
        if (!panel) return;
        if (openPanelWindow(panel)) {
          dock.change((layout) => sendToWindow(layout, panel.id), { evenLocked: true });
        } else tell({ kind: "failed", text: w("noWindow") });
      },
    }),
    area({
      id: "dock.close_tab",
      label: () => w("closeTab"),
      icon: "close",
      edit: (layout, { active }) => closePanel(layout, active),
    }),
    area({ id: "dock.next_tab", label: () => w("nextTab"), icon: "chevronRight", act: cycleTab(1) }),
    area({ id: "dock.previous_tab", label: () => w("previousTab"), icon: "chevronLeft", act: cycleTab(-1) }),
    sizeCommand("dock.widen", () => w("widen"), "mod+alt+arrowright", "row", STEP),
    sizeCommand("dock.narrow", () => w("narrow"), "mod+alt+arrowleft", "row", -STEP),
    sizeCommand("dock.heighten", () => w("heighten"), "mod+alt+arrowdown", "column", STEP),
    sizeCommand("dock.lower", () => w("lower"), "mod+alt+arrowup", "column", -STEP),
    ...layoutCommands(),
  ];
}

function layoutCommands(): Command[] {
  const common = { group: () => w("window"), permission: null } as const;
  const unlocked = { when: () => !dock.isLocked, whyNot: () => w("locked") };
  return [
    {
      ...common,
      ...unlocked,
      id: "dock.reset",
      label: () => w("resetLayout"),
      icon: "restore",
      run: () => undoable(w("layoutReset"), () => dock.reset("preset")),
    },
    {
      ...common,
      id: "dock.keep_mine",
      label: () => w("saveLayout"),
      icon: "save",
      run: () =>
        undoable(w("layoutKept"), () => {
          dock.keepAsMine();
          return true;
        }),
    },
    {
      ...common,
      id: "dock.reset_mine",
      label: () => w("myLayout"),
      icon: "restore",
      when: () => dock.hasMine && !dock.isLocked,
      whyNot: () => dock.isLocked ? w("locked") : w("noMine"),
      run: () => undoable(w("layoutReset"), () => dock.reset("mine")),
    },
    {
      ...common,
      id: "dock.lock",
      isSetting: true,
      label: () => w("lockLayout"),
      icon: "lock",
      isOn: () => dock.isLocked,
      run: () => dock.lock(!dock.isLocked),
    },
  ];
}

/** Does it and offers to take it back. */
function undoable(text: string, act: () => boolean): void {
  const before = dock.document;
  if (act()) tell({ kind: "done", text, undo: () => dock.restore(before) });
}
