import { createHash } from "node:crypto";
import { type Graph, isLink, linksOf } from "./graph.ts";
import { toJson } from "./json_text.ts";
import type { Folders } from "./nodes/node_spec.ts";
import { literalsOf } from "./validate.ts";

/**
 * The cache key of every node: its type, literals and fingerprint, and those of all its ancestors by structure.
 * Node ids are no part of it, so a renumbered graph has the same keys; but a node that names a hidden
 * UNIQUE_ID has its id in its key, as it may show it.
 */
export async function signaturesOf(graph: Graph, folders: Folders): Promise<ReadonlyMap<string, string>> {
  const fingerprints = await takeFingerprints(graph, folders);
  const signatures = new Map<string, string>();
  for (const id of graph.keys()) signatures.set(id, signatureOf(id, graph, fingerprints));
  return signatures;
}

function signatureOf(id: string, graph: Graph, fingerprints: ReadonlyMap<string, unknown>): string {
  const order = orderAncestors(id, graph);
  const hash = createHash("sha256");
  for (const each of [id, ...order.keys()]) {
    const node = graph.get(each);
    if (!node) {
      hash.update(crypto.randomUUID());
      continue;
    }
    const inputs = Object.keys(node.inputs).sort().map((name) => {
      const value = node.inputs[name];
      return [name, isLink(value) ? { ancestor: order.get(value[0]), slot: value[1] } : { value }];
    });
    const ownId = Object.values(node.spec.hidden ?? {}).includes("UNIQUE_ID") ? [each] : [];
    hash.update(toJson([node.classType, fingerprints.get(each) ?? false, ...ownId, inputs]) + "\n");
  }
  return hash.digest("base64url");
}

/** Ancestors of a node, numbered in the order in which its sorted inputs lead to them. */
function orderAncestors(id: string, graph: Graph): ReadonlyMap<string, number> {
  const order = new Map<string, number>();
  const sorted = (of: string) => {
    const node = graph.get(of);
    return node ? linksOf(node).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, [source]]) => source) : [];
  };
  // Depth first with an own stack: a chain of thousands of nodes must not exhaust the call stack.
  const stack = [sorted(id)];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const next = top.shift();
    if (next === undefined) stack.pop();
    else if (!order.has(next)) {
      order.set(next, order.size);
      stack.push(sorted(next));
    }
  }
  return order;
}

async function takeFingerprints(graph: Graph, folders: Folders): Promise<ReadonlyMap<string, unknown>> {
  const fingerprints = new Map<string, unknown>();
  for (const node of graph.values()) {
    if (!node.spec.fingerprint) continue;
    // A value that is never the same twice makes the node run always.
    const always = crypto.randomUUID();
    try {
      const print = await node.spec.fingerprint(literalsOf(node.spec, node.inputs), folders);
      fingerprints.set(node.id, typeof print === "number" && Number.isNaN(print) ? always : print);
    } catch {
      fingerprints.set(node.id, always);
    }
  }
  return fingerprints;
}
