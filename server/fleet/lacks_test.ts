import { assertEquals } from "@std/assert/mod.js";
import { listLacks } from "./lacks.ts";

const NODES = {
  Load: { input: { required: { name: [["sub\\a.safetensors", "b.safetensors"]], mode: [["x"]] } } },
  New: { input: { optional: { name: ["COMBO", { options: ["a.gguf"] }] } } },
};
const node = (class_type: string, inputs: Record<string, unknown> = {}) => ({ class_type, inputs });

Deno.test("listLacks() names missing nodes and model files once, and takes both ways to write a folder", () => {
  const graph = {
    1: node("Load", { name: "sub/a.safetensors", mode: "y" }),
    2: node("Load", { name: "c.safetensors" }),
    3: node("Load", { name: "c.safetensors" }),
    4: node("New", { name: "q.gguf" }),
    5: node("Gone"),
    6: node("SeedloopDrift"),
  };
  assertEquals(listLacks(graph, NODES), [
    "the model c.safetensors: put it where Load looks",
    "the model q.gguf: put it where New looks",
    "the node Gone: install the pack that has it",
    "the node SeedloopDrift: only the studio's own CPU engine has it",
  ]);
  assertEquals(listLacks({ 1: node("Load", { name: "b.safetensors" }) }, NODES), []);
  assertEquals(listLacks("no graph", NODES).length, 1);
});
