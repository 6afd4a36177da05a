import { assertEquals } from "@std/assert/mod.js";
import {
  formatAgo,
  formatBytes,
  formatDecimal,
  formatDuration,
  formatNumbered,
  formatPercent,
} from "./format.ts";
import { chooseLanguage } from "./words.ts";

Deno.test("formatBytes keeps three digits and never shows 1000 of a unit", () => {
  assertEquals(
    [0, 999, 999.6, 1500, 99_949, 99_950, 999_499, 999_500, 412e9].map(formatBytes),
    ["0 B", "999 B", "1.00 kB", "1.50 kB", "99.9 kB", "100 kB", "999 kB", "1.00 MB", "412 GB"],
  );
});

Deno.test("formatDecimal has as many places as asked, in the reader's signs", () => {
  assertEquals([formatDecimal(0.9, 2), formatDecimal(1234.567, 1)], ["0.90", "1,234.6"]);
  chooseLanguage("de");
  const inGerman = formatDecimal(0.9, 2);
  chooseLanguage("en");
  assertEquals(inGerman, "0,90");
});

Deno.test("formatDuration says it as people do", () => {
  assertEquals(
    [-5, 400, 59_400, 60_000, 3_599_000, 3_900_000, 187_200_000].map(formatDuration),
    ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h 05 min", "2 d 4 h"],
  );
});

Deno.test("formatAgo takes now from its caller", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  assertEquals(formatAgo("2026-01-02T03:04:03Z", now), "just now");
  assertEquals(formatAgo("2026-01-02T02:04:05Z", now), "1 h 00 min ago");
});

Deno.test("formatPercent reaches 100 only at the end", () => {
  assertEquals([0, 0.005, 0.424, 0.999, 1, 1.2].map(formatPercent), [
    "0 %",
    "0 %",
    "42 %",
    "99 %",
    "100 %",
    "100 %",
  ]);
});

Deno.test("formatNumbered bends the noun", () => {
  assertEquals([formatNumbered(1, "job"), formatNumbered(1200, "job"), formatNumbered(0, "copy", "copies")], [
    "1 job",
    "1,200 jobs",
    "0 copies",
  ]);
});
