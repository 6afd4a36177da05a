/** Luma (BT.709 weights on 8-bit values) as 0–255 floats, row by row. */
export interface LumaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Width at which motion and sharpness are measured; narrower pictures are taken as they are. */
export const MEASURE_WIDTH = 480;

/** The size at which a picture of this size is measured. */
export function measureSize(width: number, height: number): { width: number; height: number } {
  if (width <= MEASURE_WIDTH) return { width, height };
  return { width: MEASURE_WIDTH, height: Math.max(1, Math.round((height * MEASURE_WIDTH) / width)) };
}

interface Spread {
  /** For each source index: the target that it starts in. */
  readonly first: Uint16Array;
  /** For each source index: what share of a target it covers there; the rest goes to the next target. */
  readonly share: Float32Array;
  readonly rest: Float32Array;
}

/** Shrinks RGB to luma by area means, so that a finer picture does not alias. Plans once per size. */
export class LumaScaler {
  readonly width: number;
  readonly height: number;
  readonly #sourceWidth: number;
  readonly #sourceHeight: number;
  readonly #columns: Spread;
  readonly #rows: Spread;
  readonly #line: Float32Array;

  constructor(sourceWidth: number, sourceHeight: number, size = measureSize(sourceWidth, sourceHeight)) {
    if (size.width > sourceWidth || size.height > sourceHeight) {
      throw new RangeError("Luma is only ever shrunk: ask for a size within the picture's");
    }
    this.#sourceWidth = sourceWidth;
    this.#sourceHeight = sourceHeight;
    this.width = size.width;
    this.height = size.height;
    this.#columns = spread(sourceWidth, size.width);
    this.#rows = spread(sourceHeight, size.height);
    this.#line = new Float32Array(size.width + 1);
  }

  /** Writes the luma of `rgb` into `out` (made when absent) and returns it. */
  scale(rgb: Uint8Array, out: Float32Array = new Float32Array(this.width * this.height)): LumaImage {
    const { width, height } = this;
    if (rgb.length !== this.#sourceWidth * this.#sourceHeight * 3) {
      throw new RangeError(
        `${rgb.length} bytes are not ${this.#sourceWidth}×${this.#sourceHeight} RGB pixels`,
      );
    }
    out.fill(0);
    for (let y = 0; y < this.#sourceHeight; y++) {
      this.#readLine(rgb, y);
      const row = this.#rows.first[y]!;
      addLine(out, row * width, this.#line, width, this.#rows.share[y]!);
      if (this.#rows.rest[y]! > 0 && row + 1 < height) {
        addLine(out, (row + 1) * width, this.#line, width, this.#rows.rest[y]!);
      }
    }
    return { width, height, data: out };
  }

  #readLine(rgb: Uint8Array, y: number): void {
    const line = this.#line;
    const { first, share, rest } = this.#columns;
    line.fill(0);
    let at = y * this.#sourceWidth * 3;
    for (let x = 0; x < this.#sourceWidth; x++, at += 3) {
      const luma = 0.2126 * rgb[at]! + 0.7152 * rgb[at + 1]! + 0.0722 * rgb[at + 2]!;
      const column = first[x]!;
      line[column]! += luma * share[x]!;
      line[column + 1]! += luma * rest[x]!;
    }
  }
}

function addLine(out: Float32Array, at: number, line: Float32Array, width: number, weight: number): void {
  for (let x = 0; x < width; x++) out[at + x]! += line[x]! * weight;
}

function spread(source: number, target: number): Spread {
  const first = new Uint16Array(source);
  const share = new Float32Array(source);
  const rest = new Float32Array(source);
  const scale = target / source;
  for (let i = 0; i < source; i++) {
    const from = i * scale;
    const to = (i + 1) * scale;
    const cell = Math.min(target - 1, Math.floor(from + 1e-9));
    first[i] = cell;
    const beyond = Math.max(0, to - (cell + 1));
    share[i] = scale - beyond;
    rest[i] = cell + 1 < target ? beyond : 0;
  }
  return { first, share, rest };
}

export function meanLuma(image: LumaImage): number {
  let sum = 0;
  for (let i = 0; i < image.data.length; i++) sum += image.data[i]!;
  return sum / image.data.length;
}
