import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { parseJson, withoutBigIntegers, writeJson } from "./json.ts";

Deno.test("parseJson reads NaN and Infinity as null, outside strings only", () => {
  const text = '{"a":[NaN,Infinity,-Infinity,1],"b":"NaN \\"Infinity\\" \\\\","c":NaN}';
  assertEquals(parseJson(text), { a: [null, null, null, 1], b: 'NaN "Infinity" \\', c: null });
  assertThrows(() => parseJson("{NaN"), SyntaxError);
  assertThrows(() => parseJson('{"a": "NaN'), SyntaxError);
});

Deno.test("parseJson keeps integers beyond 2^53 exactly, and floats as floats", () => {
  const text =
    '{"max":18446744073709551615,"low":-9223372036854775808,"safe":9007199254740991,"f":1e300,"g":0.1234567890123456789}';
  const parsed = parseJson(text);
  assertEquals(parsed, {
    max: 18446744073709551615n,
    low: -9223372036854775808n,
    safe: 9007199254740991,
    f: 1e300,
    g: 0.1234567890123456789,
  });
  assertEquals(parseJson('{"x":NaN,"max":18446744073709551615}'), { x: null, max: 18446744073709551615n });
});

Deno.test("writeJson writes bigints as integers", () => {
  assertEquals(
    writeJson({ seed: 18446744073709551615n, list: [1n] }),
    '{"seed":18446744073709551615,"list":[1]}',
  );
});

Deno.test("withoutBigIntegers makes a graph storable", () => {
  assertEquals(withoutBigIntegers({ a: [1n, { b: 2n }], c: "x" }), { a: [1, { b: 2 }], c: "x" });
});

Deno.test("parseJson gets through a long text with NaN", () => {
  const text = `{"t":"${"x\\\\".repeat(1_000_000)}","n":NaN}`;
  assertEquals((parseJson(text) as { n: unknown }).n, null);
});
