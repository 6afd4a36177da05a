import sharp from "sharp";
import type { ImageBatch } from "./image_batch.ts";
import { toAsciiJson } from "./json_text.ts";
import type { NodeMetadata } from "./nodes/node_spec.ts";
import { addPngTexts } from "./png_text.ts";

/** Frame `index` as an 8-bit PNG; `level` is zlib's, 0–9. */
export async function encodePng(batch: ImageBatch, index: number, level: number): Promise<Uint8Array> {
  const { width, height, channels } = batch;
  return await sharp(batch.bytes(index), { raw: { width, height, channels } })
    .png({ compressionLevel: level, adaptiveFiltering: false, palette: false })
    .toBuffer();
}

/** The PNG with the graph as `prompt` and every `extra_pnginfo` under its name, as ComfyUI embeds them. */
export function embedMetadata(png: Uint8Array, metadata: NodeMetadata): Uint8Array {
  return addPngTexts(png, metadataTexts(metadata));
}

/** What savers embed, by key: JSON texts in ASCII. */
export function metadataTexts({ prompt, extraPnginfo }: NodeMetadata): Record<string, string> {
  const texts: Record<string, string> = { prompt: toAsciiJson(prompt) };
  for (const [key, value] of Object.entries(extraPnginfo ?? {})) texts[key] = toAsciiJson(value);
  return texts;
}
