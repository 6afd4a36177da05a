import { errorMessage } from "#server/core/errors.ts";
import type { JobKind, Lane } from "#server/core/job_kind.ts";
import type { Log } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import type { Db } from "#server/db/db.ts";
import { listen, type Listener } from "#server/db/listen.ts";
import { isPassing } from "#server/db/sql_error.ts";
import {
  type ClaimedJob,
  claimJobs,
  claimPlaced,
  type Completion,
  finishAndClaim,
  listCandidates,
  listEarlierPrompts,
  listFreeWorkers,
} from "#server/jobs/claim.ts";
import {
  cancelWaiting,
  endRun,
  mapSettlements,
  type RunEnd,
  type SettlementMap,
} from "#server/jobs/finish.ts";
import {
  beat,
  enterNode,
  handBack,
  leaveNode,
  listNodesOfHost,
  look,
  rescue,
  type ServerNode,
} from "#server/jobs/lease.ts";
import type { Settlement } from "#server/jobs/settle.ts";
import type { CallReply, StopReason } from "#workers/kit/messages.ts";
import type { Dispatch } from "./dispatch.ts";
import { placeJobs } from "./placement.ts";
import { Telemetry } from "./telemetry.ts";

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
  readonly post: (
    message: { readonly t: string } & Record<string, unknown>,
    transfer?: Transferable[],
  ) => void;
  /** What threads tell beside jobs. */
  readonly onTell?: (thread: string, about: string, data: unknown) => void;
  /** Called every few seconds and when workers were changed. */
  readonly keepFleet?: () => Promise<void>;
}

const BEAT_MS = 4_000;
/** The poll behind the notifications. With the beat that is less than one query a second when idle. */
const LOOK_MS = 3_000;
const FLEET_MS = 12_000;
/** How long a told call may take to end before its thread counts as stuck. */
const STOP_GRACE_MS = 5_000;
/** How long stopping waits for calls to end by themselves. */
const HAND_BACK_MS = 1_500;
const FAREWELL_MS = 800;
const CANDIDATES = 64;

/** One run that this process has in its hands. */
interface Run {
  readonly job: ClaimedJob;
  readonly thread: string;
  readonly startedAt: number;
  timeout: ReturnType<typeof setTimeout> | undefined;
  grace: ReturnType<typeof setTimeout> | undefined;
  stopReason: StopReason | undefined;
  /** The thread has ended it; its result is being written. */
  isEnding: boolean;
}

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
  /** By attempt id, which is the call id. */
  readonly #runs = new Map<string, Run>();
  readonly #pumps = new Map<Lane, "running" | "again">();
  readonly #floors = new Map<Lane, number>();
  readonly #completions = new Map<Lane, (Completion & { readonly run: Run })[]>();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #stop = new AbortController();
  #listener: Listener | undefined;
  #isLooking = false;
  #unknown: ReadonlyMap<string, number> = new Map();

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#db = options.db;
    this.#log = options.log;
    this.#nodeId = options.node.id;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.code, kind]));
    this.#settlements = mapSettlements(options.settlements);
    this.#telemetry = new Telemetry(options.db, options.log);
  }

  /** Enters the node, gives back at once what dead processes of this host held, and begins to claim. */
  async start(): Promise<void> {
    await enterNode(this.#db, this.#options.node);
    this.#options.dispatch.listen({
      attached: () => this.#wakeAll(),
      replied: (thread, reply) => this.#receive(thread, reply),
      detached: (thread, reason) => this.#threadDied(thread, reason),
    });
    await this.#rescue(await this.#findDeadNodes());
    this.#listener = await listen(this.#db, "seedloop_jobs", this.#log, (payload) => this.#hear(payload));
    this.#every(BEAT_MS, () => this.#beat());
    this.#every(LOOK_MS, () => this.#look());
    this.#every(FLEET_MS, () => this.#keepFleet());
    await this.#look();
    this.#wakeAll();
  }

  /** Something has changed that may let jobs start, e.g. a worker came online. */
  wake(): void {
    this.#wakeAll();
  }

  /** Hands everything back and leaves. Results that come within 1.5 s are still taken. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    for (const timer of this.#timers) clearInterval(timer);
    for (const [callId, run] of this.#runs) this.#stopRun(callId, run, "handed_back");
    const latest = Date.now() + HAND_BACK_MS;
    // A claim that is on its way comes back with runs of its own.
    while (this.#runs.size + this.#pumps.size > 0 && Date.now() < latest) await delay(20);
    const left = [...this.#runs.values()];
    this.#runs.clear();
    for (const run of left) clearRunTimers(run);
    await handBack(this.#db, left.map(({ job }) => ({ id: job.id, epoch: job.epoch }))).catch((error) => {
      this.#log.warn("jobs were not handed back, their leases will run out", { reason: errorMessage(error) });
    });
    // Courtesies, for which a database that does not answer must not keep the process.
    const farewell = Promise.all([
      this.#telemetry.flush(),
      leaveNode(this.#db, this.#nodeId),
      this.#listener?.close(),
    ]);
    await deadline(farewell, FAREWELL_MS, () => new Error("The database did not answer")).catch((error) => {
      this.#complain("farewell", error);
    });
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

  #hear(payload: string): void {
    this.#floors.clear();
    if (payload === "cancel") this.#look().catch((error) => this.#complain("look", error));
    else if (payload === "fleet") this.#keepFleet().catch((error) => this.#complain("fleet", error));
    else this.#wakeAll();
  }

  async #keepFleet(): Promise<void> {
    await this.#options.keepFleet?.();
    this.#wake("gpu");
  }

  #complain(what: string, error: unknown): void {
    this.#log.warn("queue step failed", { step: what, reason: errorMessage(error) });
  }

  #wakeAll(): void {
    for (const lane of ["gpu", "cpu", "io", "script"] as const) this.#wake(lane);
  }

  /** Fills the free slots of a lane; called again while it runs, it runs once more. */
  async #wake(lane: Lane): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (this.#pumps.has(lane)) return void this.#pumps.set(lane, "again");
    this.#pumps.set(lane, "running");
    try {
      do {
        this.#pumps.set(lane, "running");
        await (lane === "gpu" ? this.#fillWorkers() : this.#fillLane(lane));
      } while (this.#pumps.get(lane) === "again");
    } catch (error) {
      // The poll tries again; a database that is down must not be hammered.
      this.#complain(`claim ${lane}`, error);
    } finally {
      this.#pumps.delete(lane);
    }
  }

  #kindsOf(lane: Lane): string[] {
    return this.#options.dispatch.kinds.filter((code) => this.#kinds.get(code)?.lane === lane);
  }

  #freeSlots(lane: Exclude<Lane, "gpu">): number {
    let taken = 0;
    for (const run of this.#runs.values()) if (run.job.lane === lane && !run.isEnding) taken++;
    return this.#options.slots[lane] - taken;
  }

  async #fillLane(lane: Exclude<Lane, "gpu">): Promise<void> {
    for (;;) {
      const kinds = this.#kindsOf(lane);
      const completions = this.#completions.get(lane)?.splice(0) ?? [];
      const limit = this.#stop.signal.aborted ? 0 : Math.max(0, this.#freeSlots(lane));
      if (completions.length === 0 && (limit === 0 || kinds.length === 0)) return;
      const request = { nodeId: this.#nodeId, lane, kinds, limit, floor: this.#floors.get(lane) };
      if (completions.length === 0) {
        const jobs = await claimJobs(this.#db, request);
        this.#begin(lane, jobs);
        if (jobs.length < limit) return;
      } else {
        const { ended, claimed } = await this.#persist(() => finishAndClaim(this.#db, completions, request));
        for (const { run } of completions) this.#closeRun(run, ended.includes(run.job.id) ? "done" : "stale");
        this.#begin(lane, claimed);
      }
    }
  }

  async #fillWorkers(): Promise<void> {
    if (this.#kindsOf("gpu").length === 0) return;
    for (;;) {
      const workers = await listFreeWorkers(this.#db, this.#nodeId);
      if (workers.length === 0) return;
      const candidates = await listCandidates(this.#db, workers.map((one) => one.id), CANDIDATES);
      const placements = placeJobs(candidates, workers);
      if (placements.length === 0 || this.#stop.signal.aborted) return;
      const jobs = await claimPlaced(this.#db, this.#nodeId, placements);
      for (const job of jobs) {
        const worker = workers.find((one) => one.id === job.workerId);
        const filled = {
          ...Object(job.input),
          workerId: job.workerId,
          workerUrl: worker?.url ?? "",
          promptId: job.attemptId,
          earlierPromptIds: job.attempt > 1 ? await listEarlierPrompts(this.#db, job) : [],
        };
        this.#run(job, filled);
      }
    }
  }

  #begin(lane: Lane, jobs: readonly ClaimedJob[]): void {
    const last = jobs.at(-1);
    if (last) this.#floors.set(lane, last.orderKey);
    for (const job of jobs) this.#run(job, job.input);
  }

  #run(job: ClaimedJob, input: unknown): void {
    const thread = this.#options.dispatch.threadOf(job.kind);
    const run: Run = {
      job,
      thread: thread ?? "",
      startedAt: performance.now(),
      timeout: undefined,
      grace: undefined,
      stopReason: undefined,
      isEnding: false,
    };
    this.#runs.set(job.attemptId, run);
    if (!thread || this.#stop.signal.aborted) return void this.#giveBack(run);
    const kind = this.#kinds.get(job.kind);
    run.timeout = setTimeout(
      () => this.#stopRun(job.attemptId, run, "timeout"),
      Math.min(kind?.timeoutMs ?? 600_000, 2 ** 31 - 1),
    );
    this.#log.debug("job started", { jobId: job.id, kind: job.kind, attempt: job.attempt });
    this.#options.dispatch.send(thread, {
      t: "run",
      callId: job.attemptId,
      jobId: job.id,
      attempt: job.attempt,
      kind: job.kind,
      input,
    });
  }

  /** Tells the thread to stop a run; one that doesn't is ended here, and its thread is to be replaced. */
  #stopRun(callId: string, run: Run, reason: StopReason): void {
    if (run.isEnding || run.stopReason) return;
    run.stopReason = reason;
    clearTimeout(run.timeout);
    this.#options.dispatch.stop(run.thread, callId, reason);
    if (reason === "handed_back") return;
    run.grace = setTimeout(() => {
      if (run.isEnding || !this.#runs.has(callId)) return;
      const { kind, id: jobId } = run.job;
      this.#log.error("run did not stop when told to", { jobId, kind, reason, thread: run.thread });
      this.#options.post({
        t: "restart_thread",
        name: run.thread,
        reason: `A run of "${kind}" did not stop when told to`,
      });
      this.#endStopped(run);
    }, STOP_GRACE_MS);
  }

  #receive(thread: string, reply: CallReply): void {
    if (reply.t === "tell") return this.#options.onTell?.(thread, reply.about, reply.data);
    const run = this.#runs.get(reply.callId);
    if (!run || run.isEnding) return;
    const { id: jobId, projectId } = run.job;
    switch (reply.t) {
      case "progress": {
        const note = reply.note ?? "";
        this.#telemetry.progress(jobId, reply.ratio, note);
        return this.#options.post({ t: "progress", jobId, projectId, ratio: reply.ratio, note });
      }
      case "preview":
        return this.#options.post(
          { t: "preview", jobId, projectId, bytes: reply.bytes, mediaType: reply.mediaType },
          [reply.bytes.buffer],
        );
      case "log":
        return this.#telemetry.line({ ...reply, jobId });
      case "done":
        return void this.#end(run, { how: "done", output: reply.output });
      case "failed": {
        const { how, failureClass, message, afterMs = 1_000, stack } = reply.failure;
        if (run.stopReason || how === "aborted") return this.#endStopped(run);
        this.#log.warn("job run failed", {
          jobId,
          kind: run.job.kind,
          how,
          failureClass,
          reason: message,
          stack,
        });
        if (how === "try_later") return void this.#end(run, { how, failureClass, message, afterMs });
        return void this.#end(run, { how, failureClass, message });
      }
    }
  }

  #endStopped(run: Run): void {
    switch (run.stopReason) {
      case "cancelled":
        return void this.#end(run, { how: "cancelled" });
      case "timeout": {
        const minutes = Math.round((this.#kinds.get(run.job.kind)?.timeoutMs ?? 0) / 60_000);
        const message = `It was stopped because it took longer than ${minutes} minutes`;
        return void this.#end(run, { how: "retry", failureClass: "timeout", message });
      }
      case "lease_lost":
        return this.#closeRun(run, "stale");
      default:
        return void this.#giveBack(run);
    }
  }

  #threadDied(thread: string, reason: string): void {
    for (const run of this.#runs.values()) {
      if (run.thread !== thread || run.isEnding) continue;
      if (run.stopReason) this.#endStopped(run);
      else {
        const message = `The ${thread} thread died: ${reason}`;
        this.#end(run, { how: "retry", failureClass: "thread_died", message });
      }
    }
  }

  async #giveBack(run: Run): Promise<void> {
    run.isEnding = true;
    await this.#persist(() => handBack(this.#db, [run.job])).catch((error) =>
      this.#complain("hand back", error)
    );
    this.#closeRun(run, "handed back");
  }

  async #end(run: Run, end: RunEnd): Promise<void> {
    run.isEnding = true;
    clearRunTimers(run);
    const { lane, kind } = run.job;
    if (end.how === "done") this.#note(run);
    if (end.how === "done" && lane !== "gpu" && !this.#settlements.has(kind)) {
      const waiting = this.#completions.get(lane) ?? [];
      waiting.push({ job: run.job, output: end.output, run });
      this.#completions.set(lane, waiting);
      return await this.#wakeToFinish(lane);
    }
    // The slot is free while the result is being written.
    if (lane !== "gpu") this.#wake(lane);
    try {
      const outcome = await this.#persist(() => endRun(this.#db, this.#settlements, run.job, end, this.#log));
      if (outcome.status === "queued") this.#wakeIn(lane, outcome.inMs);
      this.#closeRun(run, outcome.status);
    } catch (error) {
      this.#log.error("end of a run was not written, its lease will run out", { jobId: run.job.id, error });
      this.#closeRun(run, "unknown");
    }
    this.#wake(lane);
  }

  /** Also while stopping, when nothing is claimed any more. */
  async #wakeToFinish(lane: Exclude<Lane, "gpu">): Promise<void> {
    if (this.#pumps.has(lane)) return void this.#pumps.set(lane, "again");
    if (!this.#stop.signal.aborted) return await this.#wake(lane);
    await this.#fillLane(lane).catch((error) => this.#complain("finish", error));
  }

  #note(run: Run): void {
    const { id, kind, workflowVersionId, workerId, work } = run.job;
    const ms = performance.now() - run.startedAt;
    this.#telemetry.ended(id, { kind, workflowVersionId, workerId, ms, work });
  }

  #closeRun(run: Run, outcome: string): void {
    clearRunTimers(run);
    this.#runs.delete(run.job.attemptId);
    if (outcome !== "done") this.#telemetry.ended(run.job.id);
    const level = outcome === "stale" || outcome === "failed" ? "warn" : "debug";
    this.#log[level]("job run ended", { jobId: run.job.id, kind: run.job.kind, outcome });
  }

  #wakeIn(lane: Lane, ms: number): void {
    const timer = setTimeout(() => {
      this.#floors.delete(lane);
      this.#wake(lane);
    }, ms + 5);
    this.#stop.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  /** Does what must not be lost until it is done or the lease must have run out: the database may be restarting. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    for (let waitMs = 50, waited = 0;; waitMs = Math.min(1_000, waitMs * 2)) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error) || waited > 120_000 || (this.#stop.signal.aborted && waited > 1_000)) {
          throw error;
        }
        this.#log.warn("database was not there, trying again", { reason: errorMessage(error), waitMs });
        await delay(waitMs);
        waited += waitMs;
      }
    }
  }

  async #beat(): Promise<void> {
    const { held } = await beat(this.#db, this.#nodeId);
    const epochs = new Map(held.map((one) => [one.id, one]));
    for (const [callId, run] of this.#runs) {
      // A run that began while the beat was under way is in the next one.
      if (run.isEnding || performance.now() - run.startedAt < BEAT_MS) continue;
      const lease = epochs.get(run.job.id);
      if (lease?.epoch !== run.job.epoch) this.#stopRun(callId, run, "lease_lost");
      else if (lease.isCancelAsked) this.#stopRun(callId, run, "cancelled");
    }
    await this.#giveBackForgotten(held);
  }

  /** Leases that nobody here knows of, at two beats in a row: a claim may be on its way to us at the first. */
  async #giveBackForgotten(held: readonly { id: string; epoch: number }[]): Promise<void> {
    const mine = new Set([...this.#runs.values()].map(({ job }) => job.id));
    const unknown = held.filter((one) => !mine.has(one.id));
    const forgotten = unknown.filter((one) => this.#unknown.get(one.id) === one.epoch);
    this.#unknown = new Map(unknown.map((one) => [one.id, one.epoch]));
    const count = await handBack(this.#db, forgotten);
    if (count > 0) this.#log.warn("leases that nobody held were given back", { count });
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#stop.signal.aborted) return;
    this.#isLooking = true;
    try {
      const found = await look(this.#db, this.#nodeId);
      this.#floors.clear();
      for (const lane of found.ready) this.#wake(lane);
      for (const [callId, run] of this.#runs) {
        if (found.toStop.includes(run.job.id)) this.#stopRun(callId, run, "cancelled");
      }
      for (const jobId of found.toCancel) await cancelWaiting(this.#db, this.#settlements, jobId, this.#log);
      if (found.hasSilent) await this.#rescue([]);
    } finally {
      this.#isLooking = false;
    }
  }

  async #rescue(deadNodeIds: readonly string[]): Promise<void> {
    const keep = [...this.#runs.values()].map(({ job }) => job.id);
    const { rescued, hopeless } = await rescue(this.#db, { deadNodeIds, keep });
    if (rescued > 0) this.#log.warn("jobs of silent processes were given back", { count: rescued });
    for (const job of hopeless) {
      const message = "It was given up: the process that ran it died each time";
      await endRun(this.#db, this.#settlements, job, {
        how: "give_up",
        failureClass: "thread_died",
        message,
      }, this.#log);
    }
  }

  /** Processes of this host that are gone, this node's own former self, and those that left in order. */
  async #findDeadNodes(): Promise<string[]> {
    const dead: string[] = [];
    for (const node of await listNodesOfHost(this.#db, this.#options.node.host)) {
      const isSelf = node.id === this.#nodeId || node.pid === this.#options.node.pid;
      if (isSelf || node.isStopped || !await this.#options.isAlive(node.pid)) dead.push(node.id);
    }
    return dead;
  }
}

function clearRunTimers(run: Run): void {
  clearTimeout(run.timeout);
  clearTimeout(run.grace);
}
