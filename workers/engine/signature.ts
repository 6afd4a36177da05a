import { createHash } from "node:crypto";
import { type Graph, type GraphNode, isLink, linksOf } from "./graph.ts";
import { toJson } from "./json_text.ts";
import type { Folders } from "./nodes/node_spec.ts";
import { literalsOf } from "./validate.ts";

/**
 * The cache key of every node: its type, literals and fingerprint, and the keys of what it takes. Node ids are
 * no part of it, so a renumbered graph has the same keys; but a node that names a hidden UNIQUE_ID has its id
 * in its key, as it may show it. Nodes of a cycle (which nothing that runs needs) get keys that never recur.
 */
export async function signaturesOf(graph: Graph, folders: Folders): Promise<ReadonlyMap<string, string>> {
  const fingerprints = await takeFingerprints(graph, folders);
  const signatures = new Map<string, string>();
  const entered = new Set<string>();
  const open = [...graph.values()].toReversed();
  for (let node = open.at(-1); node; node = open.at(-1)) {
    if (entered.has(node.id)) {
      open.pop();
      if (!signatures.has(node.id)) signatures.set(node.id, sign(node, fingerprints, signatures));
      continue;
    }
    entered.add(node.id);
    open.push(...linksOf(node).flatMap(([, [source]]) => entered.has(source) ? [] : graph.get(source) ?? []));
  }
  // In the order of the request, in which cached nodes are announced.
  return new Map([...graph.keys()].map((id) => [id, signatures.get(id) ?? ""]));
}

function sign(
  node: GraphNode,
  fingerprints: ReadonlyMap<string, unknown>,
  signatures: ReadonlyMap<string, string>,
): string {
  const inputs = Object.keys(node.inputs).sort().map((name) => {
    const value = node.inputs[name];
    // What leads to no node, or back to itself, can't be cached.
    if (isLink(value)) {
      return [name, { from: signatures.get(value[0]) ?? crypto.randomUUID(), slot: value[1] }];
    }
    return [name, { value }];
  });
  const ownId = Object.values(node.spec.hidden ?? {}).includes("UNIQUE_ID") ? [node.id] : [];
  const parts = [node.classType, fingerprints.get(node.id) ?? false, ownId, inputs];
  return createHash("sha256").update(toJson(parts)).digest("base64url");
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
