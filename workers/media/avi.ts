import { type Rate, reduceRate } from "#server/core/media_time.ts";
import { MediaError } from "./media_error.ts";
import { fourCc, readAt } from "./riff.ts";

/** One coded frame: where its bytes lie in the file. */
export interface AviFrame {
  readonly offset: number;
  readonly size: number;
}

/** A one-stream AVI as its own chunks tell it, not its header's counts. */
export interface AviFile {
  readonly path: string;
  /** FourCC of the codec, "ULRG" for Ut Video RGB. */
  readonly codec: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly rate: Rate;
  readonly frames: readonly AviFrame[];
  /** The stream's format chunk, with what the decoder needs. */
  readonly format: Uint8Array;
}

/** Reads an AVI's frame table; undefined when the file is no AVI with a single video stream. */
export function readAvi(path: string): AviFile | undefined {
  using file = Deno.openSync(path);
  const size = file.statSync().size;
  const header = readAt(file, 0, Math.min(size, 64 * 1024));
  if (header.byteLength < 12 || fourCc(header, 0) !== "RIFF" || fourCc(header, 8) !== "AVI ") {
    return undefined;
  }
  const facts: { codec?: string; format?: Uint8Array; rate?: Rate; streams: number } = { streams: 0 };
  readHeader(header, 12, facts);
  if (facts.streams !== 1 || !facts.codec || !facts.format || !facts.rate) return undefined;
  const format = new DataView(facts.format.buffer, facts.format.byteOffset);
  return {
    path,
    codec: facts.codec,
    widthPx: format.getInt32(4, true),
    heightPx: Math.abs(format.getInt32(8, true)),
    rate: facts.rate,
    frames: walkFrames(file, size, path),
    format: facts.format,
  };
}

/** Descends into the header lists, keeping the first video stream's facts. */
function readHeader(
  bytes: Uint8Array,
  start: number,
  facts: { codec?: string; format?: Uint8Array; rate?: Rate; streams: number },
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let isVideo = false;
  for (let at = start; at + 12 <= bytes.byteLength;) {
    const id = fourCc(bytes, at);
    const length = view.getUint32(at + 4, true);
    if (id === "LIST") {
      if (fourCc(bytes, at + 8) === "movi") return;
      at += 12;
      continue;
    }
    if (id === "strh" && at + 36 <= bytes.byteLength) {
      facts.streams++;
      isVideo = fourCc(bytes, at + 8) === "vids";
      const [den, num] = [view.getUint32(at + 28, true), view.getUint32(at + 32, true)];
      if (isVideo && num > 0 && den > 0) facts.rate = reduceRate({ num, den });
    }
    if (id === "strf" && isVideo && length >= 40 && at + 8 + length <= bytes.byteLength) {
      facts.format = bytes.slice(at + 8, at + 8 + length);
      facts.codec = fourCc(facts.format, 16);
    }
    at += 8 + length + (length & 1);
  }
}

/** Goes through every chunk of the file; a chunk that ends past the file is a truncated file. */
function walkFrames(file: Deno.FsFile, size: number, path: string): AviFrame[] {
  const frames: AviFrame[] = [];
  for (let at = 0; at + 8 <= size;) {
    const head = readAt(file, at, 12);
    const id = fourCc(head, 0);
    const length = new DataView(head.buffer).getUint32(4, true);
    if (id === "RIFF" || id === "LIST") {
      const list = fourCc(head, 8);
      at += list === "AVI " || list === "AVIX" || list === "movi" ? 12 : 8 + length + (length & 1);
      continue;
    }
    if (id === "00dc" || id === "00db") {
      if (at + 8 + length > size) {
        throw new MediaError(
          `The video ${path} is truncated in frame ${frames.length}: make it again`,
          "truncated",
        );
      }
      frames.push({ offset: at + 8, size: length });
    }
    at += 8 + length + (length & 1);
  }
  return frames;
}
