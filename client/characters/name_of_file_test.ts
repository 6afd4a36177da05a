import { assertEquals } from "@std/assert/mod.js";
import * as z from "zod/mini";
import { Name } from "#server/core/name.ts";
import { nameOfFile } from "./name_of_file.ts";

Deno.test("nameOfFile() makes of any file's name one that the studio takes, or none", () => {
  assertEquals(
    [
      "Ada Lovelace.png",
      "a.b.c.jpeg",
      " tab\there\n.png",
      ".png",
      "",
      "no_ending",
      "\u{1f469}.png",
      "\u2067שרה\u202e.png",
    ].map(
      nameOfFile,
    ),
    ["Ada Lovelace", "a.b.c", "tabhere", "", "", "no_ending", "\u{1f469}", "שרה"],
  );
  for (
    const long of ["x".repeat(300), "\u{1f469}".repeat(90), "x" + "\u{1f469}".repeat(90), "a ".repeat(90)]
  ) {
    const name = nameOfFile(`${long}.png`);
    assertEquals([z.parse(Name, name), name.isWellFormed()], [name, true]);
    assertEquals(name.length >= 118, true, String(name.length));
  }
});
