/** The media types that the studio tells apart, by content. */
export type SniffedType =
  | "image/png"
  | "image/apng"
  | "image/jpeg"
  | "image/webp"
  | "image/gif"
  | "image/bmp"
  | "image/tiff"
  | "image/heic"
  | "image/avif"
  | "image/svg+xml"
  | "video/mp4"
  | "video/quicktime"
  | "video/webm"
  | "video/x-matroska"
  | "video/x-msvideo"
  | "audio/wav"
  | "audio/mpeg"
  | "audio/flac"
  | "audio/ogg"
  | "audio/mp4"
  | "application/zip"
  | "application/json"
  | "text/plain"
  | "application/octet-stream"
  | "application/x-empty";

export interface Sniffed {
  readonly mediaType: SniffedType;
  /** For PNG, WebP and GIF: whether the header announces more than one frame. */
  readonly isAnimated: boolean;
}

const HEAD_BYTES = 64 * 1024;

/** Says what a file is by its first bytes; its name is never asked. */
export async function sniffFile(path: string): Promise<Sniffed> {
  using file = await Deno.open(path);
  const head = new Uint8Array(HEAD_BYTES);
  let size = 0;
  while (size < HEAD_BYTES) {
    const count = await file.read(head.subarray(size));
    if (count === null) break;
    size += count;
  }
  return sniffBytes(head.subarray(0, size));
}

/** Says what bytes are, given the first 64 kB of them or all. */
export function sniffBytes(head: Uint8Array): Sniffed {
  const still = (mediaType: SniffedType): Sniffed => ({ mediaType, isAnimated: false });
  if (head.byteLength === 0) return still("application/x-empty");
  const ascii = latin1(head.subarray(0, 4096));
  if (ascii.startsWith("\x89PNG\r\n\x1a\n")) {
    return isAnimatedPng(head) ? { mediaType: "image/apng", isAnimated: true } : still("image/png");
  }
  if (ascii.startsWith("\xff\xd8\xff")) return still("image/jpeg");
  if (ascii.startsWith("GIF87a") || ascii.startsWith("GIF89a")) {
    return { mediaType: "image/gif", isAnimated: true };
  }
  if (ascii.startsWith("RIFF")) return sniffRiff(ascii, head);
  if (ascii.startsWith("BM") && ascii.slice(6, 10) === "\0\0\0\0") return still("image/bmp");
  if (/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/.test(ascii)) return still("image/tiff");
  if (ascii.slice(4, 8) === "ftyp") return still(sniffIsoBrand(ascii));
  if (/^(moov|mdat|wide|free|skip)$/.test(ascii.slice(4, 8))) return still("video/quicktime");
  if (ascii.startsWith("\x1a\x45\xdf\xa3")) {
    return still(ascii.slice(0, 256).includes("webm") ? "video/webm" : "video/x-matroska");
  }
  if (ascii.startsWith("fLaC")) return still("audio/flac");
  if (ascii.startsWith("OggS")) return still("audio/ogg");
  if (ascii.startsWith("ID3") || /^\xff[\xe2\xe3\xf2\xf3\xfa\xfb]/.test(ascii)) return still("audio/mpeg");
  if (ascii.startsWith("PK\x03\x04") || ascii.startsWith("PK\x05\x06")) return still("application/zip");
  return still(sniffText(head));
}

function sniffRiff(ascii: string, head: Uint8Array): Sniffed {
  const form = ascii.slice(8, 12);
  if (form === "WEBP") {
    const isAnimated = ascii.slice(12, 16) === "VP8X" && ((head[20] ?? 0) & 0x02) !== 0;
    return { mediaType: "image/webp", isAnimated };
  }
  if (form === "AVI ") return { mediaType: "video/x-msvideo", isAnimated: false };
  if (form === "WAVE") return { mediaType: "audio/wav", isAnimated: false };
  return { mediaType: "application/octet-stream", isAnimated: false };
}

function sniffIsoBrand(ascii: string): SniffedType {
  const brand = ascii.slice(8, 12);
  if (/^(heic|heix|hevc|hevx|heim|heis|mif1|msf1)/.test(brand)) {
    return ascii.slice(8, 64).includes("avif") ? "image/avif" : "image/heic";
  }
  if (/^avi[fs]/.test(brand)) return "image/avif";
  if (brand === "qt  ") return "video/quicktime";
  if (/^M4[AB]/.test(brand)) return "audio/mp4";
  return "video/mp4";
}

/** A PNG is animated when an acTL chunk comes before the picture's data. */
function isAnimatedPng(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 8; at + 12 <= head.byteLength;) {
    const name = latin1(head.subarray(at + 4, at + 8));
    if (name === "acTL") return view.getUint32(at + 8) > 1;
    if (name === "IDAT") return false;
    at += 12 + view.getUint32(at);
  }
  return false;
}

function sniffText(head: Uint8Array): SniffedType {
  let text: string;
  try {
    // a cut in the middle of a letter is no fault
    text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
  } catch {
    return "application/octet-stream";
  }
  // deno-lint-ignore no-control-regex -- control characters are what tells binary from text
  if (/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) return "application/octet-stream";
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i.test(text)) {
    return "image/svg+xml";
  }
  return /^\s*[[{]/.test(text) ? "application/json" : "text/plain";
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Whether the type is a picture that can be read as one still. */
export function isStill(sniffed: Sniffed): boolean {
  return sniffed.mediaType.startsWith("image/") && !sniffed.isAnimated;
}

/** "a text file", "an SVG drawing": for sentences about a wrong file. */
export function describeType(type: SniffedType): string {
  const words: Partial<Record<SniffedType, string>> = {
    "application/x-empty": "an empty file",
    "text/plain": "a text file",
    "application/json": "a JSON file",
    "application/zip": "a ZIP archive",
    "application/octet-stream": "data of an unknown kind",
    "image/svg+xml": "an SVG drawing",
    "image/heic": "an HEIC photo",
  };
  const kind = type.split("/")[0];
  const article = kind === "image" || kind === "audio" ? "an" : "a";
  return words[type] ?? `${article} ${kind} (${type})`;
}
