import sharp from "sharp";
import type { PreviewFrame } from "./nodes/node_spec.ts";

/** Longest side of a preview in pixels, as ComfyUI's --preview-size. */
const PREVIEW_SIZE = 512;

/** The frame as a JPEG no larger than 512 pixels on its longest side. */
export async function encodePreview(frame: PreviewFrame): Promise<Uint8Array> {
  const { width, height, rgb } = frame;
  const image = sharp(rgb, { raw: { width, height, channels: 3 } });
  return await image
    .resize(PREVIEW_SIZE, PREVIEW_SIZE, { fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer();
}
