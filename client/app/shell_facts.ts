import { signal } from "@lit-labs/signals";
import { session } from "#client/auth/session_store.ts";
import { ApiError, call, isSignedOut } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { getHealthStatus, type HealthStatus } from "#server/health/contract.ts";
import { listWorkers, type Worker } from "#server/fleet/contract.ts";
import { getQueue, type QueueState } from "#server/jobs/contract.ts";
import { listProjects, type ProjectCard } from "#server/projects/contract.ts";

const POLL_MS = 20_000;
/** A studio that gave nothing is asked again sooner: what says so must not outlast it. */
const RETRY_MS = 4_000;
const GATHER_MS = 300;

/** What the bars show. Facts stay while the studio gives none; `silentSince` says since when they are old. */
export interface ShellFacts {
  readonly studio: HealthStatus | undefined;
  readonly workers: readonly Worker[];
  readonly queue: QueueState | undefined;
  readonly projects: readonly ProjectCard[];
  /** Whether `projects` were read once: none is then really none. */
  readonly isRead: boolean;
  readonly silentSince: number | undefined;
  /** The studio is there, but refused the last reading; undefined where it did not answer at all. */
  readonly refusal: ApiError | undefined;
}

const HEARD = { silentSince: undefined, refusal: undefined } as const;
const NOTHING: ShellFacts = {
  studio: undefined,
  workers: [],
  queue: undefined,
  projects: [],
  isRead: false,
  ...HEARD,
};

/** Reads what the top bar and the status bar show: at the start, after what is told, and now and then. */
export class ShellStore {
  readonly #facts = signal<ShellFacts>(NOTHING);
  #poll: ReturnType<typeof setInterval> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #unlisten: (() => void) | undefined;
  #askedAt = 0;

  get facts(): ShellFacts {
    return this.#facts.get();
  }

  start(): void {
    if (this.#poll !== undefined) return;
    const topics = [
      "studio",
      ...(session.may("worker.read") ? ["fleet"] : []),
      ...(session.may("queue.admin") ? ["jobs"] : []),
      ...(session.me ? [`user:${session.me.userId}`] : []),
    ];
    const soon = () => this.readSoon();
    this.#unlisten = live.listen({ topics, event: soon, resync: soon, changed: soon });
    this.#poll = setInterval(() => this.#isDue() && void this.read(), RETRY_MS);
    void this.read();
  }

  #isDue(): boolean {
    if (document.visibilityState !== "visible") return false;
    return this.facts.silentSince !== undefined || Date.now() - this.#askedAt >= POLL_MS;
  }

  /** Forgets everything: somebody else may sign in. */
  stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    this.#poll = undefined;
    this.#soon = undefined;
    this.#unlisten?.();
    this.#facts.set(NOTHING);
  }

  readSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.read();
    }, GATHER_MS);
  }

  async read(): Promise<void> {
    this.#askedAt = Date.now();
    try {
      const [studio, workers, queue, projects] = await Promise.all([
        call(getHealthStatus),
        session.may("worker.read") ? call(listWorkers).then(({ items }) => items) : [],
        session.may("job.read") ? call(getQueue) : undefined,
        call(listProjects, { query: { limit: 100 } }).then(({ items }) => items),
      ]);
      this.#facts.set({ studio, workers, queue, projects, isRead: true, ...HEARD });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The session has seen to it.
      if (isSignedOut(error)) return;
      const silentSince = this.facts.silentSince ?? Date.now();
      this.#facts.set({ ...this.facts, silentSince, refusal: error.status === 0 ? undefined : error });
    }
  }
}

export const shell: ShellStore = new ShellStore();
