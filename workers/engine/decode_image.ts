import sharp from "sharp";

/** A decoded image file: one or more frames of one size. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  /** Interleaved RGB bytes of each frame. */
  readonly rgb: readonly Uint8Array[];
  /** Alpha bytes of each frame; undefined when the file has no alpha. */
  readonly alpha: readonly Uint8Array[] | undefined;
}

/**
 * Decodes an image file (its path or its bytes): turned upright by its EXIF, colour profile ignored, as stock loaders do. Rejects with
 * the decoder's sentence for a file that is no image or is cut off.
 */
export async function decodeImage(source: string | Uint8Array): Promise<DecodedImage> {
  const { pages = 1 } = await sharp(source).metadata();
  let image = sharp(source, { ignoreIcc: true, pages: pages > 1 ? -1 : 1 });
  // The decoder turns single pictures only; animations carry no orientation.
  if (pages === 1) image = image.autoOrient();
  const { data, info } = await image.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const { width, channels } = info;
  const height = info.pageHeight ?? info.height;
  const pixels = width * height;
  const hasAlpha = channels === 2 || channels === 4;
  const rgb: Uint8Array[] = [];
  const alpha: Uint8Array[] = [];
  for (let at = 0; at + pixels * channels <= data.length; at += pixels * channels) {
    const frame = data.subarray(at, at + pixels * channels);
    rgb.push(colours(frame, pixels, channels));
    if (hasAlpha) alpha.push(lastChannel(frame, pixels, channels));
  }
  return { width, height, rgb, alpha: hasAlpha ? alpha : undefined };
}

function colours(frame: Uint8Array, pixels: number, channels: number): Uint8Array {
  // A copy: the decoder's buffer is shared by all frames and held as long as any of them.
  if (channels === 3) return frame.slice();
  const rgb = new Uint8Array(3 * pixels);
  const isGrey = channels < 3;
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = frame[i * channels + (isGrey ? 0 : c)] ?? 0;
  }
  return rgb;
}

function lastChannel(frame: Uint8Array, pixels: number, channels: number): Uint8Array {
  return Uint8Array.from({ length: pixels }, (_, i) => frame[(i + 1) * channels - 1] ?? 0);
}
