import { HISTORY_START, type HistoryNode } from "#client/core/history.ts";

/** Branches beyond this one share the last lane. */
export const MAX_LANES = 8;

/** A line of the history as it is drawn, the newest at the top. */
export interface HistoryRow {
  readonly id: string;
  /** Undefined for the start. */
  readonly node: HistoryNode | undefined;
  /** From 0 at the left. */
  readonly lane: number;
  /** Lanes whose line goes through this row from top to bottom. */
  readonly through: readonly number[];
  /** Whether the line of its own lane goes on above it. */
  readonly hasNext: boolean;
  /** Lanes that part here and go on above. */
  readonly parting: readonly number[];
  /** How many things were done next. */
  readonly branches: number;
}

/** The tree as rows: each branch in a lane of its own, the way that leads to `at` in the first one. */
export function layOutHistory(
  nodes: ReadonlyMap<string, HistoryNode>,
  children: ReadonlyMap<string, readonly string[]>,
  at: string,
): readonly HistoryRow[] {
  const main = new Set(lineOf(nodes, at));
  const order = [HISTORY_START, ...nodes.keys()];
  const lanes = new Map<string, number>([[HISTORY_START, 0]]);
  const heirs = new Map<string, string>();
  let used = 1;
  for (const id of order) {
    const next = children.get(id) ?? [];
    const heir = next.find((child) => main.has(child)) ?? next[0];
    if (heir === undefined) continue;
    heirs.set(id, heir);
    for (const child of next) {
      lanes.set(child, child === heir ? lanes.get(id) ?? 0 : Math.min(used++, MAX_LANES - 1));
    }
  }
  return drawRows(order, nodes, children, lanes, heirs);
}

function drawRows(
  order: readonly string[],
  nodes: ReadonlyMap<string, HistoryNode>,
  children: ReadonlyMap<string, readonly string[]>,
  lanes: ReadonlyMap<string, number>,
  heirs: ReadonlyMap<string, string>,
): readonly HistoryRow[] {
  // From the oldest up: how many lines of each lane wait for their next row.
  const open = new Map<number, number>();
  const change = (lane: number, by: number) => open.set(lane, (open.get(lane) ?? 0) + by);
  const rows = order.map((id): HistoryRow => {
    const lane = lanes.get(id) ?? 0;
    if (id !== HISTORY_START) change(lane, -1);
    const through = [...open].filter(([, count]) => count > 0).map(([one]) => one);
    const next = children.get(id) ?? [];
    for (const child of next) change(lanes.get(child) ?? 0, 1);
    const parting = next.filter((child) => child !== heirs.get(id)).map((child) => lanes.get(child) ?? 0);
    return {
      id,
      node: nodes.get(id),
      lane,
      through,
      hasNext: heirs.has(id),
      parting: [...new Set(parting)],
      branches: next.length,
    };
  });
  return rows.reverse();
}

function lineOf(nodes: ReadonlyMap<string, HistoryNode>, at: string): string[] {
  const line: string[] = [];
  for (let node = nodes.get(at); node; node = nodes.get(node.parentId)) line.push(node.id);
  return line;
}
