import { crc32 } from "node:zlib";

const SIGNATURE = 8;

/** The PNG with `texts` as tEXt chunks (ASCII values) right after its header. */
export function addPngTexts(
  png: Uint8Array,
  texts: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  return insertAfterHeader(png, Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text)));
}

/** The PNG `target` with the text chunks of `source`; unchanged when `source` is no PNG or has none. */
export function copyPngTexts(source: Uint8Array, target: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunks = [...readPngChunks(source)].filter(({ type }) => ["tEXt", "iTXt", "zTXt"].includes(type));
  return insertAfterHeader(target, chunks.map(({ whole }) => whole));
}

/** The tEXt chunks of a PNG by keyword. */
export function readPngTexts(png: Uint8Array): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { type, data } of readPngChunks(png)) {
    if (type !== "tEXt") continue;
    const end = data.indexOf(0);
    texts[latin1(data.subarray(0, end))] = latin1(data.subarray(end + 1));
  }
  return texts;
}

/** A part of a PNG file. */
export interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** With length, type and checksum. */
  readonly whole: Uint8Array;
}

/** The chunks of a PNG; none when it is no PNG. */
export function* readPngChunks(png: Uint8Array): Generator<Chunk> {
  if (latin1(png.subarray(1, 4)) !== "PNG") return;
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = SIGNATURE; at + 12 <= png.length;) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    yield {
      type: latin1(png.subarray(at + 4, at + 8)),
      data: png.subarray(at + 8, at + 8 + length),
      whole: png.subarray(at, end),
    };
    at = end;
  }
}

/** One chunk: length, type, data and checksum. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

function textChunk(keyword: string, text: string): Uint8Array {
  return pngChunk("tEXt", Uint8Array.from(`${keyword}\0${text}`, (char) => char.charCodeAt(0) & 0xff));
}

function insertAfterHeader(png: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  // The header chunk always has 13 bytes of data.
  const at = SIGNATURE + 12 + 13;
  return joinBytes([png.subarray(0, at), ...chunks, png.subarray(at)]);
}

/** The parts one after another. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
