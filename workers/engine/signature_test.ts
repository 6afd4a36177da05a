import { assertEquals, assertNotEquals } from "@std/assert/mod.js";
import { createCache } from "./cache.ts";
import { parseGraph, type Registry } from "./graph.ts";
import { batchOfBytes } from "./image_batch.ts";
import { defineNode, type Folders } from "./nodes/node_spec.ts";
import { REGISTRY } from "./nodes/registry.ts";
import { signaturesOf } from "./signature.ts";

const folders: Folders = { input: "/none", output: "/none", temp: "/none", models: "/none" };
let print: unknown = 1;
const printed = defineNode({
  classType: "TestPrinted",
  category: "test",
  required: {},
  outputs: [{ type: "IMAGE" }],
  fingerprint: () => print,
  run: () => ({ outputs: [] }),
});
const registry: Registry = new Map([...REGISTRY, [printed.classType, printed]]);

async function signature(prompt: Record<string, unknown>, id: string): Promise<string | undefined> {
  const parsed = parseGraph(prompt, registry);
  if (!("graph" in parsed)) throw new Error("The graph can't be read");
  return (await signaturesOf(parsed.graph, folders)).get(id);
}

const empty = (color: unknown) => ({
  class_type: "EmptyImage",
  inputs: { width: 8, height: 8, batch_size: 1, color },
});
const batch = (a: string, b: string) => ({
  class_type: "ImageBatch",
  inputs: { image1: [a, 0], image2: [b, 0] },
});

Deno.test("a signature knows literals and structure, and no ids", async () => {
  const first = await signature({ 1: empty(1), 2: empty(2), 3: batch("1", "2") }, "3");
  assertEquals(await signature({ c: batch("b", "a"), a: empty(2), b: empty(1) }, "c"), first);
  assertNotEquals(await signature({ 1: empty(1), 2: empty(2), 3: batch("2", "1") }, "3"), first);
  assertNotEquals(await signature({ 1: empty(1), 2: empty(3), 3: batch("1", "2") }, "3"), first);
  const turned = { class_type: "ImageBatch", inputs: { image2: ["2", 0], image1: ["1", 0] } };
  assertEquals(await signature({ 1: empty(1), 2: empty(2), 3: turned }, "3"), first);
  // A node that shows its id is another node elsewhere.
  const sized = (id: string) => ({
    1: empty(1),
    [id]: { class_type: "GetImageSize", inputs: { image: ["1", 0] } },
  });
  assertNotEquals(await signature(sized("5"), "5"), await signature(sized("6"), "6"));
  // Seeds that a double can't tell apart are apart.
  assertNotEquals(
    await signature({ 1: empty(9007199254740993n) }, "1"),
    await signature({ 1: empty(9007199254740992n) }, "1"),
  );
});

Deno.test("a fingerprint is part of the signature of all that follows; NaN is never the same", async () => {
  const prompt = () => ({ 1: { class_type: "TestPrinted", inputs: {} }, 2: batch("1", "1") });
  print = 1;
  const first = await signature(prompt(), "2");
  assertEquals(await signature(prompt(), "2"), first);
  print = 2;
  assertNotEquals(await signature(prompt(), "2"), first);
  print = NaN;
  assertNotEquals(await signature(prompt(), "2"), await signature(prompt(), "2"));
});

Deno.test("nodes of a cycle have signatures that never recur, and others are not touched by it", async () => {
  const prompt = () => ({ 1: empty(1), 2: batch("3", "1"), 3: batch("2", "1"), 4: batch("1", "1") });
  assertNotEquals(await signature(prompt(), "2"), await signature(prompt(), "2"));
  assertEquals(await signature(prompt(), "4"), await signature({ 1: empty(1), 4: batch("1", "1") }, "4"));
});

Deno.test("a chain of thousands of nodes has signatures", async () => {
  const prompt: Record<string, unknown> = { n0: empty(1) };
  for (let n = 1; n <= 5000; n++) {
    prompt[`n${n}`] = { class_type: "ImageInvert", inputs: { image: [`n${n - 1}`, 0] } };
  }
  assertEquals(typeof await signature(prompt, "n5000"), "string");
});

Deno.test("the cache keeps within its memory and drops what was unused longest", () => {
  const cache = createCache(3000_000);
  const record = () => {
    const image = batchOfBytes({ width: 1000, height: 1000, channels: 1 }, [new Uint8Array(1_000_000)]);
    return { outputs: [[image]], ui: undefined };
  };
  cache.set("a", record());
  cache.set("b", record());
  cache.get("a");
  cache.set("c", record());
  assertEquals([cache.get("a") !== undefined, cache.get("b"), cache.get("c") !== undefined], [
    true,
    undefined,
    true,
  ]);
  // What was just made stays even when it alone is too big.
  const image = batchOfBytes({ width: 4000, height: 1000, channels: 1 }, [new Uint8Array(4_000_000)]);
  cache.set("huge", { outputs: [[image]], ui: undefined });
  assertEquals([cache.get("huge") !== undefined, cache.get("a")], [true, undefined]);
  cache.clear();
  assertEquals(cache.memory, 0);
});
