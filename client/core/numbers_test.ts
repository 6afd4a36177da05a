import { assertEquals } from "@std/assert/mod.js";
import { isSingular, writeNumber } from "./numbers.ts";

Deno.test("numbers are written as the language writes them, small counts too", () => {
  for (const language of ["en", "de"]) {
    for (const value of [0, 1, 7, 42, 999, 1000, 1234.5, -3, 1e9, NaN, Infinity]) {
      assertEquals(writeNumber(language, value), new Intl.NumberFormat(language).format(value));
    }
  }
  assertEquals([writeNumber("de", 1, { places: 2 }), writeNumber("en", 12, { places: 0 })], ["1,00", "12"]);
  assertEquals(writeNumber("en", 1234.56, { places: 1, isPlain: true }), "1234.6");
  assertEquals([0, 1, 1.5, 2].map((n) => isSingular("en", n)), [false, true, false, false]);
});
