import { type Graph, linksOf } from "./graph.ts";

/**
 * Which node runs next. Only what the wanted outputs need and the cache lacks is in it. Among ready nodes the
 * order is ComfyUI's: an output first, else a node that feeds an output, else one two steps from an output,
 * else the one that was asked for first.
 */
export interface ExecutionList {
  readonly isEmpty: boolean;
  /** The node to run now; undefined when every pending node waits for another (a cycle). */
  pick(): string | undefined;
  /** Takes a finished node out, which may make others ready. */
  complete(id: string): void;
}

/** Plans `outputs` over `graph`. `isCached` is asked once per link, while planning. */
export function planExecution(
  graph: Graph,
  outputs: Iterable<string>,
  isCached: (id: string) => boolean,
): ExecutionList {
  /** Pending nodes, in the order in which they were asked for, with the number of nodes each waits for. */
  const waiting = new Map<string, number>();
  /** Nodes that wait for a node. */
  const blocking = new Map<string, Set<string>>();

  function add(first: string): void {
    const open = [first];
    const links: [source: string, target: string][] = [];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (waiting.has(id)) continue;
      waiting.set(id, 0);
      blocking.set(id, new Set());
      const node = graph.get(id);
      for (const [, [source]] of node ? linksOf(node) : []) {
        if (!graph.has(source) || isCached(source)) continue;
        open.push(source);
        links.push([source, id]);
      }
    }
    for (const [source, target] of links) {
      const targets = blocking.get(source);
      if (!targets || targets.has(target)) continue;
      targets.add(target);
      waiting.set(target, (waiting.get(target) ?? 0) + 1);
    }
  }

  const isOutput = (id: string) => graph.get(id)?.spec.outputNode === true;
  const feedsOutput = (id: string) => [...blocking.get(id) ?? []].some(isOutput);
  const isTwoSteps = (id: string) => [...blocking.get(id) ?? []].some(feedsOutput);

  for (const output of outputs) add(output);

  return {
    get isEmpty() {
      return waiting.size === 0;
    },
    pick() {
      const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
      return ready.find(isOutput) ?? ready.find(feedsOutput) ?? ready.find(isTwoSteps) ?? ready[0];
    },
    complete(id) {
      waiting.delete(id);
      for (const target of blocking.get(id) ?? []) {
        const count = waiting.get(target);
        if (count !== undefined) waiting.set(target, count - 1);
      }
      blocking.delete(id);
    },
  };
}
