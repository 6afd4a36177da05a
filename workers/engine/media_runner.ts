/** One run of ffmpeg. */
export interface MediaRun {
  /** Arguments without the program's name. Paths in them are absolute and readable and writable by the tool. */
  readonly args: readonly string[];
  readonly signal?: AbortSignal;
}

/** ffmpeg, native or wasm. `run` rejects with a sentence and the last lines of its log when it fails. */
export interface MediaRunner {
  run(run: MediaRun): Promise<void>;
}
