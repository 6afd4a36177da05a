import { errorMessage } from "#server/core/errors.ts";
import { type Log, silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { ComfyError } from "./comfy_error.ts";
import { type Device, readDevices, softwareFacts } from "./features.ts";
import { asNumber, asRecord } from "./json.ts";
import { TIMINGS, type Timings } from "./timings.ts";
import { WorkerLink } from "./worker_link.ts";

/** A worker as it was last seen. */
export interface WorkerState {
  readonly url: string;
  /** It answers calls. */
  readonly reachable: boolean;
  /** Its events come in; without them everything works, but progress shows in steps of seconds. */
  readonly hasEvents: boolean;
  /** "ComfyUI" or the CPU engine's name; undefined until it answered once. */
  readonly software: string | undefined;
  readonly version: string | undefined;
  /** Its results are previews made without a model, and are to be called so. */
  readonly isCpuPreview: boolean;
  /** Prompts queued or running, whoever sent them. */
  readonly queueRemaining: number;
  readonly devices: readonly Device[];
  readonly ramTotalBytes: number;
  readonly ramFreeBytes: number;
  /** Names of the model files by folder. */
  readonly models: Readonly<Record<string, readonly string[]>>;
  /** Why it is not reachable. */
  readonly problem: string | undefined;
}

export interface WorkerWatch {
  readonly state: WorkerState;
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly timings?: Timings;
  readonly log?: Log;
  /** A link to share with jobs; otherwise the watch has one of its own. */
  readonly link?: WorkerLink;
}

/**
 * Looks after one worker: `onState` gets its state every few seconds, and at once when its queue moves or
 * its socket opens or closes. Goes on until closed, whatever the worker does.
 */
export function watchWorker(
  url: string,
  onState: (state: WorkerState) => void,
  options: WatchOptions = {},
): WorkerWatch {
  const watcher = new Watcher(url, onState, options);
  return {
    get state() {
      return watcher.state;
    },
    close: () => watcher.close(),
  };
}

class Watcher {
  state: WorkerState;
  readonly #link: WorkerLink;
  readonly #owned: boolean;
  readonly #timings: Timings;
  readonly #onState: (state: WorkerState) => void;
  readonly #stop = new AbortController();
  readonly #unwatch: () => void;
  readonly #running: Promise<void>;
  #modelsAt = -Infinity;
  #look: () => void = () => {};

  constructor(url: string, onState: (state: WorkerState) => void, options: WatchOptions) {
    this.#timings = options.timings ?? TIMINGS;
    this.#owned = options.link === undefined;
    this.#link = options.link ?? new WorkerLink(url, this.#timings, options.log ?? silentLog);
    this.#onState = onState;
    this.state = unseen(this.#link.client.url);
    this.#unwatch = this.#link.watch({
      onQueue: (queueRemaining) => this.#tell({ queueRemaining }),
      onConnection: (hasEvents) => {
        this.#modelsAt = -Infinity;
        this.#tell({ hasEvents });
        this.#look();
      },
    });
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort(new DOMException("Nobody watches the worker any more", "AbortError"));
    this.#unwatch();
    await this.#running;
    if (this.#owned) await this.#link.close();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const seen = await this.#see();
      if (this.#stop.signal.aborted) return;
      this.#tell({ ...seen, hasEvents: this.#link.socket.isOpen });
      await this.#pause();
    }
  }

  async #see(): Promise<Partial<WorkerState>> {
    const { signal } = this.#stop;
    try {
      const features = await this.#link.features(signal);
      const { name, version } = softwareFacts(features);
      const [stats, queueRemaining] = await Promise.all([
        this.#link.client.systemStats({ signal }),
        this.#link.client.queueRemaining({ signal }),
      ]);
      const system = asRecord(stats.system);
      return {
        reachable: true,
        software: name,
        version,
        isCpuPreview: features.seedloop !== undefined,
        queueRemaining,
        devices: readDevices(stats.devices),
        ramTotalBytes: asNumber(system?.ram_total) ?? 0,
        ramFreeBytes: asNumber(system?.ram_free) ?? 0,
        models: await this.#models(),
        problem: undefined,
      };
    } catch (problem) {
      return { reachable: false, problem: errorMessage(problem) };
    }
  }

  /** Each folder is a call that scans a disk: read seldom. */
  async #models(): Promise<WorkerState["models"]> {
    if (performance.now() - this.#modelsAt < this.#timings.modelsMs) return this.state.models;
    const { signal } = this.#stop;
    const models: Record<string, readonly string[]> = {};
    for (const folder of await this.#orNone(this.#link.client.models(undefined, { signal }))) {
      models[folder] = await this.#orNone(this.#link.client.models(folder, { signal }));
    }
    this.#modelsAt = performance.now();
    return models;
  }

  /** Old servers have no such route, and a folder may vanish between two calls. */
  async #orNone(names: Promise<string[]>): Promise<string[]> {
    try {
      return await names;
    } catch (problem) {
      if (problem instanceof ComfyError && problem.reason === "refused") return [];
      throw problem;
    }
  }

  #tell(change: Partial<WorkerState>): void {
    if (this.#stop.signal.aborted) return;
    this.state = { ...this.state, ...change };
    this.#onState(this.state);
  }

  async #pause(): Promise<void> {
    const look = new AbortController();
    this.#look = () => look.abort();
    await delay(this.#timings.watchMs, AbortSignal.any([look.signal, this.#stop.signal])).catch(() => {});
    this.#look = () => {};
  }
}

function unseen(url: string): WorkerState {
  return {
    url,
    reachable: false,
    hasEvents: false,
    software: undefined,
    version: undefined,
    isCpuPreview: false,
    queueRemaining: 0,
    devices: [],
    ramTotalBytes: 0,
    ramFreeBytes: 0,
    models: {},
    problem: undefined,
  };
}
