import type { Log } from "#server/core/log.ts";
import { silentLog } from "#server/core/log.ts";
import { cancelUntilOver } from "./cancel.ts";
import { untilAborted } from "./abort.ts";
import { ComfyClient } from "./client.ts";
import type { BinaryEvent, ComfyEvent, PromptEvent } from "./events.ts";
import { type Features, probeFeatures } from "./features.ts";
import { Poison } from "./poison.ts";
import { WorkerSocket } from "./socket.ts";
import { TIMINGS, type Timings } from "./timings.ts";
import { readTruth, readTruths, type Truth } from "./truth.ts";
import { Uploads } from "./upload.ts";

/** Who wants to hear of one prompt. */
export interface PromptListener {
  readonly onEvent: (event: PromptEvent) => void;
  readonly onPreview: (image: Uint8Array, mediaType: string) => void;
  /** The socket was opened anew: events may have been missed. */
  readonly onGap: () => void;
}

/** Who wants to hear of the worker itself. */
export interface WorkerListener {
  readonly onQueue: (queueRemaining: number) => void;
  readonly onConnection: (isOpen: boolean) => void;
  /** Its GPU is at fault, for this reason, until its process is started anew; undefined when that has happened. */
  readonly onPoison?: (reason: string | undefined) => void;
  /** A prompt is listened to from now on, or by nobody any more. */
  readonly onFollow?: (promptId: string, isFollowed: boolean) => void;
  readonly onPrompt?: (event: PromptEvent) => void;
}

/** How long a description of the worker's nodes is taken for true when nobody doubts it. */
const OBJECT_INFO_MS = 600_000;

/** All that this thread holds of one ComfyUI: calls, the one socket, what it can do, what was sent to it. */
export class WorkerLink {
  readonly client: ComfyClient;
  readonly socket: WorkerSocket;
  readonly uploads: Uploads;
  readonly poison: Poison;
  readonly timings: Timings;
  readonly log: Log;
  readonly #stop = new AbortController();
  readonly #prompts = new Map<string, Set<PromptListener>>();
  readonly #watchers = new Set<WorkerListener>();
  #features: Promise<Features> | undefined;
  #objectInfo: { readonly read: Promise<Record<string, unknown>>; readonly at: number } | undefined;
  /** Previews of the old kind name no prompt: they belong to the one that spoke last. */
  #speaking: string | undefined;

  constructor(url: string, timings: Timings = TIMINGS, log: Log = silentLog) {
    this.timings = timings;
    this.log = log.with({ worker: url });
    this.client = new ComfyClient(url, timings);
    this.uploads = new Uploads(this.client, this.#stop.signal);
    this.poison = new Poison(this.client, timings, this.#stop.signal, (reason) => {
      this.log.warn("GPU of worker was found at fault or mended", { reason: reason ?? "restarted" });
      this.#tellWatchers((watcher) => watcher.onPoison?.(reason));
    });
    this.socket = new WorkerSocket({
      address: async (signal) =>
        this.client.url.replace(/^http/, "ws") + await this.client.prefix(signal) + "/ws",
      onEvent: (event) => this.#hear(event),
      onBinary: (event) => this.#see(event),
      onOpen: () => this.#opened(),
      onClose: () => {
        this.#doubt();
        this.#tellWatchers((watcher) => watcher.onConnection(false));
      },
      timings,
      log: this.log,
    });
  }

  /** What the worker is and can do: asked once per connection. Throws ComfyError when it doesn't answer. */
  async features(signal?: AbortSignal): Promise<Features> {
    this.#features ??= probeFeatures(this.client, this.#stop.signal);
    const asked = this.#features;
    try {
      return await untilAborted(asked, signal);
    } catch (problem) {
      if (!signal?.aborted && this.#features === asked) this.#features = undefined;
      throw problem;
    }
  }

  /** The worker's `/object_info`, kept; read anew with `fresh`, and after the worker was away. */
  async objectInfo(signal?: AbortSignal, fresh = false): Promise<Record<string, unknown>> {
    const kept = this.#objectInfo;
    if (fresh || kept === undefined || performance.now() - kept.at > OBJECT_INFO_MS) {
      const read = this.client.objectInfo(undefined, { signal: this.#stop.signal });
      this.#objectInfo = { read, at: performance.now() };
    }
    const asked = this.#objectInfo!; // set just above when it was undefined
    try {
      return await untilAborted(asked.read, signal);
    } catch (problem) {
      if (!signal?.aborted && this.#objectInfo === asked) this.#objectInfo = undefined;
      throw problem;
    }
  }

  /** Where a prompt is, from the server itself; see readTruth(). */
  async truth(promptId: string, signal?: AbortSignal, isSaidToHaveEnded = false): Promise<Truth> {
    return await readTruth(this.client, await this.features(signal), promptId, signal, isSaidToHaveEnded);
  }

  /** Where several prompts are, in the order asked. */
  async truths(promptIds: readonly string[], signal?: AbortSignal): Promise<Truth[]> {
    return await readTruths(this.client, await this.features(signal), promptIds, signal);
  }

  /** Hears of one prompt until the returned function is called. */
  listen(promptId: string, listener: PromptListener): () => void {
    const listeners = this.#prompts.get(promptId) ?? new Set();
    this.#prompts.set(promptId, listeners.add(listener));
    if (listeners.size === 1) this.#tellWatchers((watcher) => watcher.onFollow?.(promptId, true));
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#prompts.delete(promptId);
      this.#tellWatchers((watcher) => watcher.onFollow?.(promptId, false));
    };
  }

  /** Hears of the worker itself until the returned function is called. */
  watch(listener: WorkerListener): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Cancels one prompt to its end, however long it takes; goes on when nobody waits. */
  async cancel(promptId: string): Promise<Truth | undefined> {
    try {
      const features = await this.features(this.#stop.signal);
      return await cancelUntilOver(this.client, features, promptId, this.timings, this.#stop.signal);
    } catch (problem) {
      if (!this.#stop.signal.aborted) this.log.warn("prompt was not cancelled", { promptId, problem });
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new DOMException("The worker was let go.", "AbortError"));
    await this.socket.close();
    this.client.close();
  }

  /** Another process may answer at this address from now on: what is known of it is asked again. */
  #doubt(): void {
    this.#features = undefined;
    this.#objectInfo = undefined;
    this.uploads.doubt();
  }

  #opened(): void {
    if (this.socket.generation > 1) {
      // What was asked meanwhile may have been answered by the process that went.
      this.#doubt();
      void this.poison.lookAgain();
    }
    for (const listeners of this.#prompts.values()) {
      for (const listener of listeners) listener.onGap();
    }
    this.#tellWatchers((watcher) => watcher.onConnection(true));
  }

  #hear(event: ComfyEvent): void {
    if (event.type === "prompt") {
      const { promptId } = event.event;
      if (event.event.type !== "ended") this.#speaking = promptId;
      this.#tellWatchers((watcher) => watcher.onPrompt?.(event.event));
      for (const listener of this.#prompts.get(promptId) ?? []) listener.onEvent(event.event);
    } else if (event.type === "status" && event.queueRemaining !== undefined) {
      const remaining = event.queueRemaining;
      this.#tellWatchers((watcher) => watcher.onQueue(remaining));
    }
  }

  #see(event: BinaryEvent): void {
    if (event.type !== "preview" || event.image.length === 0) return;
    const promptId = event.promptId ?? this.#speaking;
    if (promptId === undefined) return;
    for (const listener of this.#prompts.get(promptId) ?? []) {
      listener.onPreview(event.image, event.mediaType);
    }
  }

  #tellWatchers(tell: (watcher: WorkerListener) => void): void {
    for (const watcher of this.#watchers) tell(watcher);
  }
}

/** The workers that this thread drives, one link each, made when first asked for. */
export class WorkerLinks {
  readonly #links = new Map<string, WorkerLink>();

  constructor(readonly timings: Timings = TIMINGS, readonly log: Log = silentLog) {}

  /** The link to the ComfyUI at `url`; the same one for every job. */
  to(url: string): WorkerLink {
    const key = url.replace(/\/+$/, "");
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new WorkerLink(key, this.timings, this.log);
      this.#links.set(key, link);
    }
    return link;
  }

  /** Lets every worker go: sockets end, running transfers and cancels stop. */
  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }
}
