import { encodePng } from "./encode_image.ts";
import type { ImageBatch } from "./image_batch.ts";
import { joinBytes, pngChunk, readPngChunks } from "./png_text.ts";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/**
 * The frames as an animated PNG that repeats for ever; `texts` become `comf` chunks (key, 0, text) after the
 * pixels, as ComfyUI writes them.
 */
export async function encodeApng(
  images: ImageBatch,
  options: {
    readonly level: number;
    readonly delayMs: number;
    readonly texts: Readonly<Record<string, string>>;
    breathe(): Promise<void>;
  },
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [SIGNATURE];
  let sequence = 0;
  for (let index = 0; index < images.length; index++) {
    await options.breathe();
    const chunks = [...readPngChunks(await encodePng(images, index, options.level))];
    const header = chunks.find(({ type }) => type === "IHDR");
    if (index === 0 && header) parts.push(header.whole, pngChunk("acTL", uint32s(images.length, 0)));
    parts.push(pngChunk("fcTL", frameControl(sequence++, images, options.delayMs)));
    for (const { type, data, whole } of chunks) {
      if (type !== "IDAT") continue;
      // The first frame is the picture that viewers without animation show.
      parts.push(index === 0 ? whole : pngChunk("fdAT", joinBytes([uint32s(sequence++), data])));
    }
  }
  for (const [key, text] of Object.entries(options.texts)) {
    parts.push(pngChunk("comf", new TextEncoder().encode(`${key}\0${text}`)));
  }
  parts.push(pngChunk("IEND", new Uint8Array(0)));
  return joinBytes(parts);
}

function frameControl(
  sequence: number,
  size: { width: number; height: number },
  delayMs: number,
): Uint8Array {
  const control = new Uint8Array(26);
  control.set(uint32s(sequence, size.width, size.height, 0, 0));
  const view = new DataView(control.buffer);
  view.setUint16(20, Math.min(delayMs, 0xffff));
  view.setUint16(22, 1000);
  // Leave the frame as it is, then replace it wholly by the next one: both 0.
  return control;
}

function uint32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(4 * at, value));
  return bytes;
}
