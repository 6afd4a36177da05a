import { assertEquals } from "@std/assert/mod.js";
import * as z from "zod/mini";
import { Name, withoutUnfit } from "./name.ts";

Deno.test("Name takes every script, and nothing that turns the text around it", () => {
  for (const name of ["Jane", "שרה 7", "محمد", "\u200fשרה\u200e", "👩‍🎨", "e\u0301"]) {
    assertEquals(z.parse(Name, ` ${name} `), name);
  }
  const turning = [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x7, 0x85];
  for (const name of turning.map((code) => `Jane ${String.fromCodePoint(code)}gpj`)) {
    const { success, error } = z.safeParse(Name, name);
    assertEquals([success, error?.issues.length], [false, 1], JSON.stringify(name));
    assertEquals(z.parse(Name, withoutUnfit(name)), "Jane gpj");
  }
});
