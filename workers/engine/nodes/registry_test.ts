import { assertEquals } from "@std/assert/mod.js";
import { describeNode } from "#workers/engine/protocol/object_info.ts";
import { fromShared, skipWithoutShared } from "#workers/engine/testing/shared.ts";
import { STOCK_NODES } from "./registry.ts";

Deno.test("stock nodes are declared as ComfyUI 0.3.64 declares them", async () => {
  if (skipWithoutShared("object_info.json")) return;
  const real = JSON.parse(await Deno.readTextFile(fromShared("object_info.json")));
  const input = await Deno.makeTempDir();
  const folders = { input, output: input, temp: input, models: input };
  for (const spec of STOCK_NODES) {
    // The recording has no descriptions; and numbers beyond 2^53 are compared as doubles.
    const { description: _, ...info } = describeNode(spec, folders);
    const plain = JSON.parse(
      JSON.stringify(info, (_key, value) => typeof value === "bigint" ? Number(value) : value),
    );
    assertEquals(plain, real[spec.classType], spec.classType);
    assertEquals(
      Object.keys(plain.input.required),
      Object.keys(real[spec.classType].input.required),
      `order of ${spec.classType}`,
    );
  }
  await Deno.remove(input);
});
