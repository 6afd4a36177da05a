import sharp from "sharp";
import type { RgbImage } from "./pixels.ts";

const MAX_PIXELS = 100_000_000;

/** Decodes a still: upright, sRGB, transparency on mid grey. Throws UnreadableStill when it can't be. */
export async function readStill(path: string): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(path, { limitInputPixels: MAX_PIXELS }).rotate().toColourspace("srgb")
      .flatten({ background: "#808080" }).removeAlpha().raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { width: info.width, height: info.height, data: info.channels === 3 ? bytes : spreadGrey(bytes) };
  } catch (thrown) {
    throw new UnreadableStill("The picture can't be decoded: it is damaged or of an unknown kind", {
      cause: thrown,
    });
  }
}

/** The bytes are no picture: the same file fails again however often it is tried. */
export class UnreadableStill extends Error {
  override readonly name = "UnreadableStill";
}

function spreadGrey(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = grey[Math.floor(i / 3)]!;
  return rgb;
}
