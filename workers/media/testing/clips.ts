import type { Rate } from "#server/core/media_time.ts";

/** A clip made on the fly; every frame says its own number in bars that survive lossy coding. */
export interface TestClip {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly rate: Rate;
  readonly frameCount: number;
  readonly seed: number;
}

const BITS = 10;

/**
 * Frame `n` as packed RGB: a moving coloured gradient with grain, and over its top quarter ten bars that
 * spell n in black and white.
 */
export function testFrame(clip: TestClip, n: number): Uint8Array {
  const { widthPx, heightPx, seed } = clip;
  const frame = new Uint8Array(widthPx * heightPx * 3);
  const barHeight = Math.floor(heightPx / 4);
  let noise = (n + 1) * 7919 + seed * 104729;
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      const at = (y * widthPx + x) * 3;
      noise = (noise * 1103515245 + 12345) & 0x7fffffff;
      const grain = (noise >> 16) % 5;
      const wave = 110 + 50 * Math.sin((x + n * 2 + seed) / 11) + 40 * Math.cos((y - n) / 9);
      const bar = Math.floor((x * BITS) / widthPx);
      const lit = y < barHeight ? ((n >> bar) & 1) * 215 + 20 : undefined;
      frame[at] = lit ?? wave + grain;
      frame[at + 1] = lit ?? wave * 0.8 + 20 + grain;
      frame[at + 2] = lit ?? 230 - wave * 0.7 - grain;
    }
  }
  return frame;
}

/** All frames of a clip, made one at a time. */
export async function* testFrames(clip: TestClip): AsyncGenerator<Uint8Array, void, void> {
  for (let n = 0; n < clip.frameCount; n++) yield await Promise.resolve(testFrame(clip, n));
}

/** Reads the number out of a frame's bars; `channels` is 3 for RGB, 1 for grey. */
export function readFrameNumber(
  frame: Uint8Array,
  size: { widthPx: number; heightPx: number },
  channels: 1 | 3,
): number {
  const y = Math.floor(size.heightPx / 8);
  let number = 0;
  for (let bar = 0; bar < BITS; bar++) {
    const x = Math.floor(((bar + 0.5) * size.widthPx) / BITS);
    const value = frame[(y * size.widthPx + x) * channels] ?? 0;
    if (value > 127) number |= 1 << bar;
  }
  return number;
}

/** Fails with the first place where two frames differ; a general diff of frames takes minutes. */
export function assertSameFrame(actual: Uint8Array, wanted: Uint8Array | undefined, about: string): void {
  if (!wanted || actual.byteLength !== wanted.byteLength) {
    throw new Error(`${about}: ${actual.byteLength} bytes, wanted ${wanted?.byteLength}`);
  }
  const at = actual.findIndex((value, n) => value !== wanted[n]);
  if (at >= 0) throw new Error(`${about}: byte ${at} is ${actual[at]}, wanted ${wanted[at]}`);
}
