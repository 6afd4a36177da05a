import { assertEquals } from "@std/assert/mod.js";
import { invert, NOTHING_SELECTED, reach } from "./list_selection.ts";
import { visibleRows } from "./virtual_rows.ts";

Deno.test("visibleRows() fills the view at every place, and never asks for rows that are not there", () => {
  for (const count of [0, 1, 5, 10_000]) {
    for (let top = 0; top <= count * 20; top += 7 * Math.max(1, Math.floor(count / 50))) {
      const { first, end, pool } = visibleRows({ top, viewHeight: 300, rowHeight: 20, count });
      assertEquals(first >= 0 && end <= count && end - first === pool, true, `${count} at ${top}`);
      const last = Math.min(count, Math.ceil((top + 300) / 20));
      assertEquals(first <= top / 20 && (end >= last || top > count * 20 - 300), true, `${count} at ${top}`);
    }
  }
});

Deno.test("reach() selects as lists everywhere do", () => {
  const order = ["a", "b", "c", "d", "e"];
  const ids = (selection: { ids: ReadonlySet<string> }) =>
    order.filter((id) => selection.ids.has(id)).join("");
  const one = reach(NOTHING_SELECTED, order, "b", "only");
  assertEquals(ids(one), "b");
  const some = reach(one, order, "d", "range");
  assertEquals(ids(some), "bcd");
  // Shift again goes from the same anchor, also backwards.
  assertEquals(ids(reach(some, order, "a", "range")), "ab");
  const toggled = reach(some, order, "c", "toggle");
  assertEquals([ids(toggled), toggled.active], ["bd", "c"]);
  const moved = reach(toggled, order, "e", "move");
  assertEquals([ids(moved), moved.active], ["bd", "e"]);
  assertEquals(ids(invert(moved, order)), "ace");
});
