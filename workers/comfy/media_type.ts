const BY_EXTENSION: Readonly<Record<string, string>> = {
  json: "application/json",
  txt: "text/plain",
  svg: "image/svg+xml",
  latent: "application/x-safetensors",
  safetensors: "application/x-safetensors",
  glb: "model/gltf-binary",
  exr: "image/x-exr",
};

/** The media type of a file by its first bytes; by its name only where the bytes can't tell. */
export function mediaTypeOf(start: Uint8Array, fileName: string): string {
  const text = (from: number, to: number) => String.fromCharCode(...start.subarray(from, to));
  if (text(1, 4) === "PNG") return "image/png";
  if (start[0] === 0xff && start[1] === 0xd8) return "image/jpeg";
  if (text(0, 4) === "GIF8") return "image/gif";
  if (text(0, 4) === "RIFF") {
    return ({ "WEBP": "image/webp", "WAVE": "audio/wav", "AVI ": "video/x-msvideo" })[text(8, 12)] ??
      "application/octet-stream";
  }
  if (text(4, 8) === "ftyp") return isoMediaType(text(8, 12));
  if (start[0] === 0x1a && start[1] === 0x45 && start[2] === 0xdf && start[3] === 0xa3) {
    return text(0, 64).includes("webm") ? "video/webm" : "video/x-matroska";
  }
  if (text(0, 4) === "fLaC") return "audio/flac";
  if (text(0, 4) === "OggS") return "audio/ogg";
  if (text(0, 3) === "ID3" || (start[0] === 0xff && ((start[1] ?? 0) & 0xe0) === 0xe0)) return "audio/mpeg";
  if (text(0, 4) === "II*\0" || text(0, 4) === "MM\0*") return "image/tiff";
  const extension = fileName.slice(fileName.lastIndexOf(".") + 1).toLowerCase();
  return BY_EXTENSION[extension] ?? "application/octet-stream";
}

function isoMediaType(brand: string): string {
  if (brand === "qt  ") return "video/quicktime";
  if (brand === "avif" || brand === "avis") return "image/avif";
  if (brand === "M4A ") return "audio/mp4";
  return "video/mp4";
}
