import { signal } from "@lit-labs/signals";
import { assertEquals } from "@std/assert/mod.js";
import { follow } from "./follow.ts";

Deno.test("follow runs again once for changes that come together, and no more after it was stopped", async () => {
  const one = signal(1);
  const other = signal(1);
  const seen: number[] = [];
  const stop = follow(() => {
    seen.push(one.get() + other.get());
  });
  one.set(2);
  other.set(3);
  await Promise.resolve();
  one.set(3);
  await Promise.resolve();
  stop();
  one.set(9);
  await Promise.resolve();
  assertEquals(seen, [2, 5, 6]);
});
