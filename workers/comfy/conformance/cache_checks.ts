import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { holds, outline, same } from "./assert.ts";
import { type Check, check, isAtLeast } from "./check.ts";
import { oneImage, twoOutputs } from "./graphs.ts";
import type { Facts } from "./peer.ts";

/** What is computed again and what is not. */
export const CACHE_CHECKS: readonly Check[] = [
  check("the same graph again is served whole, with the same files", async (peer) => {
    const graph = twoOutputs(peer.freshPrefix(), peer.freshColor());
    const first = await peer.run(graph);
    const second = await peer.run(graph);
    const told = outline(second.messages).filter((line) => line !== "status");
    same(told[1], "cached 1,2,3,4", "execution_cached");
    same(told.filter((line) => line.startsWith("executing")), [], "executing");
    same(told.filter((line) => line.startsWith("executed")).sort(), ["executed 3", "executed 4"], "executed");
    same(second.outputs["3"], first.outputs["3"], "files of node 3");
    same(second.outputs["4"], first.outputs["4"], "files of node 4");
  }, { skip: withoutCache }),

  check("a changed prefix runs the save node alone and makes a new file", async (peer) => {
    const graph = twoOutputs(peer.freshPrefix(), peer.freshColor());
    await peer.run(graph);
    graph["3"]!.inputs.filename_prefix = peer.freshPrefix();
    const { messages } = await peer.run(graph);
    const told = outline(messages).filter((line) => line !== "status");
    same(told[1], "cached 1,2,4", "execution_cached");
    same(told.filter((line) => line.startsWith("executing")), ["executing 3"], "executing");
  }, { skip: withoutCache }),

  check("a renumbered graph is the same graph to the cache", async (peer) => {
    const graph = twoOutputs(peer.freshPrefix(), peer.freshColor());
    await peer.run(graph);
    const { messages } = await peer.run(renumbered(graph));
    same(outline(messages).filter((line) => line.startsWith("executing")), [], "executing");
  }, { skip: withoutCache }),

  check("A, B, A: the classic cache keeps only what the last graph used", async (peer) => {
    const a = oneImage(peer.freshPrefix(), peer.freshColor());
    const b = oneImage(peer.freshPrefix(), peer.freshColor());
    await peer.run(a);
    await peer.run(b);
    const told = outline((await peer.run(a)).messages);
    same(
      told.filter((line) => line.startsWith("executing")),
      ["executing 1", "executing 2"],
      "executing of the second A",
    );
  }, { skip: (facts) => isClassic(facts) ? undefined : "its cache keeps more" }),

  check("A, B, A: a cache that keeps more serves the second A", async (peer) => {
    const a = oneImage(peer.freshPrefix(), peer.freshColor());
    const first = await peer.run(a);
    await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()));
    const { messages, outputs } = await peer.run(a);
    same(outline(messages).filter((line) => line.startsWith("executing")), [], "executing of the second A");
    same(outputs, first.outputs, "outputs of the second A");
  }, {
    skip: (facts) => withoutCache(facts) ?? (isClassic(facts) ? "its cache is the classic one" : undefined),
  }),

  check("an unlike input computes anew", async (peer) => {
    const prefix = peer.freshPrefix();
    await peer.run(oneImage(prefix, peer.freshColor()));
    const { messages } = await peer.run(oneImage(prefix, peer.freshColor()));
    holds(outline(messages).includes("executing 1"), "served from the cache");
  }),

  check("/free with free_memory forgets results", async (peer) => {
    const graph = oneImage(peer.freshPrefix(), peer.freshColor());
    await peer.run(graph);
    const free = await peer.post("/free", { unload_models: true, free_memory: true });
    same([free.status, free.text], [200, ""], "answer");
    // An idle worker takes the flag up at its next turn: another prompt is one.
    await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()));
    const { messages } = await peer.run(graph);
    holds(outline(messages).includes("executing 2"), "still cached");
  }),
];

function withoutCache(facts: Facts): string | undefined {
  return facts.arguments.includes("--cache-none") ? "started with --cache-none" : undefined;
}

/** Keeps results of the last graph only: the default of older servers. */
function isClassic(facts: Facts): boolean {
  if (facts.arguments.includes("--cache-classic")) return true;
  if (facts.isEngine) return false;
  const other = ["--cache-lru", "--cache-none", "--cache-ram"].some((flag) => facts.arguments.includes(flag));
  return !other && !isAtLeast(facts, 0, 4);
}

function renumbered(graph: ApiGraph): ApiGraph {
  const id = (old: string) => `n${Number(old) * 7}`;
  return Object.fromEntries(
    Object.entries(graph).map(([old, node]) => {
      const inputs = Object.entries(node.inputs).map(([name, value]) => [
        name,
        Array.isArray(value) ? [id(String(value[0])), value[1]] : value,
      ]);
      return [id(old), { ...node, inputs: Object.fromEntries(inputs) }];
    }),
  );
}
