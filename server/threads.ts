import { hostname } from "node:os";
import { join } from "node:path";
import type { Log } from "#server/core/log.ts";
import type { Config } from "#server/config.ts";
import type { Sample } from "#server/fleet/vitals_board.ts";
import type { LiveHub } from "#server/live/hub.ts";
import { linkThreads, startThread, type Thread, type ThreadState } from "#workers/kit/host.ts";
import type { ThreadMessage } from "#workers/kit/messages.ts";

export interface ThreadsOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly node: { readonly id: string; readonly version: string };
  readonly log: Log;
  readonly hub: LiveHub;
  /** What was just measured of a worker, by its id, or of this machine. */
  readonly onVitals: (subject: string, vitals: Sample) => void;
}

export interface Threads {
  states(): ThreadState[];
  /** Where the CPU engine listens now; undefined while it starts. */
  engineUrl(): string | undefined;
  /** The media tools that were found: native or wasm, and their version. */
  mediaBackend(): unknown;
  /** Cuts a thread off wherever it is and starts another; nothing happens when there is none of that name. */
  restart(name: string, reason: string): void;
  /** The queue first, so that running jobs are handed back while those who run them are still there. */
  stop(): Promise<void>;
}

/** Containers can have one machine name and numbers of processes of their own. */
function pidSpace(): string {
  try {
    return `${hostname()} ${Deno.readLinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/** Starts every thread of the studio and joins those that run jobs to the queue. */
export function startThreads({ config, databaseUrl, node, log, hub, onVitals }: ThreadsOptions): Threads {
  let engineUrl: string | undefined;
  let mediaBackend: unknown;
  const { store } = config;
  const workRoot = join(config.data, "work");
  const ffmpeg = config.ffmpeg ? { ffmpeg: config.ffmpeg } : {};

  const onMessage = (message: ThreadMessage) => {
    if (message.t === "progress") hub.progress(message);
    else if (message.t === "preview") hub.preview(message);
    else if (message.t === "vitals") onVitals(message.subject, message.vitals);
    else if (message.t === "engine_ready") setEngine(message.url);
    else if (message.t === "engine_lost") setEngine(undefined);
    else if (message.t === "media_backend") mediaBackend = message.backend;
    else if (message.t === "restart_thread") restart(message.name, message.reason);
  };
  const open = (name: string, settings: unknown): Thread =>
    startThread(name, import.meta.resolve(`#workers/${name}/main.ts`), { log, settings, onMessage });

  const cores = navigator.hardwareConcurrency;
  const queue = open("queue", {
    databaseUrl,
    store,
    node: { id: node.id, host: hostname(), pidSpace: pidSpace(), pid: Deno.pid, version: node.version },
    slots: { cpu: Math.max(2, cores - 1), io: 4, script: 2 },
  });
  const engine = open("engine", { base: join(config.data, "engine"), ...ffmpeg });
  const runners = [
    open("comfy", { store, workRoot }),
    open("media", { store, workRoot, backend: config.mediaBackend, ...ffmpeg }),
    open("vision", { store, workRoot, backend: config.mediaBackend, ...ffmpeg }),
  ];
  for (const runner of runners) linkThreads(queue, runner);
  const threads = [queue, engine, ...runners];
  // A queue that was restarted has forgotten where the engine is.
  queue.watch({ up: () => tellEngine(), down: () => {} });

  function restart(name: string, reason: string): void {
    threads.find((thread) => thread.name === name)?.restart(reason);
  }

  function setEngine(url: string | undefined): void {
    engineUrl = url;
    tellEngine();
  }

  function tellEngine(): void {
    if (engineUrl) queue.post({ t: "tell", about: "engine_ready", data: { url: engineUrl } });
  }

  return {
    states: () => threads.map((thread) => thread.state),
    engineUrl: () => engineUrl,
    mediaBackend: () => mediaBackend,
    restart,
    stop: async () => {
      await queue.stop();
      await Promise.all([engine, ...runners].map((thread) => thread.stop()));
    },
  };
}
