import { assertEquals } from "@std/assert/mod.js";
import * as fc from "fast-check";
import { ancestorsOf, type Graph, linksOf, parseGraph } from "./graph.ts";
import { REGISTRY } from "./nodes/registry.ts";
import { planExecution } from "./order.ts";
import { G1, G2 } from "./testing/graphs.ts";

function graphOf(prompt: unknown): Graph {
  const parsed = parseGraph(prompt, REGISTRY);
  if (!("graph" in parsed)) throw new Error("The graph can't be read");
  return parsed.graph;
}

function run(graph: Graph, outputs: string[], cached: string[] = []): string[] {
  const list = planExecution(graph, outputs, (id) => cached.includes(id));
  const order: string[] = [];
  while (!list.isEmpty) {
    const id = list.pick();
    if (id === undefined) throw new Error("Nothing is ready");
    order.push(id);
    list.complete(id);
  }
  return order;
}

Deno.test("outputs come as soon as they can, as ComfyUI was seen to do", () => {
  assertEquals(run(graphOf(G1), ["3", "4"]), ["1", "4", "2", "3"]);
  assertEquals(run(graphOf(G2), ["5", "6"]), ["2", "1", "3", "6", "4", "5"]);
  assertEquals(run(graphOf(G1), ["3", "4"], ["1", "2"]), ["3", "4"]);
  assertEquals(run(graphOf(G1), ["4"]), ["1", "4"]);
});

Deno.test("every needed node runs once, after all that it needs", () => {
  // Node n takes two images of earlier nodes; the last ones are saved.
  const arbitrary = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 });
  fc.assert(fc.property(arbitrary, fc.nat(), (links, output) => {
    const prompt: Record<string, unknown> = {
      n0: { class_type: "EmptyImage", inputs: { width: 1, height: 1, batch_size: 1, color: 0 } },
    };
    links.forEach(([a, b], at) => {
      const image1 = [`n${a % (at + 1)}`, 0];
      prompt[`n${at + 1}`] = {
        class_type: "ImageBatch",
        inputs: { image1, image2: [`n${b % (at + 1)}`, 0] },
      };
    });
    prompt["out"] = { class_type: "SaveImage", inputs: { images: [`n${output % (links.length + 1)}`, 0] } };
    const graph = graphOf(prompt);
    const order = run(graph, ["out"]);
    assertEquals(new Set(order), ancestorsOf(graph, ["out"]));
    assertEquals(order.length, new Set(order).size);
    for (const node of graph.values()) {
      for (const [, [source]] of linksOf(node)) {
        if (order.includes(node.id)) assertEquals(order.indexOf(source) < order.indexOf(node.id), true);
      }
    }
  }));
});
