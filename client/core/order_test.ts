import { assertEquals } from "@std/assert/mod.js";
import { inNameOrder, inOrder } from "./order.ts";

Deno.test("ids go by their characters, names as people read them", () => {
  assertEquals(["b", "a10", "a9", "B"].toSorted(inOrder), ["B", "a10", "a9", "b"]);
  assertEquals(inOrder("a", "a"), 0);
  assertEquals(["Clip 10", "clip 9", "Äste", "Zoe"].toSorted(inNameOrder), [
    "Äste",
    "clip 9",
    "Clip 10",
    "Zoe",
  ]);
});
