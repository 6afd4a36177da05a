import { signal } from "@lit-labs/signals";
import { session } from "#client/auth/session_store.ts";
import { ApiError, call } from "#client/core/call.ts";
import type { JobProgress, Live } from "#client/core/live.ts";
import { inOrder } from "#client/core/order.ts";
import { spriteOf } from "#client/ui/scrub.ts";
import { listAssets } from "#server/assets/contract.ts";
import { listWorkers } from "#server/fleet/contract.ts";
import { getHealthStatus } from "#server/health/contract.ts";
import { getQueue, type Job, listJobs, retryJob as retryJobEndpoint } from "#server/jobs/contract.ts";
import { listProjects, type Project } from "#server/projects/contract.ts";
import { type Final, NOTHING_READ, type StatusFacts } from "./status_facts.ts";

const POLL_MS = 15_000;
/** Changes come in bursts: one reading serves them all. */
const GATHER_MS = 250;
const PROJECTS_LOOKED_AT = 6;
const FINALS_SHOWN = 12;

/** What the status page knows: read at the start, after every change that is told, and now and then. */
export class StatusStore {
  readonly #facts = signal<StatusFacts>(NOTHING_READ);
  readonly #progress = signal<ReadonlyMap<string, JobProgress>>(new Map());
  readonly #previews = signal<ReadonlyMap<string, string>>(new Map());
  readonly #live: Live;
  #poll: ReturnType<typeof setInterval> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #isStale = false;
  #topics = "";
  #unlisten: (() => void) | undefined;

  constructor(live: Live) {
    this.#live = live;
  }

  get facts(): StatusFacts {
    return this.#facts.get();
  }

  /** The latest that was told of a running job; the job's own progress is older. */
  get progress(): ReadonlyMap<string, JobProgress> {
    return this.#progress.get();
  }

  /** Addresses of the latest pictures of running jobs. */
  get previews(): ReadonlyMap<string, string> {
    return this.#previews.get();
  }

  start(): void {
    this.#listen([]);
    this.#poll = setInterval(() => document.visibilityState === "visible" && void this.read(), POLL_MS);
    void this.read();
  }

  stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#unlisten?.();
    this.#topics = "";
    this.#showPreviews(new Map());
  }

  /** Reads everything; while a reading is under way, once more after it. */
  async read(): Promise<void> {
    if (this.#isReading) {
      this.#isStale = true;
      return;
    }
    this.#isReading = true;
    do {
      this.#isStale = false;
      await this.#readOnce();
    } while (this.#isStale);
    this.#isReading = false;
  }

  async #readOnce(): Promise<void> {
    try {
      const [studio, workers, queue, running, waiting, failed, projects] = await Promise.all([
        call(getHealthStatus),
        session.may("worker.read") ? call(listWorkers).then(({ items }) => items) : undefined,
        call(getQueue),
        this.#jobs("running", 50),
        this.#jobs("queued,blocked,held", 8),
        this.#jobs("failed", 20),
        call(listProjects, { query: { limit: 50 } }).then(({ items }) => items),
      ]);
      const finals = await readFinals(projects.slice(0, PROJECTS_LOOKED_AT));
      this.#listen(projects);
      this.#apply({
        studio,
        workers,
        queue,
        running,
        waiting,
        failed,
        finals,
        projects: new Map(projects.map(({ id, name }) => [id, name])),
        problem: undefined,
        readAt: Date.now(),
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#facts.set({ ...this.facts, problem: error });
    }
  }

  async #jobs(status: string, limit: number): Promise<Job[]> {
    return (await call(listJobs, { query: { status, limit } })).items;
  }

  #apply(facts: StatusFacts): void {
    this.#facts.set(facts);
    const running = new Set<string>(facts.running.map(({ id }) => id));
    const isRunning = ([jobId]: readonly [string, unknown]) => running.has(jobId);
    this.#progress.set(new Map([...this.progress].filter(isRunning)));
    this.#showPreviews(new Map([...this.previews].filter(isRunning)));
  }

  #listen(projects: readonly Project[]): void {
    const topics = [
      "studio",
      ...(session.may("worker.read") ? ["fleet"] : []),
      ...(session.may("queue.admin") ? ["jobs"] : []),
      ...(session.me ? [`user:${session.me.userId}`] : []),
      ...projects.map(({ id }) => `project:${id}`),
    ];
    if (topics.join() === this.#topics) return;
    this.#topics = topics.join();
    const before = this.#unlisten;
    this.#unlisten = this.#live.listen({
      topics,
      event: () => this.#readSoon(),
      resync: () => this.#readSoon(),
      changed: () => this.#readSoon(),
      progress: (progress) => this.#progress.set(new Map(this.progress).set(progress.jobId, progress)),
      preview: (jobId, picture) =>
        this.#showPreviews(new Map(this.previews).set(jobId, URL.createObjectURL(picture))),
    });
    before?.();
  }

  #readSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.read();
    }, GATHER_MS);
  }

  #showPreviews(next: ReadonlyMap<string, string>): void {
    for (const [jobId, address] of this.previews) {
      if (next.get(jobId) !== address) URL.revokeObjectURL(address);
    }
    this.#previews.set(next);
  }
}

/** The newest final cuts and masters of these projects. */
async function readFinals(projects: readonly Project[]): Promise<Final[]> {
  const found = await Promise.all(
    projects.flatMap((project) =>
      (["cut", "master"] as const).map(async (kind) => {
        const { items } = await call(listAssets, {
          params: { projectId: project.id },
          query: { kind, limit: 30 },
        });
        return items.filter(({ retention }) => retention === "protected").map((asset): Final => {
          const picture = (["poster", "thumbnail"] as const).find((name) => asset.derivatives.includes(name));
          return {
            assetId: asset.id,
            name: asset.name,
            kind,
            picture: picture && `/api/assets/${asset.id}/derivatives/${picture}`,
            sprite: spriteOf(asset.id, asset.sprite),
            projectName: project.name,
            createdAt: asset.createdAt,
          };
        });
      })
    ),
  );
  return found.flat().sort((one, other) => inOrder(other.createdAt, one.createdAt)).slice(
    0,
    FINALS_SHOWN,
  );
}

/** Queues a failed job again; the live event of it lets every page read anew. Throws ApiError. */
export async function retryJob(jobId: string): Promise<void> {
  await call(retryJobEndpoint, { params: { jobId: jobId as Job["id"] } });
}
