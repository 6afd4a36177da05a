/** Channels of a frame: 1 for a MASK, 3 for RGB, 4 for RGBA. */
export type Channels = 1 | 3 | 4;

/** Float batches larger than this (bytes) are kept as the bytes that SaveImage would write: 256 MiB. */
export const FLOAT_BUDGET = 256 * 1024 * 1024;

/**
 * The value of byte b in a batch of bytes. `UNIT_LEVELS[b]` is float32(b / 255), as stock loaders make it.
 */
export const UNIT_LEVELS: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
}

/**
 * What IMAGE and MASK wires carry: frames of one size, interleaved by row (`(y * width + x) * channels + c`),
 * values 0–1. A frame is held exactly as float32, or as bytes with a table that gives each byte's float value;
 * both readings are always there. Frames are shared between batches: never write into one.
 */
export interface ImageBatch extends Pixels {
  /** How many frames. */
  readonly length: number;
  /** True when frames are bytes whose value is b / 255: reading bytes costs nothing and loses nothing. */
  readonly isBytes: boolean;
  /** Frame `index` as SaveImage writes it: trunc(clip(255 · x, 0, 255)). Shared for byte batches: don't write. */
  bytes(index: number): Uint8Array;
  /** Frame `index` as float32. Computed afresh for byte batches (keep it no longer than needed); don't write. */
  floats(index: number): Float32Array;
  /** What the batch holds in memory, in bytes, counting a frame that it shows many times once. */
  readonly memory: number;
  /** The same object for frames that share their pixels, so that work on them need be done once only. */
  identity(index: number): unknown;
  /** Frames [start, end) without copying pixels. */
  slice(start: number, end: number): ImageBatch;
  /** The frames at `indexes`, in that order, without copying pixels. */
  pick(indexes: readonly number[]): ImageBatch;
}

interface ByteFrame {
  readonly data: Uint8Array;
  /** 256 values; UNIT_LEVELS by default. */
  readonly levels: Float32Array;
}
type Frame = ByteFrame | Float32Array;

/** A batch of byte frames (RGB, RGBA or one channel). Throws a RangeError when a frame has the wrong length. */
export function batchOfBytes(size: Pixels, frames: readonly Uint8Array[], levels = UNIT_LEVELS): ImageBatch {
  for (const frame of frames) checkLength(size, frame.length);
  return new Batch(size, frames.map((data) => ({ data, levels })));
}

/**
 * A batch of exact float frames. When all frames together pass FLOAT_BUDGET they are kept as the bytes that
 * SaveImage would write, so that a long clip fits in memory: only then is precision below 1/255 lost.
 */
export function batchOfFloats(size: Pixels, frames: readonly Float32Array[]): ImageBatch {
  for (const frame of frames) checkLength(size, frame.length);
  if (frames.length * byteLength(size) * 4 <= FLOAT_BUDGET) return new Batch(size, frames);
  return batchOfBytes(size, frames.map(truncateToBytes));
}

/**
 * Builds a float batch frame by frame; past FLOAT_BUDGET each frame is turned into bytes as soon as it is
 * made, so no more than one float frame beyond the budget is ever alive.
 */
export async function buildFloats(
  size: Pixels,
  length: number,
  make: (index: number) => Float32Array | Promise<Float32Array>,
): Promise<ImageBatch> {
  const compact = length * byteLength(size) * 4 > FLOAT_BUDGET;
  const frames: Frame[] = [];
  for (let index = 0; index < length; index++) {
    const frame = await make(index);
    checkLength(size, frame.length);
    frames.push(compact ? { data: truncateToBytes(frame), levels: UNIT_LEVELS } : frame);
  }
  return new Batch(size, frames);
}

/** One constant colour repeated `length` times; `colour` holds one value 0–1 per channel. */
export function constantBatch(size: Pixels, length: number, colour: readonly number[]): ImageBatch {
  const levels = new Float32Array(256);
  levels.set(colour.slice(0, size.channels));
  const data = new Uint8Array(byteLength(size));
  for (let i = 0; i < data.length; i++) data[i] = i % size.channels;
  // bytes() of such a frame goes through its levels, so the data being channel numbers is never seen.
  const frame: ByteFrame = { data, levels };
  return new Batch(size, Array.from({ length }, () => frame));
}

/** Each value through `value`, exactly in float32. Bytes stay bytes: only their 256 levels are mapped. */
export function mapValues(batch: ImageBatch, value: (x: number) => number): ImageBatch {
  if (!(batch instanceof Batch)) throw new TypeError("The batch was not made by image_batch.ts");
  return batch.mapValues(value);
}

/** Frames of several batches of one size after another. Throws a RangeError when sizes or channels differ. */
export function joinBatches(batches: readonly ImageBatch[]): ImageBatch {
  const [first] = batches;
  if (!first) throw new RangeError("Cannot join no images: give at least one batch");
  const frames: Frame[] = [];
  for (const batch of batches) {
    if (!sameSize(batch, first)) {
      throw new RangeError("Cannot join images of different sizes: scale them first");
    }
    if (!(batch instanceof Batch)) throw new TypeError("The batch was not made by image_batch.ts");
    frames.push(...batch.frames);
  }
  return new Batch(first, frames);
}

/**
 * Frames of `width` × `height` whose pixel (x, y) is the source's pixel `sourceOf(x, y)` (y · width + x there).
 * For crops, flips and turns: values are moved, never changed, and bytes stay bytes.
 */
export function movePixels(
  batch: ImageBatch,
  size: { readonly width: number; readonly height: number },
  sourceOf: (x: number, y: number) => number,
): ImageBatch {
  if (!(batch instanceof Batch)) throw new TypeError("The batch was not made by image_batch.ts");
  return batch.movePixels(size, sourceOf);
}

/** True when width, height and channels agree. */
export function sameSize(a: Pixels, b: Pixels): boolean {
  return a.width === b.width && a.height === b.height && a.channels === b.channels;
}

/** True when `value` is a batch made here. */
export function isImageBatch(value: unknown): value is ImageBatch {
  return value instanceof Batch;
}

/** trunc(clip(255 · x, 0, 255)) in float32, as stock savers do. NaN becomes 0. */
export function truncateToBytes(floats: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(floats.length);
  for (let i = 0; i < floats.length; i++) bytes[i] = toByte(floats[i] ?? 0);
  return bytes;
}

function toByte(x: number): number {
  const scaled = Math.fround(255 * x);
  return scaled >= 255 ? 255 : scaled > 0 ? Math.trunc(scaled) : 0;
}

function byteLength(size: Pixels): number {
  return size.width * size.height * size.channels;
}

function checkLength(size: Pixels, length: number): void {
  if (length === byteLength(size)) return;
  throw new RangeError(
    `A frame of ${size.width}x${size.height}x${size.channels} needs ${
      byteLength(size)
    } values, got ${length}`,
  );
}

class Batch implements ImageBatch {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  readonly frames: readonly Frame[];

  constructor(size: Pixels, frames: readonly Frame[]) {
    this.width = size.width;
    this.height = size.height;
    this.channels = size.channels;
    this.frames = frames;
  }

  get length(): number {
    return this.frames.length;
  }

  get isBytes(): boolean {
    return this.frames.every((frame) => !(frame instanceof Float32Array) && frame.levels === UNIT_LEVELS);
  }

  get memory(): number {
    const buffers = new Set<ArrayBufferLike>();
    for (const frame of this.frames) {
      buffers.add(frame instanceof Float32Array ? frame.buffer : frame.data.buffer);
    }
    return [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }

  bytes(index: number): Uint8Array {
    const frame = this.#frame(index);
    if (frame instanceof Float32Array) return truncateToBytes(frame);
    if (frame.levels === UNIT_LEVELS) return frame.data;
    const table = truncateToBytes(frame.levels);
    const bytes = new Uint8Array(frame.data.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = table[frame.data[i] ?? 0] ?? 0;
    return bytes;
  }

  floats(index: number): Float32Array {
    const frame = this.#frame(index);
    if (frame instanceof Float32Array) return frame;
    const { data, levels } = frame;
    const floats = new Float32Array(data.length);
    for (let i = 0; i < floats.length; i++) floats[i] = levels[data[i] ?? 0] ?? 0;
    return floats;
  }

  identity(index: number): unknown {
    return this.#frame(index);
  }

  slice(start: number, end: number): ImageBatch {
    return new Batch(this, this.frames.slice(start, end));
  }

  pick(indexes: readonly number[]): ImageBatch {
    return new Batch(this, indexes.map((index) => this.#frame(index)));
  }

  mapValues(value: (x: number) => number): ImageBatch {
    const tables = new Map<Float32Array, Float32Array>();
    return this.#eachOnce(this, (frame) => {
      if (frame instanceof Float32Array) return frame.map(value);
      const levels = tables.get(frame.levels) ?? frame.levels.map(value);
      tables.set(frame.levels, levels);
      return { data: frame.data, levels };
    });
  }

  movePixels(
    { width, height }: { width: number; height: number },
    sourceOf: (x: number, y: number) => number,
  ): ImageBatch {
    const { channels } = this;
    const map = new Int32Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) map[y * width + x] = sourceOf(x, y) * channels;
    }
    const size = width * height * channels;
    const move = <T extends Uint8Array | Float32Array>(from: T, to: T): T => {
      let at = 0;
      for (const start of map) {
        for (let c = 0; c < channels; c++) to[at++] = from[start + c] ?? 0;
      }
      return to;
    };
    return this.#eachOnce(
      { width, height, channels },
      (frame) =>
        frame instanceof Float32Array
          ? move(frame, new Float32Array(size))
          : { data: move(frame.data, new Uint8Array(size)), levels: frame.levels },
    );
  }

  /** One frame shown many times is made once and shown as often. */
  #eachOnce(size: Pixels, make: (frame: Frame) => Frame): Batch {
    const made = new Map<Frame, Frame>();
    for (const frame of this.frames) if (!made.has(frame)) made.set(frame, make(frame));
    return new Batch(size, this.frames.flatMap((frame) => made.get(frame) ?? []));
  }

  #frame(index: number): Frame {
    const frame = this.frames[index];
    if (!frame) throw new RangeError(`There is no frame ${index}: the batch has ${this.frames.length}`);
    return frame;
  }
}
