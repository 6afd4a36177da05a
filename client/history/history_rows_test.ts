import { assertEquals } from "@std/assert/mod.js";
import { HISTORY_START, type HistoryNode } from "#client/core/history.ts";
import { layOutHistory } from "./history_rows.ts";

/** "a<start b<a c<a": ids with their parents, oldest first. */
function lay(text: string, at: string) {
  const nodes = new Map(
    text.split(" ").map((pair): [string, HistoryNode] => {
      const [id = "", parentId = ""] = pair.split("<");
      return [id, { id, parentId, label: id, at: "2026-01-01T00:00:00Z" }];
    }),
  );
  const children = new Map<string, string[]>();
  for (const { id, parentId } of nodes.values()) {
    children.set(parentId, [...children.get(parentId) ?? [], id]);
  }
  return layOutHistory(nodes, children, at)
    .map(({ id, lane, through, parting }) => `${id}:${lane} |${through.join()} /${parting.join()}`);
}

Deno.test("layOutHistory() gives each branch a lane and the way to where one is the first", () => {
  assertEquals(lay(`a<${HISTORY_START} b<a c<a d<c`, "b"), [
    "d:1 | /",
    "c:1 | /",
    "b:0 |1 /",
    "a:0 | /1",
    "start:0 | /",
  ]);
  assertEquals(lay(`a<${HISTORY_START} b<a c<a d<c`, "d"), [
    "d:0 | /",
    "c:0 | /",
    "b:1 |0 /",
    "a:0 | /1",
    "start:0 | /",
  ]);
});

Deno.test("layOutHistory() lays out 10,000 changes at once", () => {
  const nodes = new Map<string, HistoryNode>();
  const children = new Map<string, string[]>();
  let parentId = HISTORY_START;
  for (let at = 0; at < 10_000; at++) {
    const id = String(at).padStart(5, "0");
    if (at % 10 === 9) parentId = String(at - 5).padStart(5, "0");
    nodes.set(id, { id, parentId, label: id, at: "2026-01-01T00:00:00Z" });
    children.set(parentId, [...children.get(parentId) ?? [], id]);
    parentId = id;
  }
  const rows = layOutHistory(nodes, children, "09999");
  assertEquals([rows.length, rows[0]?.id, rows.at(-1)?.id], [10_001, "09999", HISTORY_START]);
  assertEquals(rows.every(({ lane }) => lane >= 0 && lane < 8), true);
});
