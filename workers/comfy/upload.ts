import type { FileRef } from "#server/core/file_ref.ts";
import type { FileStore } from "#server/files/store.ts";
import { GiveUp } from "#workers/kit/handle.ts";
import { untilAborted } from "./abort.ts";
import type { ComfyClient, FileOnWorker } from "./client.ts";
import { ComfyError } from "./comfy_error.ts";
import { uploadFailure } from "./failure.ts";

/** The folder under a worker's `input` that holds what Seedloop sent. */
export const UPLOAD_FOLDER = "seedloop";

/** The files of one worker: each is sent once, by its hash, and looked for again after the worker was away. */
export class Uploads {
  readonly #client: ComfyClient;
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, FileOnWorker>();
  readonly #unsure = new Set<string>();
  readonly #sending = new Map<string, Promise<string>>();

  /** @param signal Ends transfers when the worker is let go. */
  constructor(client: ComfyClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** The worker may have been restarted or cleaned: every file is looked for before it is used again. */
  doubt(): void {
    for (const key of this.#known.keys()) this.#unsure.add(key);
  }

  /** The worker refused a file that it should have: all are sent again when next used. */
  forget(): void {
    this.#known.clear();
    this.#unsure.clear();
  }

  /**
   * The name by which nodes of the worker read `file`, sent now unless it is there. Two jobs that want the
   * same file share one transfer, which outlives the abort of either.
   */
  async ensure(
    store: FileStore,
    file: FileRef,
    extension: string,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<string> {
    const name = `${file.hash}.${extension.replace(/^\./, "")}`;
    if (file.sizeBytes > maxBytes) throw tooLarge(this.#client.url, file.sizeBytes, maxBytes);
    let sending = this.#sending.get(name);
    if (sending === undefined) {
      sending = this.#find(store, file, name).finally(() => this.#sending.delete(name));
      this.#sending.set(name, sending);
    }
    return await untilAborted(sending, signal);
  }

  async #find(store: FileStore, file: FileRef, name: string): Promise<string> {
    const known = this.#known.get(name);
    if (known !== undefined && !this.#unsure.has(name)) return inputName(known);
    // A name that is a hash, with the right length: the same file, from before.
    const expected = known ?? { filename: name, subfolder: UPLOAD_FOLDER, type: "input" };
    const there = await this.#client.fileSize(expected, { signal: this.#signal });
    const found = there === file.sizeBytes ? expected : await this.#send(store, file, name);
    this.#known.set(name, found);
    this.#unsure.delete(name);
    return inputName(found);
  }

  async #send(store: FileStore, file: FileRef, name: string): Promise<FileOnWorker> {
    const stream = await store.read(file.hash);
    try {
      return await this.#client.upload({ name, stream }, UPLOAD_FOLDER, { signal: this.#signal });
    } catch (problem) {
      if (problem instanceof ComfyError && problem.status === 413) {
        throw tooLarge(this.#client.url, file.sizeBytes, undefined);
      }
      throw uploadFailure(problem);
    } finally {
      if (!stream.locked) await stream.cancel();
    }
  }
}

function inputName(file: FileOnWorker): string {
  return file.subfolder === "" ? file.filename : `${file.subfolder}/${file.filename}`;
}

function tooLarge(url: string, size: number, limit: number | undefined): GiveUp {
  const least = Math.ceil(size / 1024 / 1024) + 1;
  const allowed = limit === undefined ? "" : ` of ${limit} bytes`;
  return new GiveUp(
    `Cannot send an input of ${size} bytes to ${url}: it is over the upload limit${allowed}; ` +
      `start that ComfyUI with --max-upload-size ${least} or choose a smaller input`,
  );
}
