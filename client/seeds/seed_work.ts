import { signal } from "@lit-labs/signals";
import { ApiError, call } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { callPages, storesBy } from "#client/core/store.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { cancelJob, type Job, jobChanged, type JobStatus, listJobs } from "#server/jobs/contract.ts";

const OPEN: readonly JobStatus[] = ["blocked", "queued", "held", "running"];
/** Pictures so far that are kept, the latest; a finished one is kept until its real picture has loaded. */
const PREVIEWS_KEPT = 256;

/** What is being done for a seed now. */
export interface SeedJob {
  readonly jobId: Job["id"];
  readonly kind: string;
  readonly status: JobStatus;
  /** 0–1, where it is known. */
  readonly ratio: number | undefined;
  readonly note: string;
}

/** The open jobs of a project's seeds, how far each is, and its picture so far. */
export class SeedWork {
  readonly #projectId: string;
  readonly #jobs = signal<ReadonlyMap<string, SeedJob>>(new Map());
  readonly #previews = signal<ReadonlyMap<string, string>>(new Map());
  readonly #seedOf = new Map<string, string>();
  #openings = 0;
  #unlisten: (() => void) | undefined;

  constructor(projectId: string) {
    this.#projectId = projectId;
  }

  /** What runs or waits for that seed; undefined when nothing does. */
  of(seedId: string): SeedJob | undefined {
    return this.#jobs.get().get(seedId);
  }

  /** The address of the latest picture of its making. */
  previewOf(seedId: string): string | undefined {
    return this.#previews.get().get(seedId);
  }

  open(): () => void {
    if (this.#openings++ === 0) this.#start();
    let isOpen = true;
    return () => {
      if (isOpen && --this.#openings === 0) this.#unlisten?.();
      isOpen = false;
    };
  }

  /** Cancels what is being done for a seed. Throws ApiError. */
  async cancel(seedId: string): Promise<void> {
    const job = this.of(seedId);
    if (job) await call(cancelJob, { params: { jobId: job.jobId }, body: { withDependents: true } });
  }

  #start(): void {
    this.#unlisten = live.listen({
      topics: [`project:${this.#projectId}`],
      event: (event) => this.#hear(event),
      resync: () => void this.#read(),
      progress: ({ jobId, ratio, note }) => {
        const seedId = this.#seedOf.get(jobId);
        const job = seedId === undefined ? undefined : this.of(seedId);
        if (seedId !== undefined && job?.jobId === jobId) {
          this.#jobs.set(new Map(this.#jobs.get()).set(seedId, { ...job, ratio, note }));
        }
      },
      preview: (jobId, picture) => {
        const seedId = this.#seedOf.get(jobId);
        if (seedId !== undefined) this.#show(seedId, URL.createObjectURL(picture));
      },
    });
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      const open = await callPages(listJobs, {
        query: { projectId: this.#projectId as NonNullable<Job["projectId"]>, status: OPEN.join() },
      });
      const jobs = new Map<string, SeedJob>();
      for (const { id, kind, status, seedId, progressRatio, progressNote } of open) {
        if (seedId === null) continue;
        this.#seedOf.set(id, seedId);
        jobs.set(seedId, {
          jobId: id,
          kind,
          status,
          ratio: progressRatio ?? undefined,
          note: progressNote ?? "",
        });
      }
      this.#jobs.set(jobs);
    } catch (error) {
      // What is known stays; the next gap in the connection reads it again.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  #hear({ code, data }: LiveEvent): void {
    if (code !== jobChanged.code) return;
    const read = jobChanged.data.safeParse(data);
    if (!read.success || read.data.jobs.every(({ seedId }) => seedId === null)) return;
    const jobs = new Map(this.#jobs.get());
    for (const { jobId, kind, status, seedId } of read.data.jobs) {
      if (seedId === null) continue;
      this.#seedOf.set(jobId, seedId);
      const known = jobs.get(seedId);
      if (OPEN.includes(status)) {
        const ratio = known?.jobId === jobId ? known.ratio : undefined;
        jobs.set(seedId, { jobId, kind, status, ratio, note: "" });
      } else if (known?.jobId === jobId) jobs.delete(seedId);
    }
    this.#jobs.set(jobs);
  }

  #show(seedId: string, address: string): void {
    const previews = new Map(this.#previews.get());
    const before = previews.get(seedId);
    if (before !== undefined) URL.revokeObjectURL(before);
    previews.delete(seedId);
    previews.set(seedId, address);
    for (const [id, old] of previews) {
      if (previews.size <= PREVIEWS_KEPT) break;
      URL.revokeObjectURL(old);
      previews.delete(id);
    }
    this.#previews.set(previews);
  }
}

/** The work for the seeds of one project; the same for all who ask. */
export const seedWorkOf: (projectId: string) => SeedWork = storesBy((projectId) => new SeedWork(projectId));
