import type { Log } from "#server/core/log.ts";
import type { WorkerVitals } from "#server/fleet/contract.ts";
import type { Command, Seen, WatchedWorker as Wanted } from "#workers/kit/fleet_messages.ts";
import type { AgentWatch } from "./agent_watch.ts";
import { type GpuReading, matchGpu } from "./gpu_readings.ts";
import { whyRest } from "./guards.ts";
import { keepProcess, type KeptProcess } from "./keep_process.ts";
import { watchWorker, type WorkerState, type WorkerWatch } from "./monitor.ts";
import { WatchDog } from "./watch_dog.ts";
import type { WorkerLink } from "./worker_link.ts";

export interface WatchedOptions {
  readonly link: WorkerLink;
  readonly log: Log;
  readonly tell: (about: string, data: unknown) => void;
  readonly onVitals: (vitals: WorkerVitals) => void;
  /** What this machine's GPUs say now. */
  readonly readings: () => readonly GpuReading[];
  /** Asks the machine of a worker that is another than this one. */
  readonly askAgent: (workerUrl: string) => AgentWatch;
  /** Its process or its models are others now: what it is made of is to be read anew. */
  readonly onNews: (watched: WatchedWorker) => void;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** News that are none are told again after this time, so that "last seen" stays true. */
const REPEAT_MS = 15_000;

/** One worker in this process's care: seen, measured, guarded, and started when the studio starts it. */
export class WatchedWorker {
  readonly dog: WatchDog;
  manager: string | undefined;
  readonly #options: WatchedOptions;
  readonly #stop = new AbortController();
  readonly #watch: WorkerWatch;
  /** Undefined where it runs on this machine, which is measured here. */
  readonly #agent: AgentWatch | undefined;
  #wanted: Wanted;
  #kept: { readonly process: KeptProcess; readonly command: string } | undefined;
  #lastTold = "";
  #toldAt = 0;
  #readFrom: { readonly models: WorkerState["models"] } | undefined;
  #whyResting: string | undefined;

  constructor(wanted: Wanted, options: WatchedOptions) {
    this.#wanted = wanted;
    this.#options = options;
    this.dog = new WatchDog({
      ...options,
      workerId: wanted.id,
      rules: () => this.#wanted.rules,
      kept: () => this.#kept?.process,
      restartCommand: () => this.#wanted.restart,
      onHealth: () => this.#saw(this.#watch.state),
    });
    this.#agent = isOfThisMachine(wanted.url) ? undefined : options.askAgent(wanted.url);
    this.#watch = watchWorker(wanted.url, (state) => this.#look(state), options);
    void this.#keep();
  }

  get id(): string {
    return this.#wanted.id;
  }

  get url(): string {
    return this.#wanted.url;
  }

  get state(): WorkerState {
    return this.#watch.state;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Its rules or commands may be others; all is told again. */
  change(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#lastTold = "";
    this.#readFrom = undefined;
    void this.#keep();
    this.#look(this.#watch.state);
  }

  /** What it is made of is asked for again at its next sign of life. */
  readAgain(): void {
    this.#readFrom = undefined;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.dog.close();
    await Promise.all([this.#watch.close(), this.#agent?.close(), this.#kept?.process.stop()]);
  }

  /** Starts its process, ends it, or ends it and starts another command, as it is wanted. */
  async #keep(): Promise<void> {
    const { start } = this.#wanted;
    const command: Command | undefined = start?.isWanted
      ? { args: start.args, folder: start.folder, environment: start.environment }
      : undefined;
    const text = command === undefined ? undefined : JSON.stringify(command);
    const kept = this.#kept;
    if (kept?.command === text) return;
    // The one that ends is still known, so that one can wait for it.
    if (kept) await kept.process.stop();
    if (this.#kept !== kept || this.#stop.signal.aborted) return;
    const log = this.#options.log.with({ workerId: this.id });
    this.#kept = command === undefined || text === undefined ? undefined : {
      process: keepProcess(command, { log, onChange: () => this.#look(this.#watch.state) }),
      command: text,
    };
    this.#look(this.#watch.state);
  }

  #look(state: WorkerState): void {
    // Before the first answer there is nothing to tell.
    if (this.#stop.signal.aborted || (!state.reachable && state.problem === undefined)) return;
    const vitals = this.#measure(state);
    const available = state.devices[0]?.availableBytes ?? null;
    const guarded = { celsius: vitals.celsius, availableVramBytes: state.reachable ? available : null };
    this.#whyResting = whyRest(this.#wanted.rules, guarded, this.#whyResting !== undefined);
    this.#options.onVitals(vitals);
    this.#saw(state);
    void this.dog.look(state.reachable);
  }

  #saw(state: WorkerState): void {
    const { health, problem } = this.dog;
    const isResting = health === "well" && this.#whyResting !== undefined;
    const seen: Seen = {
      workerId: this.id,
      isReachable: state.reachable,
      health: isResting ? "resting" : health,
      software: state.software ?? null,
      version: state.version ?? null,
      manager: this.manager ?? null,
      problem: problem ?? (state.reachable ? this.#whyResting : this.#whyAway(state)) ?? null,
    };
    const text = JSON.stringify(seen);
    if (text !== this.#lastTold || performance.now() - this.#toldAt > REPEAT_MS) {
      this.#lastTold = text;
      this.#toldAt = performance.now();
      this.#options.tell("seen", seen);
    }
    this.#lookForNews(state);
  }

  #whyAway(state: WorkerState): string | undefined {
    const { start } = this.#wanted;
    if (start && !start.isWanted) return "It was stopped: start it to use it again";
    const kept = this.#kept?.process;
    if (!kept || kept.pid !== undefined) return kept ? "Its process is starting" : state.problem;
    return kept.lastEnd === undefined
      ? "Its process is starting"
      : `Its process does not run: ${[kept.lastEnd, kept.tail.at(-1)].filter(Boolean).join("; ")}`;
  }

  /** It is back, or its models are others than those that were told. */
  #lookForNews(state: WorkerState): void {
    if (!state.reachable) this.#readFrom = undefined;
    if (!state.reachable || state.models === undefined) return;
    if (this.#readFrom && sameModels(this.#readFrom.models, state.models)) return;
    this.#readFrom = { models: state.models };
    this.#options.onNews(this);
  }

  #measure(state: WorkerState): WorkerVitals {
    const [device] = state.reachable ? state.devices : [];
    const known = state.devices[0]?.name;
    const told = this.#agent?.report;
    const readings = this.#agent ? told?.gpus ?? [] : this.#options.readings();
    const gpu = known === undefined ? undefined : matchGpu(known, readings);
    const usedBytes = device && device.vramTotalBytes !== null && device.vramFreeBytes !== null
      ? device.vramTotalBytes - device.vramFreeBytes
      : null;
    const { ramTotalBytes, ramFreeBytes } = state;
    const ram = state.reachable && ramTotalBytes !== null && ramFreeBytes !== null;
    return {
      at: new Date().toISOString(),
      gpuPercent: gpu?.gpuPercent ?? null,
      vramUsedBytes: gpu?.vramUsedBytes ?? usedBytes,
      vramTotalBytes: gpu?.vramTotalBytes ?? device?.vramTotalBytes ?? null,
      celsius: gpu?.celsius ?? null,
      watts: gpu?.watts ?? null,
      fanPercent: gpu?.fanPercent ?? null,
      clockMhz: gpu?.clockMhz ?? null,
      ramUsedBytes: ram ? ramTotalBytes - ramFreeBytes : told?.host.memoryUsedBytes ?? null,
      ramTotalBytes: ram ? ramTotalBytes : told?.host.memoryTotalBytes ?? null,
      queued: state.reachable ? state.queueRemaining : null,
      cpuPercent: told?.host.cpuPercent ?? null,
      diskUsedBytes: told?.host.diskUsedBytes ?? null,
      diskTotalBytes: told?.host.diskTotalBytes ?? null,
      receivedBytesPerSecond: told?.host.receivedBytesPerSecond ?? null,
      sentBytesPerSecond: told?.host.sentBytesPerSecond ?? null,
    };
  }
}

function sameModels(one: WorkerState["models"], other: WorkerState["models"]): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** Whether what this machine's tools say is about the worker at `url`. */
function isOfThisMachine(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || host.startsWith("127.")) return true;
  return Deno.networkInterfaces().some(({ address }) => address === host);
}
