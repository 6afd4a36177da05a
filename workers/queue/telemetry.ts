import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import {
  type DurationSample,
  type LogLine,
  REMEMBERED_SAMPLES,
  saveDurations,
  saveLogLines,
  saveMemory,
  saveProgress,
  saveShares,
  type ShareUsed,
} from "#server/jobs/telemetry.ts";

const FLUSH_MS = 1_000;
/** Lines that one run may leave; a handler in a loop must not fill the database. */
const MAX_LINES_PER_JOB = 1_000;
const MAX_PENDING_LINES = 5_000;

/** What is worth keeping of running jobs but not worth a transaction each: written in batches, at most once a second. */
export class Telemetry {
  readonly #db: Db;
  readonly #log: Log;
  readonly #progress = new Map<string, { ratio: number; note: string }>();
  /** Jobs whose progress was written; what it says goes when they end. */
  readonly #written = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #shares = new Map<string, ShareUsed>();
  readonly #lineCounts = new Map<string, number>();
  #lines: LogLine[] = [];
  readonly #samples = new Map<string, DurationSample[]>();
  /** Generations that ended well: what memory they took is to be learned. */
  #generated: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(db: Db, log: Log) {
    this.#db = db;
    this.#log = log;
  }

  progress(jobId: string, ratio: number, note: string): void {
    this.#progress.set(jobId, { ratio, note });
    this.#schedule();
  }

  line(line: LogLine): void {
    const count = (this.#lineCounts.get(line.jobId) ?? 0) + 1;
    this.#lineCounts.set(line.jobId, count);
    if (line.level === "debug" || count > MAX_LINES_PER_JOB || this.#lines.length >= MAX_PENDING_LINES) {
      return;
    }
    this.#lines.push(line);
    this.#schedule();
  }

  /** The run is over: its progress is of no use any more. */
  ended(jobId: string, sample?: DurationSample): void {
    this.#progress.delete(jobId);
    this.#lineCounts.delete(jobId);
    if (this.#written.delete(jobId)) this.#ended.add(jobId);
    if (sample) this.#addSample(sample);
    if (sample?.workerId) this.#generated.push(jobId);
    this.#schedule();
  }

  /** The run is over and counts for its user's share of the lane. */
  used({ lane, userId, fairEnd }: ShareUsed): void {
    const key = `${lane} ${userId}`;
    const known = this.#shares.get(key);
    if (known === undefined || known.fairEnd < fairEnd) this.#shares.set(key, { lane, userId, fairEnd });
    this.#schedule();
  }

  /** Of many runs in a second the newest are kept, and that there were more. */
  #addSample(sample: DurationSample): void {
    const key = `${sample.kind} ${sample.workflowVersionId} ${sample.workerId}`;
    const samples = this.#samples.get(key) ?? [];
    const dropped = samples.length >= REMEMBERED_SAMPLES ? samples.shift() : undefined;
    samples.push(dropped ? { ...sample, runs: sample.runs + dropped.runs } : sample);
    this.#samples.set(key, samples);
  }

  /** Writes what is there now; failures are logged and the batch is dropped. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#flushing = this.#flushing.then(() => this.#write());
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  async #write(): Promise<void> {
    const progress = [...this.#progress].map(([jobId, { ratio, note }]) => ({ jobId, ratio, note }));
    const ended = [...this.#ended];
    const lines = this.#lines;
    const samples = [...this.#samples.values()].flat();
    const shares = [...this.#shares.values()];
    const generated = this.#generated;
    for (const { jobId } of progress) this.#written.add(jobId);
    this.#progress.clear();
    this.#ended.clear();
    this.#lines = [];
    this.#generated = [];
    this.#samples.clear();
    this.#shares.clear();
    try {
      if (progress.length + ended.length > 0) await saveProgress(this.#db, progress, ended);
      if (lines.length > 0) await saveLogLines(this.#db, lines);
      if (samples.length > 0) await saveDurations(this.#db, samples);
      if (shares.length > 0) await saveShares(this.#db, shares);
      if (generated.length > 0) await saveMemory(this.#db, generated);
    } catch (error) {
      this.#log.warn("telemetry of jobs was dropped", { reason: errorMessage(error), lines: lines.length });
    }
  }
}
