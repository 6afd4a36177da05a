/** 8-bit RGB pixels, interleaved, row by row without padding. Treat `rgb` as read-only. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** One value per pixel, row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A rectangle in pixels; edges may lie between pixels and outside the picture. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Throws a RangeError when the byte count does not fit the size. */
export function checkPicture(picture: Picture): void {
  const { width, height, rgb } = picture;
  if (width >= 1 && height >= 1 && rgb.length === width * height * 3) return;
  throw new RangeError(
    `Cannot read a picture of ${width}x${height}: it needs ${
      width * height * 3
    } bytes of RGB, got ${rgb.length}`,
  );
}

/** A plane of zeros. */
export function emptyPlane(width: number, height: number): Plane {
  return { width, height, data: new Float32Array(width * height) };
}

/** Luma 0–255 by BT.709 weights. */
export function lumaOf(picture: Picture): Plane {
  const plane = emptyPlane(picture.width, picture.height);
  const { rgb } = picture;
  for (let i = 0, p = 0; i < plane.data.length; i++, p += 3) {
    plane.data[i] = 0.2126 * rgb[p]! + 0.7152 * rgb[p + 1]! + 0.0722 * rgb[p + 2]!;
  }
  return plane;
}

/** `value` held between `low` and `high`. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** 0 below `from`, 1 above `to`, and a curve without a kink between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from), 0, 1);
  return t * t * (3 - 2 * t);
}
