import { assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  batchOfBytes,
  batchOfFloats,
  buildFloats,
  constantBatch,
  joinBatches,
  mapValues,
  movePixels,
  truncateToBytes,
} from "./image_batch.ts";

const size = { width: 2, height: 1, channels: 3 } as const;
const bytes = Uint8Array.of(0, 1, 2, 100, 254, 255);

Deno.test("every byte survives the way over floats and back", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const batch = batchOfBytes({ width: 256, height: 1, channels: 1 }, [all]);
  const floats = batchOfFloats(batch, [batch.floats(0)]);
  assertEquals([...floats.bytes(0)], [...all]);
});

Deno.test("mapValues keeps bytes as bytes and computes as exactly as floats", () => {
  const batch = batchOfBytes(size, [bytes, bytes]);
  const inverted = mapValues(batch, (x) => 1 - x);
  assertEquals([...inverted.floats(0)], [
    ...mapValues(batchOfFloats(size, [batch.floats(0)]), (x) => 1 - x).floats(0),
  ]);
  assertEquals(inverted.memory, batch.memory);
  assertEquals([batch.isBytes, inverted.isBytes], [true, false]);
  // Savers cut what is a little under a whole number in float32.
  assertEquals([...inverted.bytes(0)], [...truncateToBytes(inverted.floats(0))]);
});

Deno.test("truncation is that of the savers: cut, clipped, NaN to 0", () => {
  const batch = batchOfFloats(size, [Float32Array.of(-1, 0.5, 0.999, 1.5, NaN, 1)]);
  assertEquals([...batch.bytes(0)], [0, 127, 254, 255, 0, 255]);
});

Deno.test("a constant batch shows one frame many times", () => {
  const batch = constantBatch(size, 1000, [1, 0.5, 0]);
  assertEquals(batch.memory, 6);
  assertEquals([...batch.bytes(999)], [255, 127, 0, 255, 127, 0]);
});

Deno.test("floats beyond the budget are kept as the bytes that savers would write", async () => {
  const wide = { width: 4096, height: 4096, channels: 3 } as const;
  const made = await buildFloats(wide, 2, (index) => new Float32Array(4096 * 4096 * 3).fill(index / 2));
  assertEquals([made.memory, made.bytes(1)[0]], [2 * 4096 * 4096 * 3, 127]);
});

Deno.test("movePixels moves values of either kind and frames stay shared", () => {
  const mirrored = (batch: ReturnType<typeof batchOfBytes>) => movePixels(batch, size, (x) => 1 - x);
  assertEquals([...mirrored(batchOfBytes(size, [bytes])).bytes(0)], [100, 254, 255, 0, 1, 2]);
  const floats = batchOfFloats(size, [Float32Array.of(0, 1, 2, 3, 4, 5)]);
  assertEquals([...mirrored(floats).floats(0)], [3, 4, 5, 0, 1, 2]);
  assertEquals(mirrored(constantBatch(size, 50, [1, 1, 1])).memory, 6);
});

Deno.test("batches of different sizes are not joined, nor frames of a wrong length taken", () => {
  const small = constantBatch({ width: 1, height: 1, channels: 3 }, 1, [0, 0, 0]);
  assertThrows(() => joinBatches([small, constantBatch(size, 1, [0, 0, 0])]), RangeError, "scale them first");
  assertThrows(() => batchOfBytes(size, [new Uint8Array(5)]), RangeError, "needs 6 values");
});
