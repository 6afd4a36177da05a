import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { readCsv, readXml } from "./check_delivery.ts";
import { findFaults } from "./json_schema.ts";

Deno.test("readCsv reads quotes, commas and line ends inside cells", () => {
  assertEquals(readCsv('a,b\r\n"x, ""y""\r\nz",\r\n'), [["a", "b"], ['x, "y"\r\nz', ""]]);
});

Deno.test("readXml reads nested elements with their text and refuses what is not closed", () => {
  assertEquals(readXml('<?xml version="1.0"?>\n<a x="1"><b>1 &amp; 2</b><c/></a>').map((each) => each.path), [
    "a/b",
    "a/c",
    "a",
  ]);
  assertEquals(readXml("<a>1 &lt; 2</a>")[0]?.text, "1 < 2");
  assertThrows(() => readXml("<a><b></a></b>"), SyntaxError);
  assertThrows(() => readXml("<a>"), SyntaxError);
});

Deno.test("findFaults finds what a schema forbids, and keywords that it does not know", () => {
  const schema = {
    type: "object",
    properties: { n: { type: "integer", minimum: 1 }, s: { anyOf: [{ type: "string" }, { type: "null" }] } },
    required: ["n"],
    additionalProperties: false,
  };
  assertEquals(findFaults(schema, { n: 1, s: null }), []);
  assertEquals(findFaults(schema, {}), ["$.n is missing"]);
  assertEquals(findFaults(schema, { n: 0 }), ["$.n is too small: 0"]);
  assertEquals(findFaults(schema, { n: 1.5 }), ["$.n is number, not integer"]);
  assertEquals(findFaults(schema, { n: 1, s: 5 }).length, 2);
  assertEquals(findFaults(schema, { n: 1, x: 1 }), ["$.x may not be there"]);
  assertEquals(findFaults({ dependentRequired: {} }, 1), [
    "$: the schema's keyword dependentRequired is not known here",
  ]);
});
