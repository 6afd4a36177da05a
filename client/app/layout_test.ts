import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  addPanel,
  areaOf,
  areasOf,
  bringBack,
  closePanel,
  freshPanelId,
  joinArea,
  type Layout,
  type LayoutNode,
  makeLayout,
  moveBorder,
  movePanel,
  neighbour,
  panelsOf,
  readLayout,
  sendToWindow,
  type Side,
  type Target,
} from "./layout.ts";

const THREE = makeLayout(
  {
    split: "row",
    areas: [
      { panels: ["outline"], size: 0.2 },
      { split: "column", areas: [{ panels: ["clip", "scene"] }, { panels: ["curves"] }], size: 0.6 },
      { panels: ["inspector", "unknown"], size: 0.2 },
    ],
  },
  "clips",
  (kind) => kind !== "unknown",
);

const SIDES: readonly Side[] = ["left", "right", "top", "bottom"];

/** Every law that a layout keeps, whatever was done to it. */
function holdLaws(layout: Layout): void {
  const ids = panelsOf(layout).map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
  const areaIds = areasOf(layout).map(({ id }) => id);
  assertEquals(new Set(areaIds).size, areaIds.length);
  for (const area of areasOf(layout)) {
    if (area.panels.length === 0) assertEquals(area, layout.root);
    else assert(area.panels.some(({ id }) => id === area.active));
  }
  assert(layout.maximised === null || areaIds.includes(layout.maximised));
  const walk = (node: LayoutNode): void => {
    if (node.type === "area") return;
    assert(node.children.length >= 2);
    assertEquals(node.sizes.length, node.children.length);
    assertAlmostEquals(node.sizes.reduce((sum, size) => sum + size, 0), 1, 1e-9);
    for (const child of node.children) {
      assert(child.type === "area" || child.direction !== node.direction);
      walk(child);
    }
  };
  walk(layout.root);
  assertEquals(readLayout(JSON.parse(JSON.stringify(layout))), layout);
}

Deno.test("a layout loses no panel and keeps its laws, whatever is done to it", () => {
  const step = fc.record({
    verb: fc.constantFrom("move tab", "move side", "rim", "float", "join", "border", "add", "window", "back"),
    panel: fc.nat(30),
    area: fc.nat(30),
    side: fc.constantFrom(...SIDES),
    by: fc.double({ min: -1, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let layout = THREE;
      for (const { verb, panel, area, side, by } of steps) {
        const panels = panelsOf(layout);
        const panelId = panels[panel % panels.length]?.id ?? "";
        const areas = areasOf(layout);
        const areaId = areas[area % areas.length]?.id ?? "";
        const before = panels.map(({ id }) => id).sort();
        const to: Readonly<Record<string, Target>> = {
          "move tab": { areaId, index: panel % 3 },
          "move side": { areaId, side },
          "rim": { side },
          "float": { float: { left: by, top: by, width: by, height: by } },
        };
        const target = to[verb];
        if (target) layout = movePanel(layout, panelId, target);
        else if (verb === "join") layout = joinArea(layout, areaId, side);
        else if (verb === "border" && layout.root.type === "split") {
          layout = moveBorder(layout, layout.root.id, area % layout.root.children.length, by);
        } else if (verb === "window") layout = sendToWindow(layout, panelId);
        else if (verb === "back") layout = bringBack(layout, panelId);
        else if (verb === "add") {
          const id = freshPanelId(layout, "clips", "clip");
          layout = addPanel(layout, { id, kind: "clip" }, { areaId, side });
          if (areaOf(layout, id)) before.push(id);
          before.sort();
        }
        holdLaws(layout);
        assertEquals(panelsOf(layout).map(({ id }) => id).sort(), before);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("movePanel gives each area an id of its own, also when all of them float", () => {
  const float = { float: { left: 0, top: 0, width: 0.3, height: 0.3 } };
  let layout = makeLayout({ split: "row", areas: [{ panels: ["a", "b"] }] }, "s", () => true);
  for (const { id } of panelsOf(layout)) layout = movePanel(layout, id, float);
  holdLaws(layout);
});

Deno.test("bringBack puts panels where they were, in whichever order they come back", () => {
  const [clip, curves, outline] = ["clips.clip", "clips.curves", "clips.outline"] as const;
  const away = { float: { left: 0.2, top: 0.2, width: 0.3, height: 0.3 } };
  const out = sendToWindow(movePanel(sendToWindow(THREE, clip), curves, away), outline);
  const facts = ({ root, floats, windows }: Layout) => ({ root, floats, windows });
  for (const order of [[clip, curves, outline], [outline, clip, curves], [curves, outline, clip]]) {
    assertEquals(facts(order.reduce(bringBack, out)), facts(THREE));
  }
  // Who has arranged the others anew since does not lose that.
  const moved = movePanel(sendToWindow(THREE, clip), curves, { side: "left" });
  const back = bringBack(moved, clip);
  holdLaws(back);
  assertEquals(areasOf(back)[0]?.panels[0]?.id, curves);
});

Deno.test("makeLayout leaves out what is not there, and one panel can be there twice", () => {
  assertEquals(panelsOf(THREE).map(({ id }) => id), [
    "clips.outline",
    "clips.clip",
    "clips.scene",
    "clips.curves",
    "clips.inspector",
  ]);
  const twice = makeLayout(
    { split: "row", areas: [{ panels: ["clip"] }, { panels: ["clip"] }] },
    "s",
    () => true,
  );
  assertEquals(panelsOf(twice).map(({ id }) => id), ["s.clip", "s.clip-2"]);
  const none = makeLayout({ split: "row", areas: [{ panels: ["x"] }, { panels: ["y"] }] }, "s", () => false);
  assertEquals(none.root.type, "area");
});

Deno.test("closePanel shows the tab that takes its place, and its area goes with the last one", () => {
  const shown = areaOf(closePanel(THREE, "clips.clip"), "clips.scene");
  assertEquals(shown?.active, "clips.scene");
  const left = closePanel(closePanel(THREE, "clips.clip"), "clips.scene");
  assertEquals(areasOf(left).length, 3);
});

Deno.test("joinArea takes over the whole of what lies beside it", () => {
  const outline = areaOf(THREE, "clips.outline")?.id ?? "";
  const joined = joinArea(THREE, outline, "right");
  assertEquals(areaOf(joined, "clips.outline")?.panels.map(({ kind }) => kind), [
    "outline",
    "clip",
    "scene",
    "curves",
  ]);
  assertEquals(joined.root.type === "split" && joined.root.sizes.map((size) => Math.round(size * 10)), [
    8,
    2,
  ]);
  assertEquals(joinArea(THREE, outline, "left"), THREE);
});

Deno.test("neighbour finds the area beside, through splits", () => {
  const at = (panel: string, side: Side) =>
    neighbour(THREE, areaOf(THREE, panel)?.id ?? "", side)?.panels[0]?.kind;
  assertEquals(at("clips.outline", "right"), "clip");
  assertEquals(at("clips.curves", "top"), "clip");
  assertEquals(at("clips.curves", "right"), "inspector");
  assertEquals(at("clips.inspector", "right"), undefined);
});

Deno.test("readLayout refuses what is no layout of this version", () => {
  for (const bad of [null, {}, { ...THREE, version: 2 }, { ...THREE, root: { type: "area" } }]) {
    assertEquals(readLayout(bad), undefined);
  }
  const doubled = { ...THREE, windows: [{ id: "clips.clip", kind: "clip" }] };
  assertEquals(readLayout(doubled), undefined);
});
