import type { ImageBatch } from "#workers/engine/image_batch.ts";
import type { Picture } from "#workers/engine/pixels/picture.ts";

/** Frame `index` of a batch as RGB bytes; grey is spread over three channels, alpha is left out. */
export function pictureOf(batch: ImageBatch, index: number): Picture {
  const { width, height, channels } = batch;
  if (batch.length === 0) throw new RangeError("Cannot work on an empty image: give at least one frame");
  const bytes = batch.bytes(Math.min(index, batch.length - 1));
  if (channels === 3) return { width, height, rgb: bytes };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = bytes[i * channels + (channels === 1 ? 0 : c)]!;
  }
  return { width, height, rgb };
}
