import { errorMessage } from "#server/core/errors.ts";
import type { Lane } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { type ClaimedJob, claimJobs, finishAndClaim } from "#server/jobs/claim.ts";
import { Foresight } from "./foresight.ts";
import { Pump } from "./pump.ts";
import type { Run } from "./run.ts";

export interface LaneOptions {
  readonly db: Db;
  readonly log: Log;
  readonly nodeId: string;
  readonly lane: Exclude<Lane, "gpu">;
  readonly slots: number;
  /** Codes of the kinds of this lane that can be run now. */
  readonly kinds: () => string[];
  /** Jobs that have ended here and whose end is not in the database yet. */
  readonly ending: () => string[];
  /** A job was claimed: gives its run, which is to be begun by begin(). */
  readonly claimed: (job: ClaimedJob) => Run;
  readonly begin: (run: Run) => void;
  /** The results are in the database, or the run was not ours any more. */
  readonly ended: (run: Run, outcome: "done" | "stale") => void;
  /** The results could not be written together: each is to be ended by itself. */
  readonly endAlone: (run: Run, output: unknown) => void;
  /** Does what must not be lost until it is done or the lease must have run out. */
  readonly persist: <T>(work: () => Promise<T>) => Promise<T>;
}

interface Result {
  readonly run: Run;
  readonly output: unknown;
}

/** How long to wait after a step that failed while results are still to be written. */
const AGAIN_MS = 500;

/**
 * The slots of one lane in this process. Results and the next claim go to the database together, in one statement:
 * whatever has ended while one is under way is in the next.
 */
export class LaneSlots {
  readonly #options: LaneOptions;
  readonly #foresight = new Foresight();
  readonly #pump: Pump;
  readonly #running = new Set<Run>();
  /** Claimed ahead, in order. */
  #parked: Run[] = [];
  #results: Result[] = [];
  #floor: number | undefined;
  /** The smallest place that became new while a claim was under way, which may not have seen it. */
  #news = Infinity;
  #isOpen = true;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#pump = new Pump(() => this.#fill(), (error) => this.#failed(error));
  }

  get isBusy(): boolean {
    return this.#pump.isBusy;
  }

  /** Fills the free slots. `place` is the smallest place in line that is new; undefined when any may be. */
  wake(place?: number): void {
    this.lower(place);
    if (this.#isOpen) this.#pump.wake();
  }

  /** Like wake(), for when nothing need be claimed at once: jobs that were passed over may be due by now. */
  lower(place = -Infinity): void {
    this.#news = Math.min(this.#news, place);
    this.#floor = floorOf(this.#floor, this.#news);
  }

  /** The run left its slot: the next one begins. Its end is still to be written, here by finish() or elsewhere. */
  release(run: Run): void {
    if (!this.#running.delete(run)) return;
    const next = this.#parked.shift();
    if (next) this.#begin(next);
    this.#pump.wake();
  }

  /** Writes a result with the next statement; also while closing. */
  finish(run: Run, output: unknown): void {
    this.#foresight.sawRun(run.job.kind, performance.now() - run.startedAt);
    this.#results.push({ run, output });
    this.release(run);
  }

  /** Takes a run that has not begun out of the line; false when it has begun. */
  unpark(run: Run): boolean {
    const at = this.#parked.indexOf(run);
    if (at >= 0) this.#parked.splice(at, 1);
    return at >= 0;
  }

  /** Runs that have waited for a slot since before that moment: what was thought short was not. */
  takeStale(before: number): Run[] {
    const stale = this.#parked.filter((run) => run.claimedAt < before);
    this.#parked = this.#parked.filter((run) => run.claimedAt >= before);
    return stale;
  }

  /** Claims and begins nothing more; who closes it gives back what has not begun. Results are still written. */
  close(): void {
    this.#isOpen = false;
    this.#parked = [];
    clearTimeout(this.#again);
  }

  async #fill(): Promise<void> {
    const { db, nodeId, lane, slots, persist, ended, endAlone } = this.#options;
    for (;;) {
      const kinds = this.#options.kinds();
      const results = this.#results.splice(0);
      const inHand = this.#running.size + this.#parked.length;
      const limit = this.#isOpen ? Math.max(0, slots + this.#foresight.ahead(slots) - inHand) : 0;
      if (results.length === 0 && (limit === 0 || kinds.length === 0)) return;
      const request = { nodeId, lane, kinds, limit, floor: this.#floor, ending: this.#options.ending() };
      const begun = performance.now();
      this.#news = Infinity;
      if (results.length === 0) {
        const jobs = await claimJobs(db, request);
        this.#foresight.sawTrip(performance.now() - begun);
        this.#take(jobs);
        if (jobs.length < limit) return;
        continue;
      }
      const completions = results.map(({ run, output }) => ({ job: run.job, output }));
      let written;
      try {
        written = await persist(() => finishAndClaim(db, completions, request));
      } catch (error) {
        this.#complain("finish", error);
        for (const { run, output } of results) endAlone(run, output);
        return;
      }
      this.#foresight.sawTrip(performance.now() - begun);
      const done = new Set(written.ended);
      for (const { run } of results) ended(run, done.has(run.job.id) ? "done" : "stale");
      this.#take(written.claimed);
      // Nothing more is ready: what has become so since has woken the pump again.
      if (written.claimed.length < limit && this.#results.length === 0) return;
    }
  }

  #take(jobs: readonly ClaimedJob[]): void {
    const last = jobs.at(-1);
    if (last) this.#floor = floorOf(last.orderKey, this.#news);
    for (const job of jobs) {
      const run = this.#options.claimed(job);
      if (this.#running.size < this.#options.slots || !this.#isOpen) this.#begin(run);
      else this.#parked.push(run);
    }
  }

  #begin(run: Run): void {
    this.#running.add(run);
    this.#options.begin(run);
  }

  #failed(error: unknown): void {
    this.#complain("claim", error);
    // The poll tries again to claim; nobody else would ask for what is to be written.
    if (this.#results.length === 0) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#pump.wake(), AGAIN_MS);
  }

  #complain(step: string, error: unknown): void {
    const { log, lane } = this.#options;
    log.warn("queue step failed", { step: `${step} ${lane}`, reason: errorMessage(error) });
  }
}

/** Undefined is no floor at all. */
function floorOf(floor: number | undefined, news: number): number | undefined {
  return floor === undefined || news === -Infinity ? undefined : Math.min(floor, news);
}
