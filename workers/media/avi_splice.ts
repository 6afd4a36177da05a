import type { Rate } from "#server/core/media_time.ts";
import type { AviFile, AviFrame } from "./avi.ts";
import { MediaError } from "./media_error.ts";
import { chunk, join, list, numbers, readAt, text, wide, writeAllSync } from "./riff.ts";

const SEGMENT_BYTES = 960 * 1024 * 1024;
const HEADER_BYTES = 4096;

/** A run of frames of one file. */
export interface AviSlice {
  readonly file: AviFile;
  readonly firstFrame: number;
  readonly frameCount: number;
}

export interface SpliceOptions {
  readonly rate: Rate;
  readonly signal?: AbortSignal | undefined;
  /** Where a new RIFF segment begins; smaller only in tests. */
  readonly segmentBytes?: number | undefined;
}

/**
 * Copies runs of coded frames into one AVI (OpenDML, any length) at `rate`, decoding nothing. The files
 * must agree in codec and size, and every coded frame must stand alone, as Ut Video's do.
 */
export async function spliceAvi(
  slices: readonly AviSlice[],
  out: string,
  options: SpliceOptions,
): Promise<number> {
  const { rate, signal, segmentBytes = SEGMENT_BYTES } = options;
  const first = slices[0]?.file;
  if (!first) throw new RangeError("Cannot splice nothing: give at least one slice");
  const frames = slices.flatMap((slice) => sliceFrames(slice, first));
  using target = Deno.openSync(out, { write: true, create: true, truncate: true });
  const segments = planSegments(frames.map(({ frame }) => frame.size), segmentBytes);
  const layout: SegmentLayout[] = [];
  let at = 0;
  for (const [index, segment] of segments.entries()) {
    const laid = layOut(segment, frames, at, index === 0);
    layout.push(laid);
    at = laid.end;
  }
  writeAllSync(target, aviHeader(first, rate, frames, layout));
  let open: { path: string; file: Deno.FsFile } | undefined;
  try {
    for (const [index, segment] of segments.entries()) {
      const laid = layout[index];
      if (!laid) break;
      writeAllSync(target, segmentHead(laid, index === 0));
      for (let n = segment.from; n < segment.to; n++) {
        signal?.throwIfAborted();
        const entry = frames[n];
        if (!entry) break;
        if (open?.path !== entry.path) {
          open?.file.close();
          open = { path: entry.path, file: Deno.openSync(entry.path) };
        }
        writeAllSync(target, chunk("00dc", readAt(open.file, entry.frame.offset, entry.frame.size)));
        // a long copy must not keep cancels from arriving
        if (n % 32 === 31) await new Promise((resolve) => setTimeout(resolve));
      }
      writeAllSync(target, standardIndex(segment, frames, laid));
      if (index === 0) writeAllSync(target, oldIndex(segment, frames));
    }
  } finally {
    open?.file.close();
  }
  return frames.length;
}

interface SourceFrame {
  readonly path: string;
  readonly frame: AviFrame;
}

function sliceFrames(slice: AviSlice, first: AviFile): SourceFrame[] {
  const { file, firstFrame, frameCount } = slice;
  if (file.codec !== first.codec || file.widthPx !== first.widthPx || file.heightPx !== first.heightPx) {
    throw new RangeError(`Cannot splice ${file.path}: its codec or size differs from the first part's`);
  }
  if (firstFrame < 0 || firstFrame + frameCount > file.frames.length) {
    throw new MediaError(
      `Frames ${firstFrame} to ${
        firstFrame + frameCount - 1
      } were asked of a video that has ${file.frames.length}`,
      "not_media",
    );
  }
  return file.frames.slice(firstFrame, firstFrame + frameCount).map((frame) => ({ path: file.path, frame }));
}

interface Segment {
  readonly from: number;
  readonly to: number;
}

/** RIFF sizes are 32 bits and readers balk above 1 GB, so long files are cut into RIFF segments. */
function planSegments(sizes: readonly number[], segmentBytes: number): Segment[] {
  const segments: Segment[] = [];
  let from = 0;
  let bytes = 0;
  for (const [n, size] of sizes.entries()) {
    if (bytes + size > segmentBytes && n > from) {
      segments.push({ from, to: n });
      from = n;
      bytes = 0;
    }
    bytes += size + 9;
  }
  segments.push({ from, to: sizes.length });
  return segments;
}

interface SegmentLayout {
  /** Where the frames' chunks begin. */
  readonly movi: number;
  readonly moviBytes: number;
  readonly riffBytes: number;
  readonly indexAt: number;
  readonly indexBytes: number;
  readonly end: number;
  readonly count: number;
}

function layOut(
  segment: Segment,
  frames: readonly SourceFrame[],
  start: number,
  isFirst: boolean,
): SegmentLayout {
  const count = segment.to - segment.from;
  const data = frames.slice(segment.from, segment.to).reduce(
    (sum, { frame }) => sum + 8 + frame.size + (frame.size & 1),
    0,
  );
  const head = isFirst ? HEADER_BYTES : 12;
  const movi = start + head + 12;
  const indexBytes = 32 + count * 8;
  const oldIndexBytes = isFirst ? 8 + count * 16 : 0;
  const end = movi + data + indexBytes + oldIndexBytes;
  return {
    movi,
    moviBytes: 4 + data + indexBytes,
    riffBytes: end - start - 8,
    indexAt: movi + data,
    indexBytes,
    end,
    count,
  };
}

/** The header up to the first movi list, padded to a fixed length. */
function aviHeader(
  like: AviFile,
  rate: Rate,
  frames: readonly SourceFrame[],
  layout: readonly SegmentLayout[],
): Uint8Array {
  const largest = frames.reduce((max, { frame }) => Math.max(max, frame.size), 0);
  const main = numbers([
    Math.round((1_000_000 * rate.den) / rate.num),
    0,
    0,
    0x10, // has an index
    layout[0]?.count ?? 0,
    0,
    1,
    largest,
    like.widthPx,
    like.heightPx,
    0,
    0,
    0,
    0,
  ]);
  const stream = join([
    text("vids"),
    text(like.codec),
    numbers([0, 0, 0, rate.den, rate.num, 0, frames.length, largest, 0xffffffff, 0]),
    new Uint8Array(new Uint16Array([0, 0, like.widthPx, like.heightPx]).buffer),
  ]);
  const superIndex = join([
    new Uint8Array([4, 0, 0, 0]),
    numbers([layout.length]),
    text("00dc"),
    numbers([0, 0, 0]),
    ...layout.map((laid) => join([wide(laid.indexAt), numbers([laid.indexBytes, laid.count])])),
  ]);
  const streamList = list("strl", [
    chunk("strh", stream),
    chunk("strf", like.format),
    chunk("indx", superIndex),
  ]);
  const odml = list("odml", [chunk("dmlh", join([numbers([frames.length]), new Uint8Array(244)]))]);
  const headerList = list("hdrl", [chunk("avih", main), streamList, odml]);
  const riff = join([text("RIFF"), numbers([layout[0]?.riffBytes ?? 0]), text("AVI "), headerList]);
  const padding = HEADER_BYTES - riff.byteLength - 8;
  return join([riff, text("JUNK"), numbers([padding]), new Uint8Array(padding)]);
}

function segmentHead(laid: SegmentLayout, isFirst: boolean): Uint8Array {
  const movi = join([text("LIST"), numbers([laid.moviBytes]), text("movi")]);
  return isFirst ? movi : join([text("RIFF"), numbers([laid.riffBytes]), text("AVIX"), movi]);
}

function standardIndex(segment: Segment, frames: readonly SourceFrame[], laid: SegmentLayout): Uint8Array {
  const entries: number[] = [];
  let at = 8;
  for (const { frame } of frames.slice(segment.from, segment.to)) {
    entries.push(at, frame.size);
    at += 8 + frame.size + (frame.size & 1);
  }
  const head = join([
    new Uint8Array([2, 0, 0, 1]),
    numbers([laid.count]),
    text("00dc"),
    wide(laid.movi),
    numbers([0]),
  ]);
  return chunk("ix00", join([head, numbers(entries)]));
}

function oldIndex(segment: Segment, frames: readonly SourceFrame[]): Uint8Array {
  const entries: Uint8Array[] = [];
  let at = 4;
  for (const { frame } of frames.slice(segment.from, segment.to)) {
    entries.push(text("00dc"), numbers([0x10, at, frame.size]));
    at += 8 + frame.size + (frame.size & 1);
  }
  return chunk("idx1", join(entries));
}
