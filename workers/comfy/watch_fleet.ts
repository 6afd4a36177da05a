import { encodeHex } from "@std/encoding/hex.js";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { ApiGraph } from "#server/fleet/job_kinds.ts";
import { Check, type Checked, type Nodes, type Seen, Watch } from "#workers/kit/fleet_messages.ts";
import { writeJson } from "./json.ts";
import { watchWorker, type WorkerState, type WorkerWatch } from "./monitor.ts";
import { checkGraph } from "./validate.ts";
import type { WorkerLinks } from "./worker_link.ts";

export interface FleetWatchOptions {
  readonly links: WorkerLinks;
  readonly log: Log;
  /** To the queue: "seen", "nodes" and "checked". */
  readonly tell: (about: string, data: unknown) => void;
  /** Everything about a worker, for the live hub. */
  readonly onState: (workerId: string, state: WorkerState) => void;
}

interface Watched {
  readonly url: string;
  readonly watch: WorkerWatch;
  lastTold: string;
  toldAt: number;
  wasReachable: boolean;
}

/** News that are none are told again after this time, so that "last seen" stays true. */
const REPEAT_MS = 15_000;

/** Looks after the workers that the queue names, and answers what each of them can run. */
export class FleetWatch {
  readonly #options: FleetWatchOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: FleetWatchOptions) {
    this.#options = options;
  }

  /** Does what the queue tells. */
  async hear(about: string, data: unknown): Promise<void> {
    if (about === "watch") return await this.#watch(Watch.parse(data));
    if (about === "check") return await this.#check(Check.parse(data));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ watch }) => watch.close()));
    this.#watched.clear();
  }

  async #watch({ workers }: Watch): Promise<void> {
    const wanted = new Map(workers.map((worker) => [worker.id, worker.url]));
    for (const [id, watched] of this.#watched) {
      if (wanted.get(id) === watched.url) {
        // Asked again means that a new queue thread knows nothing yet.
        watched.lastTold = "";
        watched.wasReachable = false;
        this.#saw(id, watched.watch.state);
        continue;
      }
      this.#watched.delete(id);
      await watched.watch.close();
    }
    for (const [id, url] of wanted) {
      if (this.#watched.has(id)) continue;
      const link = this.#options.links.to(url);
      const watch = watchWorker(url, (state) => this.#saw(id, state), { link, log: this.#options.log });
      this.#watched.set(id, { url, watch, lastTold: "", toldAt: 0, wasReachable: false });
    }
  }

  #saw(workerId: string, state: WorkerState): void {
    const watched = this.#watched.get(workerId);
    // Before the first answer there is nothing to tell.
    if (!watched || (!state.reachable && state.problem === undefined)) return;
    this.#options.onState(workerId, state);
    const seen: Seen = {
      workerId,
      isReachable: state.reachable,
      software: state.software ?? null,
      version: state.version ?? null,
      problem: state.problem ?? null,
    };
    const text = JSON.stringify(seen);
    if (text !== watched.lastTold || performance.now() - watched.toldAt > REPEAT_MS) {
      watched.lastTold = text;
      watched.toldAt = performance.now();
      this.#options.tell("seen", seen);
    }
    const isBack = state.reachable && !watched.wasReachable;
    watched.wasReachable = state.reachable;
    if (isBack) this.#tellNodes(workerId, watched.url);
  }

  async #tellNodes(workerId: string, url: string): Promise<void> {
    try {
      const { hash } = await this.#readNodes(url);
      this.#options.tell("nodes", { workerId, hash } satisfies Nodes);
    } catch (error) {
      this.#options.log.warn("nodes of a worker were not read", { workerId, reason: errorMessage(error) });
      const watched = this.#watched.get(workerId);
      // At its next sign of life they are asked for again.
      if (watched) watched.wasReachable = false;
    }
  }

  async #check({ workerId, versions }: Check): Promise<void> {
    const watched = this.#watched.get(workerId);
    if (!watched) return;
    try {
      const { nodes, hash } = await this.#readNodes(watched.url);
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

  async #readNodes(url: string): Promise<{ nodes: Record<string, unknown>; hash: string }> {
    const nodes = await this.#options.links.to(url).objectInfo();
    const text = new TextEncoder().encode(writeJson(nodes));
    return { nodes, hash: encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", text))) };
  }
}
