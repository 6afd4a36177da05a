import * as z from "zod/mini";
import type { Area } from "#client/core/panels.ts";

/** A panel in a layout: its own id, and what kind of panel it is. */
export const PanelRef = z.object({ id: z.string(), kind: z.string() });
export type PanelRef = z.infer<typeof PanelRef>;

/** An area: its panels are tabs, one of which shows. Only the root may be an area without panels. */
export const AreaNode = z.object({
  type: z.literal("area"),
  id: z.string(),
  panels: z.array(PanelRef),
  active: z.string(),
});
export type AreaNode = z.infer<typeof AreaNode>;

/** Areas beside or below each other; `sizes` are their shares and add up to 1. */
export const SplitNode = z.object({
  type: z.literal("split"),
  id: z.string(),
  direction: z.enum(["row", "column"]),
  sizes: z.array(z.number()),
  get children(): z.ZodMiniArray<z.ZodMiniUnion<[typeof AreaNode, typeof SplitNode]>> {
    return z.array(z.union([AreaNode, SplitNode]));
  },
});
export type SplitNode = z.infer<typeof SplitNode>;
export type LayoutNode = AreaNode | SplitNode;

/** A floating area; its place and size are shares of the dock. */
export const FloatNode = z.object({
  area: AreaNode,
  left: z.number(),
  top: z.number(),
  width: z.number(),
  height: z.number(),
});
export type FloatNode = z.infer<typeof FloatNode>;
export type FloatPlace = Omit<FloatNode, "area">;

/** How the panels of one screen stand. A document: every function here returns a new one. */
export const Layout = z.object({
  version: z.literal(1),
  root: z.union([AreaNode, SplitNode]),
  floats: z.array(FloatNode),
  /** Id of the area that fills the dock; null for none. */
  maximised: z.nullable(z.string()),
  /** Panels that show in windows of their own. */
  windows: z.array(PanelRef),
  /** Of panels that float or are in windows: how all stood when they left, to bring them back there. */
  homes: z._default(z.record(z.string(), z.union([AreaNode, SplitNode])), {}),
});
export type Layout = z.infer<typeof Layout>;

export type Side = "left" | "right" | "top" | "bottom";

/** Where a panel is put: among an area's tabs, at a side of it, at a side of everything, or floating. */
export type Target =
  | { readonly areaId: string; readonly index?: number }
  | { readonly areaId: string; readonly side: Side }
  | { readonly side: Side }
  | { readonly float: FloatPlace };

/** No area gets smaller than this share of its split. */
export const LEAST_SHARE = 0.06;

/** A kept layout, or undefined when it is none that this version understands. */
export function readLayout(json: unknown): Layout | undefined {
  const found = Layout.safeParse(json);
  if (!found.success) return undefined;
  const ids = panelsOf(found.data).map(({ id }) => id);
  return new Set(ids).size === ids.length ? tidy(found.data) : undefined;
}

/** A layout as a slice describes it; panels for which `isThere` is false are left out. */
export function makeLayout(area: Area, screen: string, isThere: (kind: string) => boolean): Layout {
  const counts = new Map<string, number>();
  const panelRef = (kind: string): PanelRef => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return { id: `${screen}.${kind}${count === 1 ? "" : `-${count}`}`, kind };
  };
  let areas = 0;
  const build = (from: Area): LayoutNode => {
    if ("split" in from) {
      const given = from.areas.map((one) => one.size ?? 1 / from.areas.length);
      return {
        type: "split",
        id: `s${++areas}`,
        direction: from.split,
        sizes: given,
        children: from.areas.map(build),
      };
    }
    const panels = from.panels.filter(isThere).map(panelRef);
    const active = panels.find(({ kind }) => kind === from.active) ?? panels[0];
    return { type: "area", id: `a${++areas}`, panels, active: active?.id ?? "" };
  };
  return tidy({ version: 1, root: build(area), floats: [], maximised: null, windows: [], homes: {} });
}

/** All areas, in the order in which one meets them, floating ones last. */
export function areasOf({ root, floats }: Layout): AreaNode[] {
  return [...areasIn(root), ...floats.map(({ area }) => area)];
}

function areasIn(node: LayoutNode): AreaNode[] {
  return node.type === "area" ? [node] : node.children.flatMap(areasIn);
}

/** All panels, those in other windows last. */
export function panelsOf(layout: Layout): PanelRef[] {
  return [...areasOf(layout).flatMap(({ panels }) => panels), ...layout.windows];
}

export function areaOf(layout: Layout, panelId: string): AreaNode | undefined {
  return areasOf(layout).find(({ panels }) => panels.some(({ id }) => id === panelId));
}

/** Shows a panel that is a tab. */
export function activate(layout: Layout, panelId: string): Layout {
  const area = areaOf(layout, panelId);
  return area ? editArea(layout, area.id, (one) => ({ ...one, active: panelId })) : layout;
}

/** Adds a panel that is not in the layout yet. */
export function addPanel(layout: Layout, panel: PanelRef, to: Target): Layout {
  return tidy(place(layout, panel, to));
}

/** Moves a panel; what it leaves empty goes. */
export function movePanel(layout: Layout, panelId: string, to: Target): Layout {
  const panel = panelsOf(layout).find(({ id }) => id === panelId);
  if (!panel) return layout;
  const from = areaOf(layout, panelId);
  const isAlone = from?.panels.length === 1;
  // Onto itself: there is nothing to move, and its own area would be gone.
  if (isAlone && "areaId" in to && to.areaId === from.id) return layout;
  const homes = "float" in to ? homesWith(layout, panelId) : homesWithout(layout, panelId);
  return tidy(place({ ...take(layout, panelId), homes }, panel, to));
}

/** Puts a panel that floats, or is in a window, back where it was; beside everything where that place is gone. */
export function bringBack(layout: Layout, panelId: string): Layout {
  const panel = panelsOf(layout).find(({ id }) => id === panelId);
  const beside = movePanel(layout, panelId, { side: "right" });
  const home = layout.homes[panelId];
  if (!panel || !home) return beside;
  const rest = tidy(take(layout, panelId));
  const here = new Set(panelsIn(rest.root));
  const root = tidyNode(only(home, (id) => id === panelId || here.has(id)));
  const restOfHome = root && tidyNode(only(root, (id) => id !== panelId));
  // Whoever has arranged the others anew since does not get the old order back.
  const isSame = root && shapeOf(restOfHome) === (here.size === 0 ? shapeOf(undefined) : shapeOf(rest.root));
  if (!isSame) return beside;
  const floating = new Set(rest.floats.map(({ area }) => area.id));
  const back = renamed(activeIn(root, panelId), (id) => floating.has(id));
  return tidy({ ...rest, root: back, homes: homesWithout(layout, panelId) });
}

/** Takes a panel out for good. */
export function closePanel(layout: Layout, panelId: string): Layout {
  return tidy(take(layout, panelId));
}

/** Another kind of panel in the same spot. */
export function replacePanel(layout: Layout, panelId: string, by: PanelRef): Layout {
  const area = areaOf(layout, panelId);
  if (!area) return layout;
  return editArea(layout, area.id, (one) => ({
    ...one,
    panels: one.panels.map((panel) => panel.id === panelId ? by : panel),
    active: one.active === panelId ? by.id : one.active,
  }));
}

/** The area takes over what lies beside it on that side; the panels there become its tabs. */
export function joinArea(layout: Layout, areaId: string, side: Side): Layout {
  const found = neighbourNode(layout.root, areaId, side);
  if (!found) return layout;
  const gained = areasIn(found.node);
  const goneIds = new Set(gained.map(({ id }) => id));
  const root = edit(layout.root, (node) => node.type === "area" && goneIds.has(node.id) ? empty(node) : node);
  const wider = edit(
    root,
    (node) => node.type === "split" && node.id === found.split.id ? grow(node, found) : node,
  );
  return tidy(
    editArea({ ...layout, root: wider }, areaId, (area) => ({
      ...area,
      panels: [...area.panels, ...gained.flatMap(({ panels }) => panels)],
    })),
  );
}

/** The area beside another one on that side, or undefined at the rim. */
export function neighbour(layout: Layout, areaId: string, side: Side): AreaNode | undefined {
  const found = neighbourNode(layout.root, areaId, side);
  if (!found) return undefined;
  const inside = areasIn(found.node);
  return side === "left" || side === "top" ? inside.at(-1) : inside[0];
}

/** The areas of a split at new shares; none gets smaller than the least. */
export function setSizes(layout: Layout, splitId: string, sizes: readonly number[]): Layout {
  const root = edit(
    layout.root,
    (node) => node.type === "split" && node.id === splitId ? { ...node, sizes: share(sizes) } : node,
  );
  return { ...layout, root };
}

/** Moves the border behind the child `index` of a split by a share of it. */
export function moveBorder(layout: Layout, splitId: string, index: number, by: number): Layout {
  const split = findSplit(layout.root, splitId);
  const before = split?.sizes[index];
  const after = split?.sizes[index + 1];
  if (!split || before === undefined || after === undefined) return layout;
  const step = Math.max(LEAST_SHARE - before, Math.min(after - LEAST_SHARE, by));
  if (before + after < 2 * LEAST_SHARE) return layout;
  const sizes = split.sizes.with(index, before + step).with(index + 1, after - step);
  return setSizes(layout, splitId, sizes);
}

/** The area fills the dock; the same again gives the others back. */
export function toggleMaximised(layout: Layout, areaId: string): Layout {
  return { ...layout, maximised: layout.maximised === areaId ? null : areaId };
}

/** Puts a floating area elsewhere. */
export function moveFloat(layout: Layout, areaId: string, to: FloatPlace): Layout {
  const floats = layout.floats.map((one) => one.area.id === areaId ? { ...one, ...within(to) } : one);
  return { ...layout, floats };
}

/** Brings a floating area to the front. */
export function raiseFloat(layout: Layout, areaId: string): Layout {
  const found = layout.floats.find(({ area }) => area.id === areaId);
  if (!found || layout.floats.at(-1) === found) return layout;
  return { ...layout, floats: [...layout.floats.filter((one) => one !== found), found] };
}

/** Sends a panel to a window of its own: here it is gone until it comes back. */
export function sendToWindow(layout: Layout, panelId: string): Layout {
  const panel = panelsOf(layout).find(({ id }) => id === panelId);
  if (!panel) return layout;
  const left = take(layout, panelId);
  return tidy({ ...left, windows: [...left.windows, panel], homes: homesWith(layout, panelId) });
}

/** An id that no panel of the layout has. */
export function freshPanelId(layout: Layout, screen: string, kind: string): string {
  const taken = new Set(panelsOf(layout).map(({ id }) => id));
  for (let count = 1;; count++) {
    const id = `${screen}.${kind}${count === 1 ? "" : `-${count}`}`;
    if (!taken.has(id)) return id;
  }
}

function place(layout: Layout, panel: PanelRef, to: Target): Layout {
  if ("float" in to) {
    const area: AreaNode = {
      type: "area",
      id: freshId(layout.floats, layout.root),
      panels: [panel],
      active: panel.id,
    };
    return { ...layout, floats: [...layout.floats, { area, ...within(to.float) }] };
  }
  // What floats is one area and is not divided.
  const isTab = !("side" in to) ||
    ("areaId" in to && layout.floats.some(({ area }) => area.id === to.areaId));
  if (isTab && "areaId" in to) {
    const at = "index" in to ? to.index : undefined;
    return editArea(layout, to.areaId, (area) => ({
      ...area,
      panels: area.panels.toSpliced(at ?? area.panels.length, 0, panel),
      active: panel.id,
    }));
  }
  if (!("side" in to)) return layout;
  const areaId = "areaId" in to ? to.areaId : undefined;
  const fresh = freshId(layout.floats, layout.root);
  const area: AreaNode = { type: "area", id: fresh, panels: [panel], active: panel.id };
  const splitBy = (node: LayoutNode, share: number): SplitNode => {
    const isFirst = to.side === "left" || to.side === "top";
    return {
      type: "split",
      id: `${fresh}s`,
      direction: to.side === "left" || to.side === "right" ? "row" : "column",
      sizes: isFirst ? [share, 1 - share] : [1 - share, share],
      children: isFirst ? [area, node] : [node, area],
    };
  };
  if (areaId === undefined) return { ...layout, root: splitBy(layout.root, 1 / 4) };
  return {
    ...layout,
    root: edit(
      layout.root,
      (node) => node.type === "area" && node.id === areaId ? splitBy(node, 1 / 2) : node,
    ),
  };
}

/** The homes of those that are away, and of one more that leaves. */
function homesWith(layout: Layout, panelId: string): Layout["homes"] {
  if (!panelsIn(layout.root).includes(panelId)) return layout.homes;
  // As if all others were there: so it is no matter in which order they come back.
  const whole = Object.keys(layout.homes).reduce(bringBack, layout);
  return { ...layout.homes, [panelId]: whole.root };
}

function homesWithout({ homes }: Layout, panelId: string): Layout["homes"] {
  const { [panelId]: _, ...others } = homes;
  return others;
}

/** A tree whose areas and splits have other ids where theirs are taken. */
function renamed(root: LayoutNode, isTaken: (id: string) => boolean): LayoutNode {
  const mine = new Set(idsIn(root));
  return edit(root, (node) => {
    let { id } = node;
    while (isTaken(id) || (id !== node.id && mine.has(id))) id += "h";
    return { ...node, id };
  });
}

function panelsIn(node: LayoutNode): string[] {
  return areasIn(node).flatMap(({ panels }) => panels.map(({ id }) => id));
}

/** A tree with those of its panels that are wanted; areas may be left empty. */
function only(node: LayoutNode, isWanted: (panelId: string) => boolean): LayoutNode {
  return edit(
    node,
    (one) => one.type === "area" ? { ...one, panels: one.panels.filter(({ id }) => isWanted(id)) } : one,
  );
}

function activeIn(node: LayoutNode, panelId: string): LayoutNode {
  return edit(
    node,
    (one) =>
      one.type === "area" && one.panels.some(({ id }) => id === panelId) ? { ...one, active: panelId } : one,
  );
}

/** How panels stand to each other, whatever their sizes. */
function shapeOf(node: LayoutNode | undefined): string {
  if (!node) return "";
  return node.type === "area"
    ? `[${node.panels.map(({ id }) => id).join()}]`
    : `${node.direction}(${node.children.map(shapeOf).join()})`;
}

/** The layout without a panel; its area may be left empty. */
function take(layout: Layout, panelId: string): Layout {
  const windows = layout.windows.filter(({ id }) => id !== panelId);
  const area = areaOf(layout, panelId);
  if (!area) return { ...layout, windows };
  const at = area.panels.findIndex(({ id }) => id === panelId);
  const panels = area.panels.toSpliced(at, 1);
  const active = area.active === panelId ? (panels[at] ?? panels.at(-1))?.id ?? "" : area.active;
  return editArea({ ...layout, windows }, area.id, (one) => ({ ...one, panels, active }));
}

function editArea(layout: Layout, areaId: string, change: (area: AreaNode) => AreaNode): Layout {
  return {
    ...layout,
    root: edit(layout.root, (node) => node.type === "area" && node.id === areaId ? change(node) : node),
    floats: layout.floats.map((one) => one.area.id === areaId ? { ...one, area: change(one.area) } : one),
  };
}

/** Every node changed, from the leaves up. */
function edit(node: LayoutNode, change: (node: LayoutNode) => LayoutNode): LayoutNode {
  return change(
    node.type === "area" ? node : { ...node, children: node.children.map((one) => edit(one, change)) },
  );
}

function empty(area: AreaNode): AreaNode {
  return { ...area, panels: [], active: "" };
}

/** No empty areas, no split of one, no split right inside one of the same direction; shares that add up. */
function tidy(layout: Layout): Layout {
  const floats = layout.floats.filter(({ area }) => area.panels.length > 0);
  // When all panels float, the empty ground must not take the id of one of their areas.
  const root: LayoutNode = tidyNode(layout.root) ??
    { type: "area", id: freshId(floats), panels: [], active: "" };
  const tidied = { ...layout, root, floats };
  const isThere = areasOf(tidied).some(({ id }) => id === layout.maximised);
  return isThere ? tidied : { ...tidied, maximised: null };
}

function tidyNode(node: LayoutNode): LayoutNode | undefined {
  if (node.type === "area") {
    if (node.panels.length === 0) return undefined;
    const isShown = node.panels.some(({ id }) => id === node.active);
    return isShown ? node : { ...node, active: node.panels[0]?.id ?? "" };
  }
  const children: LayoutNode[] = [];
  const sizes: number[] = [];
  for (const [index, child] of node.children.entries()) {
    const kept = tidyNode(child);
    const size = node.sizes[index] ?? 0;
    if (kept?.type === "split" && kept.direction === node.direction) {
      children.push(...kept.children);
      sizes.push(...kept.sizes.map((inner) => inner * size));
    } else if (kept) {
      children.push(kept);
      sizes.push(size);
    }
  }
  return children.length < 2 ? children[0] : { ...node, children, sizes: share(sizes) };
}

/** Shares that add up to 1, none of them too small to be seen; what is so already stays as it is. */
function share(sizes: readonly number[]): number[] {
  const least = Math.min(LEAST_SHARE, 1 / sizes.length);
  const sound = sizes.map((size) => Number.isFinite(size) && size > 0 ? size : 0);
  const sum = sound.reduce((total, size) => total + size, 0);
  if (Math.abs(sum - 1) < 1e-9 && sound.every((size) => size > least - 1e-9)) return sound;
  // What goes beyond the least is what can be divided in proportion.
  const beyond = sound.map((size) => Math.max(0, sum > 0 ? size / sum - least : 0));
  const total = beyond.reduce((all, one) => all + one, 0);
  const free = 1 - least * sizes.length;
  return beyond.map((one) => least + (total > 0 ? one / total : 1 / sizes.length) * free);
}

function within({ left, top, width, height }: FloatPlace): FloatPlace {
  const wide = Math.min(1, Math.max(0.15, width));
  const high = Math.min(1, Math.max(0.15, height));
  return {
    left: Math.min(1 - wide, Math.max(0, left)),
    top: Math.min(1 - high, Math.max(0, top)),
    width: wide,
    height: high,
  };
}

interface Beside {
  readonly split: SplitNode;
  /** Where the area, or the split in which it is, stands among the children. */
  readonly index: number;
  readonly node: LayoutNode;
  readonly nodeIndex: number;
}

/** What lies beside an area: the neighbour in the innermost split of that direction which has one. */
function neighbourNode(root: LayoutNode, areaId: string, side: Side): Beside | undefined {
  if (root.type === "area") return undefined;
  const index = root.children.findIndex((child) => areasIn(child).some(({ id }) => id === areaId));
  const child = root.children[index];
  if (!child) return undefined;
  const inner = neighbourNode(child, areaId, side);
  if (inner) return inner;
  if ((root.direction === "row") !== (side === "left" || side === "right")) return undefined;
  const nodeIndex = index + (side === "left" || side === "top" ? -1 : 1);
  const node = root.children[nodeIndex];
  return node && { split: root, index, node, nodeIndex };
}

function grow(split: SplitNode, { index, nodeIndex }: Beside): SplitNode {
  const sizes = split.sizes.with(index, (split.sizes[index] ?? 0) + (split.sizes[nodeIndex] ?? 0));
  return { ...split, sizes };
}

function findSplit(node: LayoutNode, splitId: string): SplitNode | undefined {
  if (node.type === "area") return undefined;
  if (node.id === splitId) return node;
  return node.children.map((child) => findSplit(child, splitId)).find((found) => found !== undefined);
}

/** An id for an area that no area or split has. */
function freshId(floats: Layout["floats"], root?: LayoutNode): string {
  const taken = new Set([...(root ? idsIn(root) : []), ...floats.map(({ area }) => area.id)]);
  for (let count = 1;; count++) {
    if (!taken.has(`a${count}`) && !taken.has(`a${count}s`)) return `a${count}`;
  }
}

function idsIn(node: LayoutNode): string[] {
  return node.type === "area" ? [node.id] : [node.id, ...node.children.flatMap(idsIn)];
}
