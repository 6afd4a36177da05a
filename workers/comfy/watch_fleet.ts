import { encodeHex } from "@std/encoding/hex.js";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { ApiGraph } from "#server/fleet/job_kinds.ts";
import type { HostVitals, WorkerVitals } from "#server/fleet/contract.ts";
import { Check, type Checked, type Nodes, Order, Pace, Watch } from "#workers/kit/fleet_messages.ts";
import { type AgentWatch, watchAgent } from "./agent_watch.ts";
import { findManager } from "./comfy_manager.ts";
import type { GpuMonitor } from "./gpu_monitor.ts";
import { writeJson } from "./json.ts";
import { profileOf } from "./profile.ts";
import { checkGraph } from "./validate.ts";
import { WatchedWorker } from "./watched_worker.ts";
import type { WorkerLinks } from "./worker_link.ts";

export interface FleetWatchOptions {
  readonly links: WorkerLinks;
  readonly log: Log;
  /** To the queue: what fleet_messages.ts says. */
  readonly tell: (about: string, data: unknown) => void;
  /** What was just measured of a worker, by its id, or of this machine, under HOST. */
  readonly onVitals: (subject: string, vitals: WorkerVitals | HostVitals) => void;
  /** What this machine's GPUs say; without it there is what the workers themselves tell. */
  readonly gpus?: GpuMonitor;
  /** Asks the machines of workers that are others than this one. */
  readonly askAgent?: (workerUrl: string) => AgentWatch;
  readonly now?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Looks after the workers that the queue names, and answers what each of them can run. */
export class FleetWatch {
  readonly #options: FleetWatchOptions;
  readonly #watched = new Map<string, WatchedWorker>();

  constructor(options: FleetWatchOptions) {
    this.#options = options;
  }

  /** Does what the queue tells. */
  async hear(about: string, data: unknown): Promise<void> {
    switch (about) {
      case "watch":
        return await this.#watch(Watch.parse(data));
      case "check":
        return await this.#check(Check.parse(data));
      case "pace": {
        const pace = Pace.parse(data);
        return this.#watched.get(pace.workerId)?.dog.learn(pace);
      }
      case "order": {
        const order = Order.parse(data);
        return await this.#watched.get(order.workerId)?.dog.order(order);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watched.values()].map((watched) => watched.close()));
    this.#watched.clear();
  }

  async #watch({ workers }: Watch): Promise<void> {
    const wanted = new Map(workers.map((worker) => [worker.id, worker]));
    const gone: Promise<void>[] = [];
    for (const [id, watched] of this.#watched) {
      const worker = wanted.get(id);
      // Asked again may mean that a new queue thread knows nothing yet.
      if (worker?.url === watched.url) watched.change(worker);
      else {
        this.#watched.delete(id);
        gone.push(watched.close());
      }
    }
    await Promise.all(gone);
    for (const [id, worker] of wanted) {
      if (this.#watched.has(id)) continue;
      const { links, log, tell, onVitals, gpus, askAgent, now, wait } = this.#options;
      this.#watched.set(
        id,
        new WatchedWorker(worker, {
          link: links.to(worker.url),
          log,
          tell,
          onVitals: (vitals) => onVitals(id, vitals),
          readings: () => gpus?.readings ?? [],
          askAgent: askAgent ?? ((url) => watchAgent(url, { log })),
          onNews: (watched) => void this.#readAnew(watched),
          now: now ?? (() => performance.now()),
          wait: wait ?? delay,
        }),
      );
    }
  }

  /** Its nodes, its models and whether it has a Manager: at each start of its process, and when a model came or went. */
  async #readAnew(watched: WatchedWorker): Promise<void> {
    const { id: workerId, url } = watched;
    try {
      const { nodes, hash } = await this.#readNodes(url, true);
      this.#options.tell("nodes", { workerId, hash } satisfies Nodes);
      this.#options.tell("profile", profileOf(workerId, nodes, watched.state));
      watched.manager = (await findManager(url, watched.signal).catch(() => undefined))?.version;
    } catch (error) {
      this.#options.log.warn("nodes of a worker were not read", { workerId, reason: errorMessage(error) });
      watched.readAgain();
    }
  }

  async #check({ workerId, versions }: Check): Promise<void> {
    const watched = this.#watched.get(workerId);
    if (!watched) return;
    try {
      const { nodes, hash } = await this.#readNodes(watched.url, false);
      const found = versions.map(({ id, graph }) => {
        const parsed = ApiGraph.safeParse(graph);
        const missing = parsed.success
          ? checkGraph(parsed.data, nodes).map((problem) => problem.message)
          : ["Its graph can't be read"];
        return { versionId: id, missing };
      });
      this.#options.tell("checked", { workerId, hash, found } satisfies Checked);
    } catch (error) {
      this.#options.log.warn("workflows of a worker were not checked", {
        workerId,
        reason: errorMessage(error),
      });
    }
  }

  async #readNodes(url: string, fresh: boolean): Promise<{ nodes: Record<string, unknown>; hash: string }> {
    const nodes = await this.#options.links.to(url).objectInfo(undefined, fresh);
    const text = new TextEncoder().encode(writeJson(nodes));
    return { nodes, hash: encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", text))) };
  }
}
