import { computed, signal } from "@lit-labs/signals";
import { session } from "#client/auth/session_store.ts";
import { ApiError, call } from "#client/core/call.ts";
import { type JobProgress, type Live, live } from "#client/core/live.ts";
import { callPages, Store } from "#client/core/store.ts";
import type { ReplyInput } from "#server/core/endpoint.ts";
import type { LiveEvent } from "#server/core/event.ts";
import type { Lane } from "#server/core/job_kind.ts";
import {
  changeJob,
  duplicateJobs,
  exportQueue,
  forecastQueue,
  getJob,
  getQueue,
  importQueue,
  type Job,
  type JobChange,
  jobChanged,
  type JobDetail,
  type JobSteering,
  listQueueJobs,
  moveJob,
  pauseQueue,
  type PauseRequest,
  type PauseTarget,
  queueChanged,
  type QueueDocument,
  type QueueJob,
  type QueueState,
  resumeQueue,
  steerJobs,
} from "#server/jobs/contract.ts";
import { listProjects } from "#server/projects/contract.ts";
import { byTurn, countJobs, isEnded, type Move, turnsOf } from "./queue_order.ts";

/** More open jobs than the studio gives in one reading are counted, not shown. */
const MOST_SHOWN = 5_000;
const ENDED_SHOWN = 200;
/** How often jobs are read of which no event can be heard: an admin's, in projects that one is not in. */
const UNHEARD_MS = 5_000;

const FORECAST_MS = 10_000;
/** The studio takes no more ids in one question. */
const ASKED_AT_ONCE = 200;
/** Few enough that the studio answers in a moment. */
const STEERED_AT_ONCE = 100;

type QueueForecast = ReplyInput<typeof forecastQueue>;
export type ImportReport = ReplyInput<typeof importQueue>;

type WithoutIds<T> = T extends unknown ? Omit<T, "jobIds"> : never;
/** What is done to jobs: a verb, or another priority. */
export type Steering = WithoutIds<JobSteering>;

export interface Steered {
  readonly done: readonly string[];
  readonly refused: number;
  readonly refusal: string | undefined;
}

/** A picture of what a job has made so far. */
export interface Preview {
  readonly address: string;
}

/** The queue as one may see it, how far each job is, and what can be done with them. */
export class QueueStore {
  readonly #live: Pick<Live, "listen" | "state">;
  readonly #store: Store<QueueJob>;
  readonly #state = signal<QueueState | undefined>(undefined);
  readonly #progress = signal<ReadonlyMap<string, JobProgress>>(new Map());
  readonly #previews = signal<ReadonlyMap<string, Preview>>(new Map());
  readonly #beyond = signal({ open: 0, failed: 0, ended: 0 });
  readonly #forecast = signal<QueueForecast | undefined>(undefined);
  #projectIds: readonly string[] = [];
  #asked: Map<string, PromiseWithResolvers<QueueJob | undefined>> | undefined;
  readonly #turns = computed(() => turnsOf(this.#store.items));
  readonly #counts = computed(() => countJobs(this.#store.items));

  constructor(live: Pick<Live, "listen" | "state">) {
    this.#live = live;
    this.#store = new Store<QueueJob>({
      idOf: ({ id }) => id,
      list: () => this.#list(),
      read: (id) => this.#readOne(id),
      mostReads: 2 * ASKED_AT_ONCE,
      topics: () => this.#topics(),
      concerns,
      order: byTurn,
    }, live);
  }

  /** Running, waiting in the order of their turn, then the newest that have ended. */
  get all(): readonly QueueJob[] {
    return this.#store.items;
  }

  /** How many there are, also those beyond what is read. */
  get totals(): { readonly open: number; readonly failed: number; readonly ended: number } {
    const { running, waiting, failed, ended } = this.counts;
    const beyond = this.#beyond.get();
    return {
      open: running + waiting + beyond.open,
      failed: failed + beyond.failed,
      ended: ended + beyond.failed + beyond.ended,
    };
  }

  get counts(): Readonly<Record<"running" | "waiting" | "failed" | "ended", number>> {
    return this.#counts.get();
  }

  get reading(): Pick<Store<QueueJob>, "isKnown" | "isStale" | "problem"> {
    return this.#store;
  }

  /** How full the lanes are and what is paused; undefined until it is known. */
  get state(): QueueState | undefined {
    return this.#state.get();
  }

  find(jobId: string): QueueJob | undefined {
    return this.#store.find(jobId);
  }

  /** Whether a change of it waits for the studio's answer. */
  isPending(jobId: string): boolean {
    return this.#store.isPending(jobId);
  }

  /** Its turn in its lane, from 1; undefined when it has none. */
  turnOf(jobId: string): number | undefined {
    return this.#turns.get().get(jobId);
  }

  /** How far a running job is, 0–1; undefined when nobody knows. */
  ratioOf(job: Pick<QueueJob, "id" | "progressRatio">): number | undefined {
    return this.#progress.get().get(job.id)?.ratio ?? job.progressRatio ?? undefined;
  }

  noteOf(job: Pick<QueueJob, "id" | "progressNote">): string {
    return this.#progress.get().get(job.id)?.note || job.progressNote || "";
  }

  /** Address of the newest picture of its work; undefined while there is none. */
  previewOf(jobId: string): string | undefined {
    return this.#previews.get().get(jobId)?.address;
  }

  /** Reads and follows the queue until the returned function is called. */
  open(): () => void {
    const close = this.#store.open();
    const unlisten = this.#live.listen({
      topics: [],
      progress: (progress) => this.#progress.set(new Map(this.#progress.get()).set(progress.jobId, progress)),
      preview: (jobId, picture) => this.#showPreview(jobId, picture),
    });
    const timer = setInterval(() => this.#readUnheard(), UNHEARD_MS);
    return () => {
      clearInterval(timer);
      unlisten();
      close();
    };
  }

  async read(): Promise<void> {
    await this.#store.read();
  }

  /** The jobs that have failed, also those that are not shown. Throws ApiError. */
  async readFailed(): Promise<readonly QueueJob[]> {
    return (await call(listQueueJobs, { query: { status: "failed", limit: MOST_SHOWN } })).items;
  }

  /** A job with its log and attempts. Throws ApiError. */
  async readDetail(jobId: string): Promise<JobDetail> {
    return await call(getJob, { params: { jobId: jobId as Job["id"] } });
  }

  /**
   * Does the same to each job: at once on the screen, then in the studio. Gives the ids of those where it was done and
   * the first reason why it was not at others. Throws ApiError where it was done at none.
   */
  async steer(jobIds: readonly string[], steering: Steering): Promise<Steered> {
    const done: string[] = [];
    const refusals: string[] = [];
    await this.#store.actOnMany(jobIds, (job) => job && steered(job, steering), async () => {
      for (let at = 0; at < jobIds.length; at += STEERED_AT_ONCE) {
        const some = jobIds.slice(at, at + STEERED_AT_ONCE) as Job["id"][];
        const { items, refused } = await call(steerJobs, { body: { ...steering, jobIds: some } })
          .catch((error) => {
            // The studio refuses a request where all of its jobs refuse: some before it may have been done.
            if (!(error instanceof ApiError) || done.length === 0) throw error;
            return { items: [], refused: some.map((jobId) => ({ jobId, reason: error.message })) };
          });
        done.push(...items.map(({ id }) => id));
        refusals.push(...refused.map(({ reason }) => reason));
      }
    });
    return { done, refusal: refusals[0], refused: refusals.length };
  }

  /** Changes what waits: what is left out of `change` stays. Throws ApiError with the fields that are wrong. */
  async change(jobId: string, change: JobChange): Promise<void> {
    await this.#act(
      jobId,
      (job) => ({ ...job, ...(change.priority === undefined ? {} : { priority: change.priority }) }),
      (params) => call(changeJob, { params, body: change }),
    );
  }

  /** Queues the same again; returns the ids of the copies. Throws ApiError where it belongs to one thing alone. */
  async duplicate(jobIds: readonly string[]): Promise<string[]> {
    const { items } = await call(duplicateJobs, { body: { jobIds: jobIds as Job["id"][] } });
    await this.read();
    return items.map(({ id }) => id);
  }

  async export(): Promise<QueueDocument> {
    return await call(exportQueue);
  }

  /** What would become, or became, of each job of a document. Throws ApiError when it is none. */
  async import(
    document: QueueDocument,
    how: { dryRun?: boolean; skipRefused?: boolean },
  ): Promise<ImportReport> {
    const report = await call(importQueue, { body: { document, ...how } });
    if (!how.dryRun) await this.read();
    return report;
  }

  /** Puts waiting jobs before or after others of their lane, one by one: at once on the screen, then in the studio. */
  async move(moves: readonly Move[]): Promise<void> {
    try {
      for (const { jobId, to } of moves) {
        const isBefore = "beforeJobId" in to;
        const other = this.find(isBefore ? to.beforeJobId : to.afterJobId);
        const orderKey = (other?.orderKey ?? 0) + (isBefore ? -0.5 : 0.5);
        await this.#act(
          jobId,
          (job) => ({ ...job, orderKey }),
          (params) => call(moveJob, { params, body: to }),
        );
      }
    } finally {
      // One's own jobs swap places, so more than these have another.
      await this.read();
    }
  }

  /** At once, or once `afterJobId` has ended. */
  async pause(target: PauseRequest): Promise<void> {
    this.#state.set(await call(pauseQueue, { body: target }));
    await this.read();
  }

  async resume(target: PauseTarget): Promise<void> {
    this.#state.set(await call(resumeQueue, { body: target }));
    await this.read();
  }

  /** The job after which a lane pauses; undefined when it is not to. */
  pausesAfter(lane: Lane): string | undefined {
    return this.state?.paused.find((one) => one.lane === lane && !one.isInForce)?.afterJobId ?? undefined;
  }

  /** When each lane is to be through, as far as can be told; read anew every few seconds while the queue shows. */
  get forecast(): QueueForecast | undefined {
    return this.#forecast.get();
  }

  /** Reads and follows the forecast until the returned function is called. */
  openForecast(): () => void {
    const read = () =>
      void call(forecastQueue).then((found) => this.#forecast.set(found)).catch(() => {
        // A guess that can't be read is no news: the queue itself says when the studio does not answer.
      });
    read();
    const timer = setInterval(() => document.visibilityState !== "hidden" && read(), FORECAST_MS);
    return () => clearInterval(timer);
  }

  /** Whether something runs or waits for its turn there. */
  isLaneBusy(lane: Lane): boolean {
    const facts = this.state?.lanes.find((one) => one.lane === lane);
    return facts !== undefined && facts.running + facts.queued > 0;
  }

  isLanePaused(lane: Lane): boolean {
    return this.state?.lanes.find((one) => one.lane === lane)?.isPaused ?? false;
  }

  async #act(
    jobId: string,
    change: (job: QueueJob) => QueueJob,
    send: (params: { jobId: Job["id"] }) => Promise<Job>,
  ): Promise<void> {
    await this.#store.act(jobId, (job) => job && change(job), async () => {
      await send({ jobId: jobId as Job["id"] });
      return await this.#readOne(jobId);
    });
  }

  async #list(): Promise<QueueJob[]> {
    const [open, failed, ended, state, projects] = await Promise.all([
      call(listQueueJobs, { query: { limit: MOST_SHOWN } }),
      call(listQueueJobs, { query: { status: "failed", limit: ENDED_SHOWN } }),
      call(listQueueJobs, { query: { status: "done,cancelled", limit: ENDED_SHOWN } }),
      call(getQueue),
      callPages(listProjects),
    ]);
    this.#beyond.set({
      open: open.total - open.items.length,
      failed: failed.total - failed.items.length,
      ended: ended.total - ended.items.length,
    });
    this.#state.set(state);
    this.#projectIds = projects.map(({ id }) => id);
    const items = [...open.items, ...failed.items, ...ended.items];
    this.#forgetEnded(items);
    return items;
  }

  /** Those that are asked for in one moment are one question. */
  #readOne(id: string): Promise<QueueJob | undefined> {
    if (!this.#asked) {
      this.#asked = new Map();
      queueMicrotask(() => void this.#readAsked());
    }
    const asked = this.#asked.get(id) ?? Promise.withResolvers<QueueJob | undefined>();
    this.#asked.set(id, asked);
    return asked.promise;
  }

  async #readAsked(): Promise<void> {
    const asked = this.#asked ?? new Map<string, PromiseWithResolvers<QueueJob | undefined>>();
    this.#asked = undefined;
    try {
      const ids = [...asked.keys()];
      const parts = Array.from(
        { length: Math.ceil(ids.length / ASKED_AT_ONCE) },
        (_, at) => ids.slice(at * ASKED_AT_ONCE, (at + 1) * ASKED_AT_ONCE),
      );
      const [state, ...answers] = await Promise.all([
        call(getQueue),
        ...parts.map((some) => call(listQueueJobs, { query: { ids: some.join(), limit: ASKED_AT_ONCE } })),
      ]);
      const items = answers.flatMap((answer) => answer.items);
      // A pause that waited for a job has begun: others wait for another reason now.
      const hasBegun = inForce(state) !== inForce(this.#state.get());
      this.#state.set(state);
      this.#forgetEnded(items);
      if (hasBegun) void this.read();
      const found = new Map<string, QueueJob>(items.map((job) => [job.id, job]));
      for (const [id, { resolve }] of asked) resolve(found.get(id));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    }
  }

  #topics(): readonly string[] {
    return [
      "studio",
      ...(session.me ? [`user:${session.me.userId}`] : []),
      ...(session.may("queue.admin") ? ["jobs"] : []),
      ...this.#projectIds.map((id) => `project:${id}`),
    ];
  }

  /** What has ended runs no more, whatever was told of it last. */
  #forgetEnded(jobs: readonly QueueJob[]): void {
    const ended = jobs.filter((job) => job.status !== "running").map(({ id }) => id);
    const progress = new Map(this.#progress.get());
    const previews = new Map(this.#previews.get());
    for (const id of ended) {
      progress.delete(id);
      const preview = previews.get(id);
      if (preview) URL.revokeObjectURL(preview.address);
      previews.delete(id);
    }
    this.#progress.set(progress);
    this.#previews.set(previews);
  }

  #showPreview(jobId: string, picture: Blob): void {
    const previews = new Map(this.#previews.get());
    const before = previews.get(jobId);
    if (before) URL.revokeObjectURL(before.address);
    this.#previews.set(previews.set(jobId, { address: URL.createObjectURL(picture) }));
  }

  #readUnheard(): void {
    const isUnheard = ({ projectId, status }: QueueJob) =>
      projectId !== null && !isEnded({ status }) && !this.#projectIds.includes(projectId);
    const isSeen = globalThis.document?.visibilityState !== "hidden";
    if (isSeen && this.#live.state === "live" && this.all.some(isUnheard)) void this.read();
  }
}

/** A job as it is likely to be once the studio has done it. */
function steered(job: QueueJob, steering: Steering): QueueJob {
  if ("priority" in steering) return { ...job, priority: steering.priority };
  switch (steering.verb) {
    case "hold":
      return { ...job, status: "held" };
    case "release":
      return { ...job, status: "queued" };
    case "retry":
      return { ...job, status: "queued", finishedAt: null, error: null, failureClass: null };
    case "cancel":
    case "cancel_with_dependents":
      return { ...job, isCancelAsked: true };
  }
}

function inForce(state: QueueState | undefined): number {
  return state?.paused.filter(({ isInForce }) => isInForce).length ?? 0;
}

/** The jobs that an event tells of. */
function concerns({ code, data }: LiveEvent): readonly string[] | "all" | undefined {
  if (code === queueChanged.code) return "all";
  if (code === "project.changed") return "all";
  if (code !== jobChanged.code) return undefined;
  const read = jobChanged.data.safeParse(data);
  return read.success ? read.data.jobs.map(({ jobId }) => jobId) : undefined;
}

/** The queue of this page. */
export const queue: QueueStore = new QueueStore(live);
