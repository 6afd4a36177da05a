import { errorMessage } from "#server/core/errors.ts";
import type { JobKind, Lane } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import type { Db } from "#server/db/db.ts";
import { persist } from "#server/db/persist.ts";
import { listen, type Listener } from "#server/db/listen.ts";
import type { ClaimedJob } from "#server/jobs/claim.ts";
import { endRun, mapSettlements, type RunEnd, type SettlementMap } from "#server/jobs/finish.ts";
import { enterNode, handBack, leaveNode, renewLease, type ServerNode } from "#server/jobs/lease.ts";
import type { Settlement } from "#server/jobs/settle.ts";
import type { DurationSample } from "#server/jobs/telemetry.ts";
import type { StopReason } from "#workers/kit/messages.ts";
import { Calls, type Post } from "./calls.ts";
import type { Dispatch } from "./dispatch.ts";
import { claimGenerations } from "./generations.ts";
import { LaneSlots } from "./lane.ts";
import { Pump } from "./pump.ts";
import { clearRunTimers, type Run } from "./run.ts";
import { Telemetry } from "./telemetry.ts";
import { Upkeep } from "./upkeep.ts";

export interface QueueOptions {
  readonly db: Db;
  readonly node: ServerNode;
  readonly log: Log;
  readonly kinds: readonly JobKind[];
  readonly settlements: readonly Settlement[];
  /** How many jobs of each lane run at once here. The gpu lane counts per worker. */
  readonly slots: Readonly<Record<Exclude<Lane, "gpu">, number>>;
  readonly dispatch: Dispatch;
  /** Whether a process of this host is alive. */
  readonly isAlive: (pid: number) => Promise<boolean>;
  /** Progress and previews for the live hub, and the wish that a stuck thread be replaced. */
  readonly post: Post;
  /** What threads tell beside jobs. */
  readonly onTell?: (thread: string, about: string, data: unknown) => void;
  /** Called every few seconds and when workers were changed. */
  readonly keepFleet?: () => Promise<void>;
}

/** How long stopping waits for calls to end by themselves. */
const HAND_BACK_MS = 1_500;
/** What telling the database takes at most: so long in any case, and longer as long as stopping took no time yet. */
const FAREWELL_MS = 800;
const STOP_MS = 3_000;

/**
 * Claims jobs and sees them through: to a thread, to their end in the database, and back to the queue when this
 * process can't go on. All its knowledge is in PostgreSQL; what it holds here are the runs in its hands.
 */
export class JobQueue {
  readonly #options: QueueOptions;
  readonly #db: Db;
  readonly #log: Log;
  readonly #nodeId: string;
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #settlements: SettlementMap;
  readonly #telemetry: Telemetry;
  readonly #upkeep: Upkeep;
  readonly #calls: Calls;
  readonly #lanes: ReadonlyMap<Lane, LaneSlots>;
  readonly #workers: Pump;
  /** Whether a generation may wait for a worker, as far as was looked and heard since. */
  #mayWait = true;
  readonly #stop = new AbortController();
  #listener: Listener | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#db = options.db;
    this.#log = options.log;
    this.#nodeId = options.node.id;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.code, kind]));
    this.#settlements = mapSettlements(options.settlements);
    this.#telemetry = new Telemetry(options.db, options.log);
    this.#calls = new Calls({
      ...options,
      kinds: this.#kinds,
      telemetry: this.#telemetry,
      onTell: options.onTell,
      stopping: this.#stop.signal,
      unpark: (run) => this.#lanes.get(run.job.lane)?.unpark(run) ?? false,
      confirm: (run) => this.#confirm(run),
      ended: (run, end) => this.#end(run, end),
    });
    this.#upkeep = new Upkeep({
      ...options,
      settlements: this.#settlements,
      runs: this.#calls.runs,
      wake: (lane) => this.#wake(lane),
      stopRun: (run, reason) => this.#calls.stop(run, reason),
      looked: () => this.#forgetFloors(),
      beaten: (before) => this.#giveBackStale(before),
      keepFleet: () => this.#keepFleet(),
    });
    this.#lanes = new Map((["cpu", "io", "script"] as const).map((lane) => [lane, this.#openLane(lane)]));
    this.#workers = new Pump(() => this.#claimGenerations(), (error) => this.#complain("claim gpu", error));
  }

  #openLane(lane: Exclude<Lane, "gpu">): LaneSlots {
    return new LaneSlots({
      db: this.#db,
      log: this.#log,
      nodeId: this.#nodeId,
      lane,
      slots: this.#options.slots[lane],
      kinds: () => this.#kindsOf(lane),
      ending: () => [...this.#calls.runs.values()].flatMap(({ isEnding, job }) => isEnding ? job.id : []),
      claimed: (job) => this.#calls.hold(job),
      begin: (run) => this.#calls.begin(run, run.job.input),
      ended: (run, outcome) => this.#closeRun(run, outcome),
      endAlone: (run, output) => void this.#settle(run, { how: "done", output }),
      persist: (work) => this.#persist(work),
    });
  }

  /** Enters the node, gives back at once what dead processes of this host held, and begins to claim. */
  async start(): Promise<void> {
    await enterNode(this.#db, this.#options.node);
    this.#options.dispatch.listen({
      attached: () => this.wake(),
      replied: (thread, reply) => this.#calls.receive(thread, reply),
      detached: (thread, reason) => this.#calls.threadDied(thread, reason),
    });
    await this.#upkeep.rescueDead();
    this.#listener = await listen(this.#db, "seedloop_jobs", this.#log, (payload) => this.#hear(payload));
    await this.#upkeep.start();
    this.wake();
  }

  /** Something has changed that may let jobs start, e.g. a worker came online. */
  wake(): void {
    for (const lane of ["gpu", "cpu", "io", "script"] as const) this.#wake(lane);
  }

  /** Stops what runs on a worker, each run as `why` says of its job. */
  takeBack(workerId: string, why: (jobId: string) => StopReason): void {
    for (const run of [...this.#calls.runs.values()]) {
      if (run.job.lane === "gpu" && run.job.workerId === workerId) this.#calls.stop(run, why(run.job.id));
    }
  }

  /** Hands everything back and leaves. Results that come within 1.5 s are still taken. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const begun = Date.now();
    this.#stop.abort();
    this.#upkeep.stop();
    const { runs } = this.#calls;
    for (const lane of this.#lanes.values()) lane.close();
    for (const run of runs.values()) if (run.thread !== undefined) this.#calls.stop(run, "handed_back");
    const latest = begun + HAND_BACK_MS;
    // A claim that is on its way comes back with runs of its own.
    while (this.#isAtWork() && Date.now() < latest) await delay(20);
    const left = [...runs.values()];
    for (const run of left) this.#calls.forget(run);
    await handBack(this.#db, left.map(({ job }) => ({ id: job.id, epoch: job.epoch }))).catch((error) => {
      this.#log.warn("jobs were not handed back, their leases will run out", { reason: errorMessage(error) });
    });
    // A database that does not answer must not keep the process.
    const farewell = Promise.all([
      this.#telemetry.flush(),
      leaveNode(this.#db, this.#nodeId),
      this.#listener?.close(),
    ]);
    const leftMs = Math.max(FAREWELL_MS, begun + STOP_MS - Date.now());
    await deadline(farewell, leftMs, () => new Error("The database did not answer")).catch((error) => {
      this.#complain("farewell", error);
    });
  }

  /** Whether runs or claims are under way; what only waits for a slot is handed back with the rest. */
  #isAtWork(): boolean {
    if (this.#workers.isBusy || [...this.#lanes.values()].some((lane) => lane.isBusy)) return true;
    for (const run of this.#calls.runs.values()) if (run.thread !== undefined || run.isEnding) return true;
    return false;
  }

  #hear(payload: string): void {
    const [about, lane, place] = payload.split(" ");
    if (about === "ready") return this.#wake(lane as Lane, Number(place));
    this.#forgetFloors();
    if (about === "cancel") this.#upkeep.look().catch((error) => this.#complain("look", error));
    else if (about === "fleet") this.#keepFleet().catch((error) => this.#complain("fleet", error));
    else this.wake();
  }

  async #keepFleet(): Promise<void> {
    await this.#options.keepFleet?.();
    this.#wake("gpu");
  }

  #complain(what: string, error: unknown): void {
    this.#log.warn("queue step failed", { step: what, reason: errorMessage(error) });
  }

  #forgetFloors(): void {
    for (const lane of this.#lanes.values()) lane.lower();
  }

  #wake(lane: Lane, place?: number): void {
    if (this.#stop.signal.aborted) return;
    if (lane === "gpu") {
      this.#mayWait = true;
      this.#workers.wake();
    } else this.#lanes.get(lane)?.wake(place);
  }

  #kindsOf(lane: Lane): string[] {
    return this.#options.dispatch.kinds.filter((code) => this.#kinds.get(code)?.lane === lane);
  }

  /** What was claimed ahead and still has no slot is left to whoever has one. */
  #giveBackStale(before: number): void {
    for (const lane of this.#lanes.values()) {
      for (const run of lane.takeStale(before)) void this.#giveBack(run);
    }
  }

  async #giveBack(run: Run): Promise<void> {
    run.isEnding = true;
    await this.#persist(() => handBack(this.#db, [run.job])).catch((error) =>
      this.#complain("hand back", error)
    );
    this.#closeRun(run, "handed back");
  }

  async #confirm(run: Run): Promise<boolean> {
    try {
      return await this.#persist(() => renewLease(this.#db, run.job));
    } catch (error) {
      this.#complain("confirm", error);
      return false;
    }
  }

  #end(run: Run, end: RunEnd | "stale" | undefined): void {
    run.isEnding = true;
    clearRunTimers(run);
    if (end === "stale") return this.#closeRun(run, end);
    if (end === undefined) return void this.#giveBack(run);
    const { lane, kind } = run.job;
    if (end.how === "done") run.tookMs = performance.now() - run.startedAt;
    const slots = this.#lanes.get(lane);
    if (slots && end.how === "done" && !this.#settlements.has(kind)) return slots.finish(run, end.output);
    // The slot is free while the result is being written.
    slots?.release(run);
    void this.#settle(run, end);
  }

  async #settle(run: Run, end: RunEnd): Promise<void> {
    const { lane } = run.job;
    try {
      const outcome = await this.#persist(() => endRun(this.#db, this.#settlements, run.job, end, this.#log));
      if (outcome.status === "queued") this.#wakeIn(lane, outcome.inMs);
      this.#closeRun(run, outcome.status);
    } catch (error) {
      this.#log.error("end of a run was not written, its lease will run out", { jobId: run.job.id, error });
      this.#closeRun(run, "unknown");
    }
    // A worker is free again, which helps only who waits for one.
    if (lane === "gpu" && this.#mayWait) this.#wake(lane);
  }

  #closeRun(run: Run, outcome: string): void {
    this.#calls.forget(run);
    this.#lanes.get(run.job.lane)?.release(run);
    this.#telemetry.ended(run.job.id, outcome === "done" ? sampleOf(run) : undefined);
    if (outcome === "done" || outcome === "failed") this.#telemetry.used(run.job);
    const level = outcome === "stale" || outcome === "failed" ? "warn" : "debug";
    this.#log[level]("job run ended", { jobId: run.job.id, kind: run.job.kind, outcome });
  }

  #wakeIn(lane: Lane, ms: number): void {
    const timer = setTimeout(() => {
      this.#wake(lane);
    }, ms + 5);
    this.#stop.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    return persist(work, this.#log, this.#stop.signal);
  }

  async #claimGenerations(): Promise<void> {
    if (this.#kindsOf("gpu").length === 0) return;
    const begin = (job: ClaimedJob, input: unknown, leasedAt: number) =>
      this.#calls.begin(this.#calls.hold(job, leasedAt), input);
    this.#mayWait = false;
    let mayWait = true;
    try {
      mayWait = await claimGenerations(this.#db, this.#nodeId, begin, this.#stop.signal);
    } finally {
      this.#mayWait ||= mayWait;
    }
  }
}

/** What is learned of a run, once its end is in the database: one that never got there is done again. */
function sampleOf({ job, tookMs }: Run): DurationSample | undefined {
  if (tookMs === undefined) return undefined;
  const { kind, workflowVersionId, workerId, work } = job;
  return { kind, workflowVersionId, workerId, ms: tookMs, work, runs: 1 };
}
