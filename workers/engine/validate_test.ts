import { assertEquals } from "@std/assert/mod.js";
import { coerce, CoercionError } from "./coerce.ts";
import { parseGraph, type Registry } from "./graph.ts";
import { REGISTRY } from "./nodes/registry.ts";
import { defineNode, type Folders } from "./nodes/node_spec.ts";
import { typesMatch, validateOutputs } from "./validate.ts";

const folders: Folders = { input: "/none", output: "/none", temp: "/none", models: "/none" };

const judged = defineNode({
  classType: "TestJudged",
  category: "test",
  required: { name: [["a", "b"]], level: ["FLOAT", { min: 0.5, max: 2 }] },
  outputs: [{ type: "*" }],
  outputNode: true,
  validates: ["name"],
  validate: ({ name }) => name === "odd" ? "odd is not liked" : true,
  run: () => ({ outputs: [] }),
});
const registry: Registry = new Map([...REGISTRY, [judged.classType, judged]]);

async function judge(prompt: Record<string, unknown>, outputs: string[]) {
  const parsed = parseGraph(prompt, registry);
  if (!("graph" in parsed)) throw new Error("The graph can't be read");
  return await validateOutputs(parsed.graph, outputs, folders);
}

/** `node: type details` of every error. */
async function complaints(prompt: Record<string, unknown>, outputs: string[]): Promise<string[]> {
  const { nodeErrors } = await judge(prompt, outputs);
  return Object.entries(nodeErrors).flatMap(([id, { errors }]) =>
    errors.map(({ type, details }) => `${id}: ${type} ${details}`)
  );
}

const preview = (source: unknown) => ({ class_type: "PreviewAny", inputs: { source } });
const save = (images: unknown) => ({ class_type: "SaveImage", inputs: { images, filename_prefix: "x" } });

Deno.test("links are judged as ComfyUI judges them", async () => {
  const number = { class_type: "PrimitiveInt", inputs: { value: 1 } };
  assertEquals(await complaints({ 1: number, 2: save(["1", 0]) }, ["2"]), [
    "2: return_type_mismatch images, received_type(INT) mismatch input_type(IMAGE)",
  ]);
  assertEquals(await complaints({ 2: save(["9", 0]) }, ["2"]), ["2: exception_during_validation '9'"]);
  assertEquals(await complaints({ 1: number, 2: preview([1, 0]) }, ["2"]), [
    "2: exception_during_validation 1",
  ]);
  assertEquals(await complaints({ 1: number, 2: preview(["1", 3]) }, ["2"]), [
    "2: exception_during_validation tuple index out of range",
  ]);
  assertEquals(await complaints({ 1: number, 2: preview(["1", 0, 0]) }, ["2"]), [
    "2: bad_linked_input source",
  ]);
  // A fault inside is told of the node that has it, by the one that needs it.
  const inner = { class_type: "ImageInvert", inputs: { image: ["9", 0] } };
  assertEquals(await complaints({ 1: inner, 2: save(["1", 0]) }, ["2"]), [
    "1: exception_during_inner_validation '9'",
  ]);
  // A wire that may carry anything does not satisfy an IMAGE input, but one for anything takes all.
  assertEquals([typesMatch("*", "IMAGE"), typesMatch("IMAGE", "*"), typesMatch("INT", "FLOAT,INT")], [
    false,
    true,
    true,
  ]);
});

Deno.test("a cycle is told of the node where it closes, with its nodes", async () => {
  const invert = (from: string) => ({ class_type: "ImageInvert", inputs: { image: [from, 0] } });
  const { nodeErrors, goodOutputs } = await judge({ 1: invert("2"), 2: invert("1"), 3: save(["1", 0]) }, [
    "3",
  ]);
  assertEquals(goodOutputs, []);
  assertEquals(
    Object.entries(nodeErrors).map(([id, { errors }]) => [id, errors[0]?.type, errors[0]?.extra_info]),
    [
      ["1", "dependency_cycle", { cycle_nodes: ["1", "2"] }],
    ],
  );
});

Deno.test("literals are coerced in place, checked, and left to the node where it judges them itself", async () => {
  const prompt = { 1: { class_type: "TestJudged", inputs: { name: "unlisted", level: "1.5" } } };
  assertEquals(await complaints(prompt, ["1"]), []);
  assertEquals(prompt[1].inputs.level as unknown, 1.5);
  const wrong = { 1: { class_type: "TestJudged", inputs: { name: "odd", level: 0 } } };
  const { nodeErrors, summary } = await judge(wrong, ["1"]);
  assertEquals(nodeErrors["1"]?.errors.map(({ message }) => message), [
    "Value 0.0 smaller than min of 0.5",
    "Custom validation failed for node",
  ]);
  assertEquals(
    summary,
    "Value 0.0 smaller than min of 0.5: level\nCustom validation failed for node: name - odd is not liked",
  );
});

Deno.test("a wrapped list is a literal, and a missing file is the node's complaint", async () => {
  const prompt = { 1: preview({ __value__: ["1", 0] }) };
  assertEquals(await complaints(prompt, ["1"]), []);
  assertEquals(prompt[1].inputs.source, ["1", 0]);
  const missing = { 1: { class_type: "LoadImage", inputs: { image: "missing.png" } }, 2: save(["1", 0]) };
  const listing = { ...folders, input: await Deno.makeTempDir() };
  const parsed = parseGraph(missing, registry);
  if (!("graph" in parsed)) throw new Error("The graph can't be read");
  const { nodeErrors } = await validateOutputs(parsed.graph, ["2"], listing);
  await Deno.remove(listing.input);
  assertEquals(nodeErrors["1"]?.errors[0]?.details, "image - Invalid image file: missing.png");
});

Deno.test("coerce does what Python's conversions do", () => {
  const cases: [string, unknown, unknown][] = [
    ["INT", " 12 ", 12],
    ["INT", -3.7, -3],
    ["INT", true, 1],
    ["INT", "18446744073709551615", 18446744073709551615n],
    ["FLOAT", "1e3", 1000],
    ["FLOAT", ".5", 0.5],
    ["STRING", true, "True"],
    ["STRING", null, "None"],
    ["STRING", { a: ["b", 1] }, "{'a': ['b', 1]}"],
    ["BOOLEAN", "false", true],
    ["BOOLEAN", "", false],
    ["BOOLEAN", [], false],
    ["IMAGE", "x", "x"],
  ];
  for (const [type, given, wanted] of cases) assertEquals(coerce(type, given), wanted);
  const message = (type: string, given: unknown) => {
    try {
      coerce(type, given);
    } catch (error) {
      if (error instanceof CoercionError) return error.message;
    }
    return "no error";
  };
  assertEquals(message("INT", "1.5"), "invalid literal for int() with base 10: '1.5'");
  assertEquals(message("FLOAT", "x"), "could not convert string to float: 'x'");
  assertEquals(
    message("INT", null),
    "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
  );
});
