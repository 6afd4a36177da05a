import * as z from "zod/mini";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import {
  adoptWorkers,
  listVersionsToCheck,
  listWorkersToCheck,
  type OwnedWorker,
} from "#server/fleet/queries.ts";
import { recordCapabilities, recordSeen, registerCpuEngine } from "#server/fleet/service.ts";
import { Checked, Nodes, Seen, type Watch } from "#workers/kit/fleet_messages.ts";

export interface FleetOptions {
  readonly db: Db;
  readonly log: Log;
  readonly nodeId: string;
  readonly host: string;
  /** Says something to the comfy thread. */
  readonly tell: (about: string, data: unknown) => void;
  /** A worker may take jobs now that could not before. */
  readonly onReady: () => void;
}

const EngineReady = z.object({ url: z.string() });

/**
 * Keeps the rows of the workers that this process drives true: which they are, how they are, what they can run.
 * The comfy thread sees; this writes.
 */
export class FleetKeeper {
  readonly #options: FleetOptions;
  #workers: readonly OwnedWorker[] = [];
  #told = "";
  #work: Promise<void> = Promise.resolve();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Takes what the comfy thread or the main thread tells; one after the other, since they build on each other. */
  hear(about: string, data: unknown): void {
    this.#work = this.#work.then(() => this.#hear(about, data)).catch((error) => {
      this.#options.log.warn("fleet news were not taken in", { about, reason: errorMessage(error) });
    });
  }

  /** The comfy thread was (re)started and knows nothing. */
  restate(): void {
    this.#told = "";
    this.hear("keep", undefined);
  }

  /** Every few seconds: takes over what nobody drives, names it to the comfy thread, has new workflows checked. */
  async keep(): Promise<void> {
    this.hear("keep", undefined);
    await this.#work;
  }

  async #hear(about: string, data: unknown): Promise<void> {
    switch (about) {
      case "keep":
        return await this.#keep();
      case "engine_ready":
        return await this.#registerEngine(EngineReady.parse(data).url);
      case "seen":
        return await this.#recordSeen(Seen.parse(data));
      case "nodes":
        return await this.#checkAfresh(Nodes.parse(data));
      case "checked": {
        const { workerId, hash, found } = Checked.parse(data);
        await recordCapabilities(this.#options.db, workerId, hash, found);
        return this.#options.onReady();
      }
    }
  }

  async #keep(): Promise<void> {
    const { db, nodeId, tell } = this.#options;
    this.#workers = await adoptWorkers(db, nodeId);
    // Disabled ones are looked after too: one wants to see whether they are back before enabling them.
    const workers = this.#workers.map(({ id, url }) => ({ id, url }));
    const text = JSON.stringify(workers);
    if (text !== this.#told) {
      this.#told = text;
      tell("watch", { workers } satisfies Watch);
    }
    if (this.#workers.length === 0) return;
    for (const workerId of await listWorkersToCheck(db, nodeId)) await this.#check(workerId, false);
  }

  async #registerEngine(url: string): Promise<void> {
    const { db, nodeId, host } = this.#options;
    await registerCpuEngine(db, { url, nodeId, host });
    await this.#keep();
  }

  async #recordSeen(seen: Seen): Promise<void> {
    const { db, log, onReady } = this.#options;
    if (!await recordSeen(db, { ...seen, ownerNodeId: this.#options.nodeId })) return;
    const { workerId, isReachable, problem } = seen;
    log.info("worker changed its state", { workerId, isReachable, problem });
    onReady();
  }

  /** The description of its nodes may be another than the one its capabilities were told from. */
  async #checkAfresh({ workerId, hash }: Nodes): Promise<void> {
    this.#workers = await adoptWorkers(this.#options.db, this.#options.nodeId);
    const worker = this.#workers.find((one) => one.id === workerId);
    await this.#check(workerId, worker?.capabilityHash !== hash);
  }

  async #check(workerId: string, anew: boolean): Promise<void> {
    const versions = await listVersionsToCheck(this.#options.db, workerId, anew);
    if (versions.length > 0) this.#options.tell("check", { workerId, versions });
  }
}
