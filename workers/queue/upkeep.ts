import { errorMessage } from "#server/core/errors.ts";
import type { Lane } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { cancelWaiting, endRun, type SettlementMap } from "#server/jobs/finish.ts";
import { beat, handBack, listNodesOfHost, look, rescue, type ServerNode } from "#server/jobs/lease.ts";
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

  /** Gives back what is held by processes of this host that are gone. */
  async rescueDead(): Promise<void> {
    await this.#rescue(await this.#findDeadNodes());
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

  /** Processes of this host that are gone, this node's own former self, and those that left in order. */
  async #findDeadNodes(): Promise<string[]> {
    const { node: self, isAlive } = this.#options;
    const dead: string[] = [];
    for (const node of await listNodesOfHost(this.#db, self.host)) {
      const isSelf = node.id === self.id || node.pid === self.pid;
      if (isSelf || node.isStopped || !await isAlive(node.pid)) dead.push(node.id);
    }
    return dead;
  }
}
