import { errorMessage } from "#server/core/errors.ts";
import type { Lane } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { cancelWaiting, endRun, type SettlementMap } from "#server/jobs/finish.ts";
import {
  beat,
  handBack,
  leaveNode,
  listNodesOfHost,
  look,
  rescue,
  type ServerNode,
} from "#server/jobs/lease.ts";
import type { StopReason } from "#workers/kit/messages.ts";
import type { Run } from "./run.ts";

export interface UpkeepOptions {
  readonly db: Db;
  readonly node: ServerNode;
  readonly log: Log;
  readonly settlements: SettlementMap;
  readonly isAlive: (pid: number) => Promise<boolean>;
  /** What this process has in its hands, by attempt. */
  readonly runs: ReadonlyMap<string, Run>;
  readonly wake: (lane: Lane) => void;
  readonly stopRun: (run: Run, reason: StopReason) => void;
  /** The poll has looked: nothing is known any more of what is before a lane's floor. */
  readonly looked: () => void;
  /** The leases were renewed; runs claimed before that moment should have begun. */
  readonly beaten: (before: number) => void;
  readonly keepFleet: () => Promise<void>;
}

const BEAT_MS = 4_000;
/** The poll behind the notifications. With the beat that is less than one query a second when idle. */
const LOOK_MS = 3_000;
const FLEET_MS = 12_000;

/** What a queue does by the clock: renews its leases, looks for what no notification told, rescues what others lost. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #db: Db;
  readonly #log: Log;
  readonly #nodeId: string;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #isStopped = false;
  #isLooking = false;
  #isToLookAgain = false;
  #unknown: ReadonlyMap<string, number> = new Map();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#db = options.db;
    this.#log = options.log;
    this.#nodeId = options.node.id;
  }

  async start(): Promise<void> {
    this.#every(BEAT_MS, () => this.#beat());
    this.#every(LOOK_MS, () => this.look());
    this.#every(FLEET_MS, this.#options.keepFleet);
    await this.look();
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Everything that there may be to do; asked for while it looks, it looks once more. */
  async look(): Promise<void> {
    this.#isToLookAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#isToLookAgain && !this.#isStopped) {
        this.#isToLookAgain = false;
        await this.#lookOnce();
      }
    } finally {
      this.#isLooking = false;
    }
  }

  /** Gives back at once what processes of this host held that are gone, and what this node's former self did. */
  async rescueDead(): Promise<void> {
    await this.#rescueDead(true);
  }

  #every(ms: number, work: () => Promise<void>): void {
    let isBusy = false;
    this.#timers.push(setInterval(async () => {
      if (isBusy) return;
      isBusy = true;
      await work().catch((error) => this.#log.warn("queue upkeep failed", { reason: errorMessage(error) }));
      isBusy = false;
    }, ms));
  }

  async #lookOnce(): Promise<void> {
    const { runs, settlements, looked, wake, stopRun } = this.#options;
    const found = await look(this.#db, this.#nodeId);
    looked();
    for (const lane of found.ready) wake(lane);
    const toStop = new Set(found.toStop);
    for (const run of [...runs.values()]) if (toStop.has(run.job.id)) stopRun(run, "cancelled");
    for (const jobId of found.toCancel) await cancelWaiting(this.#db, settlements, jobId, this.#log);
    if (found.hasSilent) await this.#rescue([]);
  }

  async #beat(): Promise<void> {
    const { runs, stopRun, beaten } = this.#options;
    const begun = performance.now();
    const { held } = await beat(this.#db, this.#nodeId);
    const leases = new Map(held.map((one) => [one.id, one]));
    for (const run of [...runs.values()]) {
      // A run that began while the beat was under way is in the next one.
      if (run.isEnding || run.claimedAt > begun - BEAT_MS) continue;
      const lease = leases.get(run.job.id);
      if (lease?.epoch !== run.job.epoch) stopRun(run, "lease_lost");
      else if (lease.isCancelAsked) stopRun(run, "cancelled");
    }
    beaten(begun - BEAT_MS);
    await this.#giveBackForgotten(held);
    await this.#rescueDead(false);
  }

  /** Leases that nobody here knows of, at two beats in a row: a claim may be on its way to us at the first. */
  async #giveBackForgotten(held: readonly { id: string; epoch: number }[]): Promise<void> {
    const mine = new Set([...this.#options.runs.values()].map(({ job }) => job.id));
    const unknown = held.filter((one) => !mine.has(one.id));
    const forgotten = unknown.filter((one) => this.#unknown.get(one.id) === one.epoch);
    this.#unknown = new Map(unknown.map((one) => [one.id, one.epoch]));
    const count = await handBack(this.#db, forgotten);
    if (count > 0) this.#log.warn("leases that nobody held were given back", { count });
  }

  async #rescue(deadNodeIds: readonly string[]): Promise<void> {
    const keep = [...this.#options.runs.values()].map(({ job }) => job.id);
    const { rescued, hopeless } = await rescue(this.#db, { deadNodeIds, keep });
    if (rescued > 0) this.#log.warn("jobs of silent processes were given back", { count: rescued });
    for (const job of hopeless) {
      const message = "It was given up: the process that ran it died each time";
      await endRun(this.#db, this.#options.settlements, job, {
        how: "give_up",
        failureClass: "thread_died",
        message,
      }, this.#log);
    }
  }

  /** Without waiting for their leases: whether a process of this host is there can be looked up. */
  async #rescueDead(hasJustStarted: boolean): Promise<void> {
    const dead = await this.#findDeadNodes(hasJustStarted);
    if (dead.length === 0) return;
    await this.#rescue(dead);
    for (const nodeId of dead) if (nodeId !== this.#nodeId) await leaveNode(this.#db, nodeId);
    for (const lane of ["cpu", "io", "script"] as const) this.#options.wake(lane);
  }

  /** Processes of this host that are gone, those that left in order, and at the start this node's own former self. */
  async #findDeadNodes(hasJustStarted: boolean): Promise<string[]> {
    const { node: self, isAlive } = this.#options;
    const dead: string[] = [];
    for (const node of await listNodesOfHost(this.#db, self.host)) {
      if (node.id === self.id) {
        if (hasJustStarted) dead.push(node.id);
      } else if (node.isStopped || node.pid === self.pid || !await isAlive(node.pid)) dead.push(node.id);
    }
    return dead;
  }
}
