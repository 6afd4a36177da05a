import * as z from "zod/mini";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { persist } from "#server/db/persist.ts";
import {
  adoptWorkers,
  listVersionsToCheck,
  listWorkersToCheck,
  type OwnedWorker,
} from "#server/fleet/queries.ts";
import { recordBegun, recordEnded, takeOrders } from "#server/fleet/orders.ts";
import { findPace, savePace } from "#server/fleet/paces.ts";
import { recordProfile } from "#server/fleet/profile.ts";
import { recordCapabilities, recordSeen, registerCpuEngine } from "#server/fleet/service.ts";
import {
  Checked,
  Follow,
  Nodes,
  type Order,
  OrderBegun,
  OrderEnded,
  type Pace,
  Paced,
  Profile,
  Seen,
  type Watch,
} from "#workers/kit/fleet_messages.ts";
import type { StopReason } from "#workers/kit/messages.ts";

export interface FleetOptions {
  readonly db: Db;
  readonly log: Log;
  readonly nodeId: string;
  readonly host: string;
  /** Says something to the comfy thread. */
  readonly tell: (about: string, data: unknown) => void;
  /** A worker may take jobs now that could not before. */
  readonly onReady: () => void;
  /** Takes what runs on a worker out of its hands, each job as `why` says. */
  readonly takeBack: (workerId: string, why: (jobId: string) => StopReason) => void;
}

/** A job with which so many workers hung is at fault itself: it is ended as one that took too long. */
const MOST_HANGS = 3;
const REMEMBERED_HANGS = 1_000;

const EngineReady = z.object({ url: z.string() });

/**
 * Keeps the rows of the workers that this process drives true: which they are, how they are, what they can run.
 * The comfy thread sees; this writes.
 */
export class FleetKeeper {
  readonly #options: FleetOptions;
  #workers: readonly OwnedWorker[] = [];
  #told = "";
  /** How often a worker hung with a job, by job. */
  readonly #hangs = new Map<string, number>();
  /** Where the CPU engine answers, until the rows say so: the database may be away when it is told. */
  #engineToCome: string | undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Takes what the comfy thread or the main thread tells; one after the other, since they build on each other. */
  hear(about: string, data: unknown): void {
    this.#work = this.#work.then(() => this.#hear(about, data)).catch((error) => {
      this.#options.log.warn("fleet news were not taken in", { about, reason: errorMessage(error) });
    });
  }

  /** What is not written yet is given up soon. */
  stop(): void {
    this.#stop.abort();
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
        this.#engineToCome = EngineReady.parse(data).url;
        return await this.#keep();
      case "seen":
        return await this.#recordSeen(Seen.parse(data));
      case "nodes":
        return await this.#checkAfresh(Nodes.parse(data));
      case "profile":
        return void await recordProfile(this.#options.db, Profile.parse(data));
      case "follow":
        return await this.#tellPace(Follow.parse(data));
      case "paced":
        return await savePace(this.#options.db, Paced.parse(data));
      case "order_begun":
        return await this.#beginOrder(OrderBegun.parse(data));
      case "order_ended":
        return await this.#endOrder(OrderEnded.parse(data));
      case "checked": {
        const { workerId, hash, found } = Checked.parse(data);
        await recordCapabilities(this.#options.db, workerId, hash, found);
        return this.#options.onReady();
      }
    }
  }

  async #keep(): Promise<void> {
    const { db, nodeId, host, tell } = this.#options;
    if (this.#engineToCome) {
      await registerCpuEngine(db, { url: this.#engineToCome, nodeId, host });
      this.#engineToCome = undefined;
    }
    this.#workers = await adoptWorkers(db, nodeId, host);
    // Disabled ones are looked after too: one wants to see whether they are back before enabling them.
    const workers = this.#workers.map(asWatched);
    const text = JSON.stringify(workers);
    if (text !== this.#told) {
      this.#told = text;
      tell("watch", { workers } satisfies Watch);
    }
    if (this.#workers.length === 0) return;
    for (const order of await takeOrders(db, nodeId)) tell("order", order satisfies Order);
    for (const workerId of await listWorkersToCheck(db, nodeId)) await this.#check(workerId, false);
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
    const { db, nodeId, host } = this.#options;
    this.#workers = await adoptWorkers(db, nodeId, host);
    const worker = this.#workers.find((one) => one.id === workerId);
    await this.#check(workerId, worker?.capabilityHash !== hash);
  }

  async #check(workerId: string, anew: boolean): Promise<void> {
    const versions = await listVersionsToCheck(this.#options.db, workerId, anew);
    if (versions.length > 0) this.#options.tell("check", { workerId, versions });
  }

  async #tellPace({ workerId, promptId }: Follow): Promise<void> {
    const learned = await findPace(this.#options.db, workerId, promptId);
    if (learned) this.#options.tell("pace", { workerId, promptId, ...learned } satisfies Pace);
  }

  /** What runs there is about to end: it waits again at once, and may go on elsewhere. No attempt is spent. */
  async #beginOrder(order: OrderBegun): Promise<void> {
    const { db, log, takeBack } = this.#options;
    if (order.kind !== "free" && order.kind !== "start") {
      takeBack(order.workerId, (jobId) => this.#isHopeless(jobId, order) ? "timeout" : "handed_back");
    }
    // Told once: what is not written then is never known. The ends of its jobs don't wait for it.
    await persist(() => recordBegun(db, order), log, this.#stop.signal);
  }

  async #endOrder(end: OrderEnded): Promise<void> {
    const { db, log } = this.#options;
    await persist(() => recordEnded(db, end), log, this.#stop.signal);
  }

  #isHopeless(jobId: string, { promptIds, kind }: OrderBegun): boolean {
    // The watch-dog's first rung names the prompts that hang; the later ones find nothing of ours there any more.
    if (kind !== "interrupt" || promptIds.length === 0) return false;
    const hangs = (this.#hangs.get(jobId) ?? 0) + 1;
    this.#hangs.delete(jobId);
    this.#hangs.set(jobId, hangs);
    if (this.#hangs.size > REMEMBERED_HANGS) this.#hangs.delete(this.#hangs.keys().next().value ?? "");
    return hangs >= MOST_HANGS;
  }
}

function asWatched(worker: OwnedWorker): Watch["workers"][number] {
  const { id, url, watchUpTo, pauseAtCelsius, resumeAtCelsius, minFreeVramBytes, commands } = worker;
  const find = (kind: string) => commands.find((command) => command.kind === kind);
  const [start, restart] = [find("start"), find("restart")];
  const parts = ({ args, folder, environment }: typeof commands[number]) => ({ args, folder, environment });
  return {
    id,
    url,
    rules: { watchUpTo, pauseAtCelsius, resumeAtCelsius, minFreeVramBytes },
    start: start ? { ...parts(start), isWanted: start.isWanted } : null,
    restart: restart ? parts(restart) : null,
  };
}
