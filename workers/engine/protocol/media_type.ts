import { extname } from "@std/path/mod.js";

const TYPES: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".apng": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".gif": "image/gif",
  ".bmp": "image/bmp",
  ".tif": "image/tiff",
  ".tiff": "image/tiff",
  ".avif": "image/avif",
  ".svg": "image/svg+xml",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".mkv": "video/x-matroska",
  ".mov": "video/quicktime",
  ".avi": "video/x-msvideo",
  ".mp3": "audio/mpeg",
  ".wav": "audio/x-wav",
  ".flac": "audio/flac",
  ".ogg": "audio/ogg",
  ".json": "application/json",
  ".txt": "text/plain",
};

/** Media type by file ending; what a browser would run as a page or script is plain bytes. */
export function mediaTypeOf(name: string): string {
  return TYPES[extname(name).toLowerCase()] ?? "application/octet-stream";
}
