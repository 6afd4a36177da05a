import { signal } from "@lit-labs/signals";
import { session } from "#client/auth/session_store.ts";
import { ApiError, call } from "#client/core/call.ts";
import { type Live, live } from "#client/core/live.ts";
import { advanceSample, getSample, type Sample } from "#server/first_run/contract.ts";
import {
  getHealthStatus,
  getStorageFacts,
  type HealthStatus,
  type StorageFacts,
} from "#server/health/contract.ts";

export interface FirstRunFacts {
  readonly sample: Sample | undefined;
  readonly storage: StorageFacts | undefined;
  readonly studio: HealthStatus | undefined;
  readonly problem: ApiError | undefined;
}

/** Events come in bursts. */
const GATHER_MS = 150;
/** Until the studio has said everything that it needs to say, and after a loss. */
const LOOK_MS = 3_000;
const NOTHING: FirstRunFacts = {
  sample: undefined,
  storage: undefined,
  studio: undefined,
  problem: undefined,
};

/** What stands at the beginning, and the sample project, which goes on by itself while somebody watches. */
export class FirstRunStore {
  readonly #live: Pick<Live, "listen" | "state">;
  readonly #facts = signal<FirstRunFacts>(NOTHING);
  readonly #previews = signal<ReadonlyMap<string, string>>(new Map());
  #openings = 0;
  #projectId: string | undefined;
  #unlisten: (() => void) | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setInterval> | undefined;
  #isAsking = false;
  #isAskedAgain = false;

  constructor(live: Pick<Live, "listen" | "state">) {
    this.#live = live;
  }

  get facts(): FirstRunFacts {
    return this.#facts.get();
  }

  /** The newest pictures of what is being made, by job. */
  get previews(): ReadonlyMap<string, string> {
    return this.#previews.get();
  }

  /** Reads and follows until the returned function is called. */
  open(): () => void {
    if (this.#openings++ === 0) {
      this.#look = setInterval(() => this.#mayRest() || this.#askSoon(), LOOK_MS);
      this.#listen();
      this.#askSoon(0);
    }
    return () => {
      if (--this.#openings > 0) return;
      clearInterval(this.#look);
      clearTimeout(this.#soon);
      this.#soon = undefined;
      this.#unlisten?.();
    };
  }

  /** Makes the sample, or goes on with it. Throws ApiError. */
  async make(): Promise<void> {
    this.#take(await call(advanceSample));
  }

  async read(): Promise<void> {
    await this.#ask();
  }

  #askSoon(ms = GATHER_MS): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#ask();
    }, ms);
  }

  /** One question at a time; what is told meanwhile is asked about after it. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return void (this.#isAskedAgain = true);
    this.#isAsking = true;
    try {
      const [sample, studio, storage] = await Promise.all([
        session.may("project.create") ? this.#askSample() : undefined,
        call(getHealthStatus),
        session.may("settings.read") ? call(getStorageFacts) : undefined,
      ]);
      this.#facts.set({ sample: this.facts.sample, studio, storage, problem: undefined });
      if (sample) this.#take(sample);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#facts.set({ ...this.facts, problem: error });
    } finally {
      this.#isAsking = false;
      if (this.#isAskedAgain) this.#askSoon();
      this.#isAskedAgain = false;
    }
  }

  /** What was begun goes on: the next step is asked for whenever something has ended. */
  async #askSample(): Promise<Sample> {
    const sample = await call(getSample);
    const goesOn = sample.step === "portrait" || sample.step === "foundations";
    return goesOn ? await call(advanceSample) : sample;
  }

  #take(sample: Sample): void {
    this.#facts.set({ ...this.facts, sample, problem: undefined });
    if (sample.projectId !== (this.#projectId ?? null)) {
      this.#projectId = sample.projectId ?? undefined;
      this.#listen();
    }
  }

  #listen(): void {
    const before = this.#unlisten;
    const soon = () => this.#askSoon();
    this.#unlisten = this.#live.listen({
      topics: [
        "studio",
        ...(session.may("worker.read") ? ["fleet"] : []),
        ...(this.#projectId ? [`project:${this.#projectId}`] : []),
      ],
      event: soon,
      resync: soon,
      changed: soon,
      preview: (jobId, picture) => this.#show(jobId, picture),
    });
    before?.();
  }

  #show(jobId: string, picture: Blob): void {
    const before = this.previews.get(jobId);
    if (before) URL.revokeObjectURL(before);
    // The latest alone is shown: older jobs have their own pictures by then.
    for (const [id, address] of this.previews) if (id !== jobId) URL.revokeObjectURL(address);
    this.#previews.set(new Map([[jobId, URL.createObjectURL(picture)]]));
  }

  #mayRest(): boolean {
    const { sample, studio, problem } = this.facts;
    const isOver = !sample || sample.step === "none" || sample.step === "ready";
    return isOver && studio?.isReady === true && problem === undefined;
  }
}

export const firstRun: FirstRunStore = new FirstRunStore(live);
