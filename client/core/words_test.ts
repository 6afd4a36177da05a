import { assertEquals } from "@std/assert/mod.js";
import { chooseLanguage, defineWords, pseudo } from "./words.ts";

const EN = { left: { one: "{n} clip left", other: "{n} clips left" }, of: "{done} of {total}" } as const;
const w = defineWords({
  en: EN,
  de: { left: { one: "noch {n} Clip", other: "noch {n} Clips" }, of: "{done} von {total}" },
});

Deno.test("defineWords speaks the chosen language, counts by its rules and writes its numbers", () => {
  chooseLanguage("en");
  assertEquals([w("left", { n: 1 }), w("left", { n: 1200 })], ["1 clip left", "1,200 clips left"]);
  chooseLanguage("de");
  assertEquals([w("left", { n: 1 }), w("left", { n: 1200 })], ["noch 1 Clip", "noch 1.200 Clips"]);
  assertEquals(w("of", { done: 1, total: "{x}" }), "1 von {x}");
  chooseLanguage("en");
  // A name from the right keeps its direction to itself, and one that turns what follows can't.
  assertEquals(
    [w("of", { done: "שרה", total: "Jane" }), w("of", { done: "a\u202eb", total: "c" })],
    ["\u2068שרה\u2069 of Jane", "\u2068a\u202eb\u2069 of c"],
  );
});

Deno.test("pseudo makes a text longer and odd, and keeps what stands in braces", () => {
  assertEquals(pseudo("Plan {n} frames"), "[Plåñ {n} fråméš ~~~~~]");
});
