import type { Rate } from "#server/core/media_time.ts";
import type { ImageBatch } from "./image_batch.ts";

/** Samples of a latent: a dense float32 tensor in row-major order, e.g. shape [batch, channels, height, width]. */
export interface Latent {
  readonly shape: readonly number[];
  readonly samples: Float32Array;
}

/** What an AUDIO wire carries: the sound of a file. The engine copies sound but computes none. */
export interface Audio {
  /** Absolute path of a file whose first audio stream is meant. */
  readonly file: string;
}

/** What a VIDEO wire carries: frames in memory, or a file that is decoded when frames are asked for. */
export interface Video {
  readonly width: number;
  readonly height: number;
  readonly rate: Rate;
  readonly audio?: Audio;
  /** Path of the file it was loaded from, with what the file is; absent for a video made of frames. */
  readonly file?: string;
  /** Names of the container's format, e.g. "mov", "mp4". */
  readonly formats?: readonly string[];
  /** ffmpeg's name of the codec, e.g. "h264". */
  readonly codec?: string;
  readonly tags?: Readonly<Record<string, string>>;
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
  AUDIO: Audio;
  VAE: Vae;
  "*": unknown;
}
