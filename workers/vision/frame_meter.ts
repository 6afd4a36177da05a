import type { FrameCurves } from "#server/clips/job_kinds.ts";
import { type Lab, measureColor } from "./color.ts";
import { measureGrain } from "./grain.ts";
import { type LumaImage, LumaScaler, meanLuma } from "./luma.ts";
import { findNoiseFloor, meanDifference, measureMotion } from "./motion.ts";
import { laplacianVariance, meanGradient } from "./sharpness.ts";

const GRAIN_EVERY = 16;

/** Measures frames as they come, in order, holding three small ones: all curves from one decode. */
export class FrameMeter {
  readonly #width: number;
  readonly #height: number;
  readonly #scaler: LumaScaler;
  readonly #recent: LumaImage[] = [];
  readonly #quiet: number[] = [];
  readonly #grain: number[] = [];
  readonly #texture: number[] = [];
  readonly #motion: number[] = [];
  readonly #motion2: number[] = [];
  readonly #sharpness: number[] = [];
  readonly #meanLuma: number[] = [];
  readonly #meanLab: Lab[] = [];

  /** @param width,height Size of the frames that will come. */
  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#scaler = new LumaScaler(width, height);
  }

  /** Takes the next frame: 8-bit RGB without padding. It may be reused after the call. */
  push(rgb: Uint8Array): void {
    const [last, beforeLast] = this.#recent;
    const spare = this.#recent.length === 3 ? this.#recent.pop()?.data : undefined;
    const frame = this.#scaler.scale(rgb, spare);
    const motion = last ? measureMotion(last, frame) : { whole: 0, quiet: 0 };
    if (last) this.#quiet.push(motion.quiet);
    if (this.#motion.length % GRAIN_EVERY === 0) {
      this.#grain.push(measureGrain(frame));
      this.#texture.push(meanGradient(frame));
    }
    this.#motion.push(motion.whole);
    this.#motion2.push(beforeLast ? meanDifference(beforeLast, frame) : 0);
    this.#sharpness.push(laplacianVariance(frame));
    this.#meanLuma.push(meanLuma(frame));
    this.#meanLab.push(measureColor(rgb, this.#width, this.#height).meanLab);
    this.#recent.unshift(frame);
  }

  get frameCount(): number {
    return this.#motion.length;
  }

  curves(): FrameCurves {
    return {
      motion: [...this.#motion],
      motion2: [...this.#motion2],
      sharpness: [...this.#sharpness],
      meanLuma: [...this.#meanLuma],
      meanLab: [...this.#meanLab],
      noiseFloor: findNoiseFloor({
        motion: this.#motion,
        motion2: this.#motion2,
        quiet: this.#quiet,
        grain: this.#grain,
        texture: this.#texture,
      }),
    };
  }
}
