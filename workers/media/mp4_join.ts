import { setImmediate } from "node:timers";
import type { Rate } from "#server/core/media_time.ts";
import { type Mp4Index, readMp4Index } from "./mp4_index.ts";

export interface JoinedFiles {
  readonly frameCount: number;
  /** Where each file begins in the result. */
  readonly boundaries: readonly number[];
}

const COPY_BYTES = 4 * 1024 * 1024;

/**
 * Joins plain MP4s of one encoder by copying their bytes: the index in front, then each file's frames as they lie.
 * Undefined, with nothing written, when one of them is not plain or differs in anything from the first, or does not
 * run at `rate`: then every packet has to be looked at. In steps of a few megabytes, after which an abort is heard.
 */
export async function joinPlainMp4(
  paths: readonly string[],
  out: string,
  { rate, signal }: { readonly rate: Rate; readonly signal?: AbortSignal | undefined },
): Promise<JoinedFiles | undefined> {
  const clips: Mp4Index[] = [];
  for (const path of paths) {
    signal?.throwIfAborted();
    const clip = readIndexOf(path);
    if (!clip || clip.signature !== (clips[0] ?? clip).signature || !runsAt(clip, rate)) return undefined;
    clips.push(clip);
  }
  const header = headerOf(clips, rate);
  if (!header) return undefined;
  await copyClips(paths, clips, { out, header, signal });
  let frameCount = 0;
  const boundaries = clips.map(({ sizes }) => (frameCount += sizes.length) - sizes.length);
  return { frameCount, boundaries };
}

function readIndexOf(path: string): Mp4Index | undefined {
  try {
    using file = Deno.openSync(path, { read: true });
    return readMp4Index(file);
  } catch (error) {
    // The slower way says what is wrong with it.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Frame n begins at n/rate, and decoding can begin at the first. */
function runsAt({ ticks, timescale, keys }: Mp4Index, rate: Rate): boolean {
  const framesPerTick = rate.num / rate.den / timescale;
  return (keys === undefined || keys[0] === 0) &&
    ticks.every((tick, frame) => Math.abs(tick * framesPerTick - frame) <= 0.1);
}

async function copyClips(
  paths: readonly string[],
  clips: readonly Mp4Index[],
  { out, header, signal }: {
    readonly out: string;
    readonly header: Uint8Array;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  using target = Deno.openSync(out, { write: true, create: true, truncate: true });
  const buffer = new Uint8Array(COPY_BYTES);
  // What is small goes to the disk together: a call of the system costs as much as many kilobytes.
  let filled = 0;
  const flush = async () => {
    for (let at = 0; at < filled;) at += target.writeSync(buffer.subarray(at, filled));
    filled = 0;
    // Lets an abort be heard.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  };
  for (let at = 0; at < header.length;) {
    const part = header.subarray(at, at + COPY_BYTES - filled);
    buffer.set(part, filled);
    filled += part.length;
    at += part.length;
    if (filled === COPY_BYTES) await flush();
  }
  for (const [at, clip] of clips.entries()) {
    const path = paths[at] ?? "";
    using source = Deno.openSync(path, { read: true });
    for (const run of clip.runs) {
      source.seekSync(run.at, Deno.SeekMode.Start);
      for (let left = run.length; left > 0;) {
        const read = source.readSync(buffer.subarray(filled, Math.min(COPY_BYTES, filled + left)));
        if (read === null) throw new Error(`Cannot join ${path}: it has become shorter meanwhile`);
        filled += read;
        left -= read;
        if (filled === COPY_BYTES) await flush();
      }
    }
  }
  await flush();
}

/** `ftyp`, `moov` and the head of `mdat`; undefined when a number in it would not fit. */
function headerOf(clips: readonly Mp4Index[], rate: Rate): Uint8Array | undefined {
  const [first] = clips;
  if (!first) return undefined;
  // Times of at least a tenth of a millisecond, which some players need.
  let fine = 1;
  while (rate.num * fine < 10_000) fine *= 2;
  const timescale = rate.num * fine;
  const frameTicks = rate.den * fine;
  const frameCount = clips.reduce((sum, { sizes }) => sum + sizes.length, 0);
  const duration = frameCount * frameTicks;
  if (duration >= 2 ** 32 || timescale >= 2 ** 32) return undefined;
  const ftyp = box("ftyp", text("isom"), u32(0x200), text("isomiso2mp41"));
  const build = (offsets: readonly number[]) =>
    box(
      "moov",
      box(
        "mvhd",
        u32(0, 0, 0, timescale, duration, 0x10000, 0x1000000, 0, 0),
        MATRIX,
        u32(0, 0, 0, 0, 0, 0, 2),
      ),
      box(
        "trak",
        box("tkhd", u32(3, 0, 0, 1, 0, duration, 0, 0, 0, 0), first.picture),
        box(
          "mdia",
          box("mdhd", u32(0, 0, 0, timescale, duration, 0x55c40000)),
          box("hdlr", u32(0, 0), text("vide"), u32(0, 0, 0), text("VideoHandler\0")),
          box(
            "minf",
            box("vmhd", u32(1, 0, 0)),
            box("dinf", box("dref", u32(0, 1), box("url ", u32(1)))),
            tableOf(clips, first, { frameCount, frameTicks, offsets }),
          ),
        ),
      ),
    );
  // Only the numbers of the offsets depend on how long it is, never how many there are.
  const headBytes = ftyp.length + build(clips.map(() => 0)).length + MDAT_HEAD_BYTES;
  let end = headBytes;
  const offsets = clips.map(({ runs }) => {
    const begun = end;
    for (const { length } of runs) end += length;
    return begun;
  });
  const mdat = joined([u32(1), text("mdat"), u64(end - headBytes + MDAT_HEAD_BYTES)]);
  return joined([ftyp, build(offsets), mdat]);
}

const MDAT_HEAD_BYTES = 16;

function tableOf(
  clips: readonly Mp4Index[],
  first: Mp4Index,
  { frameCount, frameTicks, offsets }: {
    readonly frameCount: number;
    readonly frameTicks: number;
    readonly offsets: readonly number[];
  },
): Uint8Array {
  const keys = clips.every((clip) => clip.keys === undefined) ? undefined : listKeys(clips);
  const counts = clips.map(({ sizes }) => sizes.length);
  const changes = counts.flatMap((count, at) => count === counts[at - 1] ? [] : [at + 1, count, 1]);
  return box(
    "stbl",
    box("stsd", u32(0, 1), first.entry),
    box("stts", u32(0, 1, frameCount, frameTicks)),
    ...(keys ? [box("stss", u32(0, keys.length), list(keys))] : []),
    box("stsc", u32(0, changes.length / 3), list(changes)),
    box("stsz", u32(0, 0, frameCount), list(clips.flatMap(({ sizes }) => sizes))),
    box("co64", u32(0, offsets.length), joined(offsets.map(u64))),
  );
}

function listKeys(clips: readonly Mp4Index[]): number[] {
  let base = 0;
  return clips.flatMap(({ keys, sizes }) => {
    const begun = base;
    base += sizes.length;
    return (keys ?? sizes.map((_, frame) => frame)).map((frame) => begun + frame + 1);
  });
}

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return joined([u32(length), text(type), ...parts]);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function u32(...values: readonly number[]): Uint8Array {
  return list(values);
}

function list(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setUint32(4 * at, value);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
