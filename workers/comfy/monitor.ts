import { errorMessage } from "#server/core/errors.ts";
import { type Log, silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { ComfyError } from "./comfy_error.ts";
import { softwareFacts } from "./features.ts";
import { asList, asNumber, asRecord, asText } from "./json.ts";
import { TIMINGS, type Timings } from "./timings.ts";
import { WorkerLink } from "./worker_link.ts";

/** A device as ComfyUI tells of it; null is no data. */
export interface DeviceMemory {
  readonly name: string;
  readonly vramTotalBytes: number | null;
  readonly vramFreeBytes: number | null;
  /** What others leave to the worker: free, or held by itself. */
  readonly availableBytes: number | null;
}

export interface ModelFile {
  readonly name: string;
  /** Null where the server does not say. */
  readonly sizeBytes: number | null;
}

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
  readonly devices: readonly DeviceMemory[];
  readonly ramTotalBytes: number | null;
  readonly ramFreeBytes: number | null;
  /** The model files by folder; undefined until they were read. */
  readonly models: Readonly<Record<string, readonly ModelFile[]>> | undefined;
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
        devices: asList(stats.devices).flatMap(readMemory),
        ramTotalBytes: asNumber(system?.ram_total) ?? null,
        ramFreeBytes: asNumber(system?.ram_free) ?? null,
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
    const { client } = this.#link;
    const { signal } = this.#stop;
    const models: Record<string, readonly ModelFile[]> = {};
    // Not all folders are in the list that tells sizes, and old servers have none.
    const sized = asList(await orNone(client.getJson("/experiment/models", { signal })))
      .map((item) => asText(asRecord(item)?.name));
    for (const folder of await orNone(client.models(undefined, { signal })) ?? []) {
      models[folder] = await this.#filesOf(folder, sized.includes(folder));
    }
    this.#modelsAt = performance.now();
    return models;
  }

  async #filesOf(folder: string, tellsSizes: boolean): Promise<ModelFile[]> {
    const { client } = this.#link;
    const { signal } = this.#stop;
    if (tellsSizes) {
      const files = await orNone(
        client.getJson(`/experiment/models/${encodeURIComponent(folder)}`, { signal }),
      );
      if (files !== undefined) return asList(files).flatMap(readModelFile);
    }
    const names = await orNone(client.models(folder, { signal })) ?? [];
    return names.map((name) => ({ name, sizeBytes: null }));
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
    ramTotalBytes: null,
    ramFreeBytes: null,
    models: undefined,
    problem: undefined,
  };
}

/** Old servers have no such route, and a folder may vanish between two calls. */
async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (problem) {
    if (problem instanceof ComfyError && (problem.reason === "refused" || problem.reason === "not_json")) {
      return undefined;
    }
    throw problem;
  }
}

function readModelFile(item: unknown): ModelFile[] {
  const file = asRecord(item);
  const name = asText(file?.name);
  return name === undefined ? [] : [{ name, sizeBytes: asNumber(file?.size) ?? null }];
}

function readMemory(item: unknown): DeviceMemory[] {
  const device = asRecord(item);
  if (device === undefined) return [];
  const name = asText(device.name) ?? "unnamed";
  // On a CPU, ComfyUI gives the machine's memory here.
  if (device.type === "cpu") {
    return [{ name, vramTotalBytes: null, vramFreeBytes: null, availableBytes: null }];
  }
  const free = asNumber(device.vram_free) ?? null;
  const held = asNumber(device.torch_vram_total);
  const heldFree = asNumber(device.torch_vram_free);
  return [{
    name,
    vramTotalBytes: asNumber(device.vram_total) ?? null,
    vramFreeBytes: free,
    // What torch holds but does not use is counted as free too.
    availableBytes: free === null || held === undefined || heldFree === undefined
      ? free
      : free - heldFree + held,
  }];
}
