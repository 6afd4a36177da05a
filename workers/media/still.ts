import sharp from "sharp";
import type { MediaFacts } from "#server/assets/job_kinds.ts";
import { errorMessage } from "#server/core/errors.ts";
import { MediaError } from "./media_error.ts";
import { describeType, isStill, type Sniffed, type SniffedType, sniffFile } from "./sniff.ts";

/** A still larger than this is refused: a small file can unpack to gigabytes. */
export const MAX_STILL_PIXELS = 200_000_000;
/** The working image's longest side. */
export const WORKING_SIDE_PX = 4096;
export const THUMBNAIL_SIDE_PX = 320;

const MID_GREY = { r: 128, g: 128, b: 128 };
const READABLE = new Set<SniffedType>([
  "image/png",
  "image/jpeg",
  "image/webp",
  "image/gif",
  "image/tiff",
  "image/avif",
]);

// one picture at a time is in work here; a second thread would only fight with ffmpeg for the cores
sharp.concurrency(1);
sharp.cache(false);

/** A still's facts; for animated pictures also its frames' number and delays in milliseconds. */
export async function stillFacts(
  path: string,
  sniffed: Sniffed,
): Promise<MediaFacts & { pageCount: number; delaysMs: readonly number[] }> {
  const meta = await readMetadata(path, sniffed);
  const turned = (meta.orientation ?? 1) >= 5;
  const width = meta.width ?? 0;
  const height = meta.pageHeight ?? meta.height ?? 0;
  return {
    kind: "image",
    mediaType: sniffed.mediaType,
    container: sniffed.mediaType.slice("image/".length),
    codec: meta.format ?? sniffed.mediaType.slice("image/".length),
    widthPx: turned ? height : width,
    heightPx: turned ? width : height,
    rotationDeg: rotationOf(meta.orientation),
    bitDepth: bitDepthOf(meta.depth),
    hasAlpha: meta.hasAlpha ?? false,
    pageCount: meta.pages ?? 1,
    delaysMs: meta.delay ?? [],
  };
}

/** The same still without what only animated pictures have. */
export function plainFacts(
  facts: MediaFacts & { pageCount?: number; delaysMs?: readonly number[] },
): MediaFacts {
  const { pageCount: _pages, delaysMs: _delays, ...plain } = facts;
  return plain;
}

/**
 * Writes what generation and faces read: upright, sRGB, 8 bit, alpha flattened on mid grey, PNG, at most
 * 4096 px a side. Throws a MediaError with the reason for what is damaged, too large or no picture.
 */
export async function writeWorkingImage(
  path: string,
  out: string,
): Promise<{ widthPx: number; heightPx: number }> {
  const picture = await openStill(path);
  const { width, height } = await guardDecode(() =>
    picture
      .resize(WORKING_SIDE_PX, WORKING_SIDE_PX, {
        fit: "inside",
        withoutEnlargement: true,
        kernel: "lanczos3",
      })
      .png({ compressionLevel: 3 })
      .toFile(out)
  );
  return { widthPx: width, heightPx: height };
}

/** Writes a small WebP of a still, at most 320 px a side. */
export async function writeThumbnail(path: string, out: string): Promise<void> {
  const picture = await openStill(path);
  const small = picture.resize(THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX, {
    fit: "inside",
    withoutEnlargement: true,
  });
  await guardDecode(() => small.webp({ quality: 80 }).toFile(out));
}

/** One still as packed 8-bit RGB, not turned or scaled; without an embedded profile every value stays as it is. */
export async function readRgb(
  path: string,
): Promise<{ widthPx: number; heightPx: number; data: Uint8Array }> {
  const sniffed = await sniffFile(path);
  await readMetadata(path, sniffed);
  const { data, info } = await guardDecode(() =>
    sharp(path, readOptions()).toColourspace("srgb").removeAlpha().raw().toBuffer({ resolveWithObject: true })
  );
  return { widthPx: info.width, heightPx: info.height, data };
}

/** Yields an animated picture's frames as packed RGB, a few held at a time. */
export async function* readAnimation(
  path: string,
  pageCount: number,
): AsyncGenerator<Uint8Array, void, void> {
  const batch = 16;
  for (let page = 0; page < pageCount; page += batch) {
    const pages = Math.min(batch, pageCount - page);
    const { data, info } = await guardDecode(() =>
      sharp(path, { ...readOptions(), page, pages, limitInputPixels: false })
        .toColourspace("srgb").removeAlpha().raw().toBuffer({ resolveWithObject: true })
    );
    const frameBytes = (info.width * info.height * 3) / pages;
    for (let n = 0; n < pages; n++) yield data.subarray(n * frameBytes, (n + 1) * frameBytes);
  }
}

async function openStill(path: string) {
  const sniffed = await sniffFile(path);
  await readMetadata(path, sniffed);
  // the pipeline converts through the embedded profile to sRGB by itself once a colour space is asked for
  return sharp(path, readOptions()).rotate().flatten({ background: MID_GREY }).toColourspace("srgb");
}

function readOptions() {
  return { failOn: "truncated" as const, limitInputPixels: MAX_STILL_PIXELS, sequentialRead: true };
}

async function readMetadata(path: string, sniffed: Sniffed) {
  if (sniffed.mediaType === "application/x-empty") {
    throw new MediaError("The file is empty: upload it again", "not_media");
  }
  if (!isStill(sniffed) && !sniffed.mediaType.startsWith("image/")) {
    throw new MediaError(
      `The file is ${describeType(sniffed.mediaType)}, not a picture: use PNG, JPEG, WebP or TIFF`,
      "not_media",
    );
  }
  if (!READABLE.has(sniffed.mediaType) && sniffed.mediaType !== "image/apng") {
    throw new MediaError(
      `The file is ${describeType(sniffed.mediaType)}, which can't be read here: save it as PNG or JPEG`,
      "unsupported",
    );
  }
  const meta = await guardDecode(() => sharp(path, { ...readOptions(), limitInputPixels: false }).metadata());
  const pixels = (meta.width ?? 0) * (meta.pageHeight ?? meta.height ?? 0);
  if (pixels > MAX_STILL_PIXELS) {
    throw new MediaError(
      `The picture has ${Math.round(pixels / 1e6)} megapixels, more than the ${
        MAX_STILL_PIXELS / 1e6
      } that are read: make it smaller`,
      "unsupported",
    );
  }
  return meta;
}

async function guardDecode<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (thrown) {
    const reason = errorMessage(thrown);
    // Before the others: what could not be written says nothing of the picture.
    if (/: write error|No space left on device|Disk quota exceeded/i.test(reason)) {
      throw new MediaError(
        "The disk is full or can't be written: free some space and try again",
        "no_space",
        reason,
        {
          cause: thrown,
        },
      );
    }
    if (
      /premature|truncat|end of (file|stream|data)|not enough data|read error|libspng read error|VipsJpeg: (out of|prem)/i
        .test(reason)
    ) {
      throw new MediaError(
        "The picture is truncated: its end is missing. Copy or render it again",
        "truncated",
        reason,
        {
          cause: thrown,
        },
      );
    }
    throw new MediaError(
      `The picture can't be read, it is damaged: ${reason.split("\n")[0]}`,
      "not_media",
      reason,
      {
        cause: thrown,
      },
    );
  }
}

function rotationOf(orientation: number | undefined): number {
  const turns: Record<number, number> = { 3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270 };
  return turns[orientation ?? 1] ?? 0;
}

function bitDepthOf(depth: string | undefined): number {
  return depth === "ushort" || depth === "short"
    ? 16
    : depth === "float" || depth === "uint" || depth === "int"
    ? 32
    : 8;
}
