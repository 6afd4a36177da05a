import type { Rate } from "#server/core/media_time.ts";
import type { ImageBatch } from "./image_batch.ts";

/** Samples of a latent: a dense float32 tensor in row-major order, e.g. shape [batch, channels, height, width]. */
export interface Latent {
  readonly shape: readonly number[];
  readonly samples: Float32Array;
}

/** What a VIDEO wire carries: frames in memory, or a file that is decoded when frames are asked for. */
export interface Video {
  readonly rate: Rate;
  /** Path of the file it was loaded from; absent for a video made of frames. */
  readonly file?: string;
  /** All frames, RGB. Decodes on the first call. */
  frames(signal?: AbortSignal): Promise<ImageBatch>;
}

/** A VAE that the engine has. Only the one that maps pixels to themselves needs no model. */
export interface Vae {
  readonly kind: "pixel_space";
}

/** TypeScript type of the value on a wire of each ComfyUI type that the engine knows. */
export interface ValueOf {
  INT: number;
  FLOAT: number;
  STRING: string;
  BOOLEAN: boolean;
  COMBO: string;
  IMAGE: ImageBatch;
  MASK: ImageBatch;
  LATENT: Latent;
  VIDEO: Video;
  AUDIO: unknown;
  VAE: Vae;
  "*": unknown;
}
