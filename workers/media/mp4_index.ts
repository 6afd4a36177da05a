/** What a plain MP4 says of its one run of video frames, in decode order, which is also their order on screen. */
export interface Mp4Index {
  /** All that a decoder is told before the first frame: equal in two files whose frames can follow each other. */
  readonly signature: string;
  /** The sample entry (`avc1`, `hvc1` …) with its parameter sets. */
  readonly entry: Uint8Array<ArrayBuffer>;
  /** The track header's matrix and size. */
  readonly picture: Uint8Array<ArrayBuffer>;
  /** Ticks a second, and the ticks at which each frame begins. */
  readonly timescale: number;
  readonly ticks: readonly number[];
  readonly sizes: readonly number[];
  /** Numbers of the frames at which decoding can begin; undefined when it can at each. */
  readonly keys: readonly number[] | undefined;
  /** Where the frames lie in the file, in order; neighbours are one. */
  readonly runs: readonly Run[];
}

export interface Run {
  readonly at: number;
  readonly length: number;
}

/** More than any index of a clip: what is longer is left to the slower way. */
const MAX_INDEX_BYTES = 32 * 1024 * 1024;

/**
 * The index of an MP4 with one video track, whole and in one piece. Undefined for anything that it does not fully
 * understand (fragments, frames out of order, edits, another container): never a guess.
 */
export function readMp4Index(file: Deno.FsFile): Mp4Index | undefined {
  const fileBytes = file.statSync().size;
  const moov = readMoov(file, fileBytes);
  if (!moov) return undefined;
  try {
    const tracks = childrenOf(moov).filter(({ type }) => type === "trak").map(({ body }) => body);
    const videos = tracks.filter((track) => textAt(need(track, "mdia", "hdlr"), 8) === "vide");
    const [track] = videos;
    if (!track || videos.length !== 1 || childrenOf(moov).some(({ type }) => type === "mvex")) {
      return undefined;
    }
    return isUnedited(track) ? readTrack(track, fileBytes) : undefined;
  } catch (error) {
    // A box is missing or shorter than it says: whoever reads it next finds out what is wrong.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readMoov(file: Deno.FsFile, fileBytes: number): Uint8Array<ArrayBuffer> | undefined {
  let moov: Uint8Array<ArrayBuffer> | undefined;
  for (let at = 0; at + 8 <= fileBytes;) {
    const head = readAt(file, at, Math.min(16, fileBytes - at));
    const { size, headBytes } = boxSize(viewOf(head), fileBytes - at);
    const type = textAt(head, 4);
    if (type === "moof" || size < headBytes || at + size > fileBytes) return undefined;
    if (at === 0 && type !== "ftyp") return undefined;
    if (type === "moov") {
      if (moov || size > MAX_INDEX_BYTES) return undefined;
      moov = readAt(file, at + headBytes, size - headBytes);
    }
    at += size;
  }
  return moov;
}

function readAt(file: Deno.FsFile, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  for (let filled = 0; filled < length;) {
    const read = file.readSync(bytes.subarray(filled));
    if (read === null) return bytes.subarray(0, filled);
    filled += read;
  }
  return bytes;
}

function readTrack(track: Uint8Array<ArrayBuffer>, fileBytes: number): Mp4Index | undefined {
  const table = need(track, "mdia", "minf", "stbl");
  const mdhd = need(track, "mdia", "mdhd");
  const [entry, ...others] = childrenOf(need(table, "stsd").subarray(8));
  const sizes = readSizes(need(table, "stsz"));
  const ticks = readTicks(need(table, "stts"), sizes.length);
  const keys = find(table, "stss");
  const runs = readRuns(table, sizes);
  const end = Math.max(...runs.map(({ at, length }) => at + length));
  const isPlain = others.length === 0 && sizes.length > 0 && ticks.length === sizes.length &&
    end <= fileBytes &&
    !hasReordering(table);
  if (!entry || !isPlain) return undefined;
  const tkhd = need(track, "tkhd");
  const picture = tkhd.slice(tkhd[0] === 1 ? 52 : 40);
  return {
    signature: `${hexOf(withoutBitRate(entry.whole))} ${hexOf(picture)}`,
    entry: entry.whole.slice(),
    picture,
    timescale: viewOf(mdhd).getUint32(mdhd[0] === 1 ? 20 : 12),
    ticks,
    sizes,
    keys: keys && listOf(keys, 8, viewOf(keys).getUint32(4)).map((number) => number - 1),
    runs,
  };
}

/** No edit list, or one that shows the whole from its first frame on. */
function isUnedited(track: Uint8Array<ArrayBuffer>): boolean {
  const edits = find(track, "edts");
  const list = edits && find(edits, "elst");
  if (!list) return true;
  const view = viewOf(list);
  const mediaTimeAt = list[0] === 1 ? 16 : 12;
  const isFromStart = list[0] === 1 ? view.getBigInt64(mediaTimeAt) === 0n : view.getInt32(mediaTimeAt) === 0;
  return view.getUint32(4) === 1 && isFromStart;
}

function hasReordering(table: Uint8Array<ArrayBuffer>): boolean {
  const offsets = find(table, "ctts");
  if (!offsets) return false;
  const view = viewOf(offsets);
  return Array.from({ length: view.getUint32(4) }, (_, n) => view.getInt32(12 + 8 * n)).some((one) =>
    one !== 0
  );
}

function readSizes(stsz: Uint8Array<ArrayBuffer>): number[] {
  const view = viewOf(stsz);
  const same = view.getUint32(4);
  const count = view.getUint32(8);
  if (count * 4 > MAX_INDEX_BYTES) throw new RangeError("Too many frames for one index");
  return same > 0 ? new Array<number>(count).fill(same) : listOf(stsz, 12, count);
}

function readTicks(stts: Uint8Array<ArrayBuffer>, count: number): number[] {
  const view = viewOf(stts);
  const ticks: number[] = [];
  let at = 0;
  for (let n = 0; n < view.getUint32(4); n++) {
    const delta = view.getUint32(12 + 8 * n);
    for (let left = view.getUint32(8 + 8 * n); left > 0 && ticks.length < count; left--, at += delta) {
      ticks.push(at);
    }
  }
  return ticks;
}

function readRuns(table: Uint8Array<ArrayBuffer>, sizes: readonly number[]): Run[] {
  const stsc = viewOf(need(table, "stsc"));
  const small = find(table, "stco");
  const wide = viewOf(small ?? need(table, "co64"));
  const runs: { at: number; length: number }[] = [];
  let sample = 0;
  for (let chunk = 0, rule = 0; chunk < wide.getUint32(4); chunk++) {
    if (rule + 1 < stsc.getUint32(4) && stsc.getUint32(8 + 12 * (rule + 1)) === chunk + 1) rule++;
    const at = small ? wide.getUint32(8 + 4 * chunk) : Number(wide.getBigUint64(8 + 8 * chunk));
    const next = sample + stsc.getUint32(12 + 12 * rule);
    let length = 0;
    for (; sample < next; sample++) length += sizes[sample] ?? NaN;
    const last = runs.at(-1);
    if (last && last.at + last.length === at) last.length += length;
    else runs.push({ at, length });
  }
  const isWhole = sample === sizes.length && runs.every(({ length }) => Number.isFinite(length));
  if (!isWhole) throw new RangeError("The chunks don't hold the frames");
  return runs;
}

interface Box {
  readonly type: string;
  readonly whole: Uint8Array<ArrayBuffer>;
  readonly body: Uint8Array<ArrayBuffer>;
}

function childrenOf(bytes: Uint8Array<ArrayBuffer>): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const rest = bytes.subarray(at);
    const { size, headBytes } = boxSize(viewOf(rest), rest.length);
    if (size < headBytes || size > rest.length) throw new RangeError("A box is longer than what holds it");
    boxes.push({
      type: textAt(rest, 4),
      whole: rest.subarray(0, size),
      body: rest.subarray(headBytes, size),
    });
    at += size;
  }
  return boxes;
}

function boxSize(view: DataView, rest: number): { size: number; headBytes: number } {
  const size = view.getUint32(0);
  if (size === 1) return { size: Number(view.getBigUint64(8)), headBytes: 16 };
  return { size: size === 0 ? rest : size, headBytes: 8 };
}

function find(
  bytes: Uint8Array<ArrayBuffer>,
  ...path: readonly string[]
): Uint8Array<ArrayBuffer> | undefined {
  let here: Uint8Array<ArrayBuffer> | undefined = bytes;
  for (const type of path) here = here && childrenOf(here).find((box) => box.type === type)?.body;
  return here;
}

function need(bytes: Uint8Array<ArrayBuffer>, ...path: readonly string[]): Uint8Array<ArrayBuffer> {
  const found = find(bytes, ...path);
  if (!found) throw new RangeError(`There is no ${path.join("/")}`);
  return found;
}

/** How fast a file's bits come is told in its sample entry too, and is no business of the decoder. */
function withoutBitRate(entry: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const fixedBytes = 86;
  const parts = [
    entry.subarray(4, fixedBytes),
    ...childrenOf(entry.subarray(fixedBytes)).filter(({ type }) => type !== "btrt").map(({ whole }) => whole),
  ];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function listOf(bytes: Uint8Array<ArrayBuffer>, at: number, count: number): number[] {
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, n) => view.getUint32(at + 4 * n));
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(bytes: Uint8Array<ArrayBuffer>, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function hexOf(bytes: Uint8Array<ArrayBuffer>): string {
  return bytes.toHex?.() ?? Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
