import { signal } from "@lit-labs/signals";
import { call } from "#client/core/call.ts";
import { type JobProgress, live } from "#client/core/live.ts";
import { inOrder } from "#client/core/order.ts";
import { callPages, orGone, Store, storesBy } from "#client/core/store.ts";
import { getAsset } from "#server/assets/contract.ts";
import {
  changeClip,
  changeSegment,
  chooseTake,
  type ClipState,
  type Cut,
  extendSegment,
  type Following,
  generateClip,
  getClip,
  getCutMeasures,
  getTakeMeasures,
  keepCut,
  pauseClip,
  type Plan,
  planClip,
  rerollSegment,
  type Segment,
  stitchClip,
  type Take,
} from "#server/clips/contract.ts";
import type { BodyInput, Reply } from "#server/core/endpoint.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import { cancelJob, type Job, listJobs, retryJob } from "#server/jobs/contract.ts";
import {
  approveCut,
  type Decision,
  finalizeCut,
  listDecisions,
  rejectCut,
  undoDecision,
} from "#server/review/contract.ts";
import { getSeed, listSeeds, type Seed } from "#server/seeds/contract.ts";
import { cutToShow } from "./clip_facts.ts";

/** Everything about one clip that its screen shows, read together so that it agrees with itself. */
export interface ClipFacts {
  readonly clip: ClipState;
  /** Undefined where nothing can be planned: `planProblem` says why. */
  readonly plan: Plan | undefined;
  readonly planProblem: string | undefined;
  /** The clip's, else the one that generating would take. */
  readonly hero: Seed | undefined;
  /** What was decided about the newest cut that can be seen, oldest first, and the hash of its file. */
  readonly decisions: readonly Decision[];
  readonly cutHash: string | undefined;
  /** Jobs of its takes and cuts that have not ended well. */
  readonly jobs: readonly Job[];
}

/** What was measured on a take or a cut, and the limits of its gates. */
export type Measures = Reply<typeof getTakeMeasures>;
type ClipId = ClipState["id"];

const UNMEASURED: readonly Cut["status"][] = ["stitching", "measuring", "failed"];
const OPEN_JOBS = "blocked,queued,held,running,failed";

/** One clip, with its plan, its running jobs and their pictures, and all that can be done with it. */
export class ClipStore {
  readonly #clipId: ClipId;
  readonly #projectId: string;
  readonly #store: Store<ClipFacts>;
  readonly #progress = signal<ReadonlyMap<string, JobProgress>>(new Map());
  readonly #previews = signal<ReadonlyMap<string, string>>(new Map());
  readonly #measures = signal<ReadonlyMap<string, Measures | "asked">>(new Map());
  #openings = 0;
  #unlisten: (() => void) | undefined;

  constructor(projectId: string, clipId: string) {
    // Ids that the studio gave, out of an address.
    this.#clipId = clipId as ClipId;
    this.#projectId = projectId;
    this.#store = new Store<ClipFacts>({
      idOf: ({ clip }) => clip.id,
      list: async () => {
        const facts = await orGone(readFacts(this.#clipId));
        return facts ? [facts] : [];
      },
      topics: () => [`project:${projectId}`],
      concerns: (event) => concerns(event, this.facts) ? "all" : undefined,
    }, live);
  }

  get clipId(): string {
    return this.#clipId;
  }

  get facts(): ClipFacts | undefined {
    return this.#store.find(this.#clipId);
  }

  get reading(): Pick<Store<ClipFacts>, "isKnown" | "isStale" | "problem" | "read"> {
    return this.#store;
  }

  /** A change waits for the studio's answer. */
  get isPending(): boolean {
    return this.#store.isPending(this.#clipId);
  }

  jobOf(takeId: string): Job | undefined {
    return this.facts?.jobs.find((job) => job.takeId === takeId);
  }

  /** How far a job is, 0–1; undefined until it says. */
  ratioOf(job: Job | undefined): number | undefined {
    return job && (this.#progress.get().get(job.id)?.ratio ?? job.progressRatio ?? undefined);
  }

  /** Address of the latest picture of a take that is being made; it stays until the take itself can be seen. */
  previewOf(takeId: string): string | undefined {
    return this.#previews.get().get(takeId);
  }

  /** A take's curves; they are asked for once, when first wanted. */
  measuresOf({ id, status }: Take): Measures | undefined {
    const known = this.#measures.get().get(id);
    if (known === undefined && (status === "ready" || status === "rejected")) {
      void this.#askMeasures(id, () => call(getTakeMeasures, { params: { takeId: id } }));
    }
    return known === "asked" ? undefined : known;
  }

  /** A cut's, in the same way. */
  measuresOfCut({ id, status }: Cut): Measures | undefined {
    const known = this.#measures.get().get(id);
    if (known === undefined && !UNMEASURED.includes(status)) {
      void this.#askMeasures(id, () => call(getCutMeasures, { params: { cutId: id } }));
    }
    return known === "asked" ? undefined : known;
  }

  open(): () => void {
    const close = this.#store.open();
    if (this.#openings++ === 0) this.#listen();
    return () => {
      close();
      if (--this.#openings > 0) return;
      this.#unlisten?.();
      for (const address of this.#previews.get().values()) URL.revokeObjectURL(address);
      this.#previews.set(new Map());
    };
  }

  /** Each of these throws ApiError with the studio's own sentence, and takes its change back. */
  async change(change: BodyInput<typeof changeClip>): Promise<void> {
    const { clipId, body } = { clipId: this.#clipId, body: change };
    await this.#store.act(
      clipId,
      (facts) => facts && { ...facts, clip: { ...facts.clip, ...change as Partial<ClipState> } },
      async () => void await call(changeClip, { params: { clipId }, body }),
    );
  }

  async generate(): Promise<void> {
    await this.#act("generating", () => call(generateClip, { params: { clipId: this.#clipId } }));
  }

  async pause(): Promise<void> {
    await this.#act("paused", () => call(pauseClip, { params: { clipId: this.#clipId } }));
  }

  async stitch(): Promise<void> {
    await this.#act("stitching", () => call(stitchClip, { params: { clipId: this.#clipId } }));
  }

  /** Returns the clip as it is then. */
  async reroll(segmentId: Segment["id"], following?: Following): Promise<ClipState> {
    const body = following === undefined ? {} : { following };
    return await this.#act("generating", () => call(rerollSegment, { params: { segmentId }, body }));
  }

  /** Returns the clip as it is then: it may be longer too. */
  async extend(segmentId: Segment["id"], frames: number): Promise<ClipState> {
    return await this.#act(
      "generating",
      () => call(extendSegment, { params: { segmentId }, body: { frames } }),
    );
  }

  async changeSegment(segmentId: Segment["id"], change: BodyInput<typeof changeSegment>): Promise<void> {
    await this.#act(undefined, () => call(changeSegment, { params: { segmentId }, body: change }));
  }

  async choose(takeId: Take["id"]): Promise<void> {
    await this.#act(undefined, () => call(chooseTake, { params: { takeId } }));
  }

  async keepCut(cutId: Cut["id"]): Promise<void> {
    await this.#act("in_review", () => call(keepCut, { params: { cutId } }));
  }

  /** Makes the very file that was seen the clip's final one; returns the decision, to be undone by. */
  async finalize(cutId: Cut["id"]): Promise<Decision["id"]> {
    const id = newId<"decision">();
    await this.#act("final", () => call(finalizeCut, { params: { cutId }, body: { id, ...this.#seen() } }));
    return id;
  }

  async approve(cutId: Cut["id"]): Promise<Decision["id"]> {
    const id = newId<"decision">();
    await this.#act(undefined, () => call(approveCut, { params: { cutId }, body: { id, ...this.#seen() } }));
    return id;
  }

  async reject(cutId: Cut["id"]): Promise<Decision["id"]> {
    const id = newId<"decision">();
    await this.#act(undefined, () => call(rejectCut, { params: { cutId }, body: { id, ...this.#seen() } }));
    return id;
  }

  async undo(decisionId: Decision["id"]): Promise<void> {
    await this.#act(undefined, () => call(undoDecision, { params: { decisionId } }));
  }

  async retry(jobId: Job["id"]): Promise<void> {
    await this.#act(undefined, () => call(retryJob, { params: { jobId } }));
  }

  async cancel(jobId: Job["id"]): Promise<void> {
    await this.#act(undefined, () => call(cancelJob, { params: { jobId }, body: { withDependents: false } }));
  }

  #seen(): { hash?: string } {
    const hash = this.facts?.cutHash;
    return hash === undefined ? {} : { hash };
  }

  /** The clip's status shows at once; all else is read anew, since a plan and jobs follow from it. */
  async #act<T>(status: ClipState["status"] | undefined, send: () => Promise<T>): Promise<T> {
    const reply = Promise.withResolvers<T>();
    await this.#store.act(
      this.#clipId,
      (facts) => facts && status ? { ...facts, clip: { ...facts.clip, status } } : facts,
      async () => reply.resolve(await send()),
    );
    return await reply.promise;
  }

  #listen(): void {
    const jobOf = (jobId: string) => this.facts?.jobs.find(({ id }) => id === jobId);
    this.#unlisten = live.listen({
      topics: [`project:${this.#projectId}`],
      progress: (progress) =>
        jobOf(progress.jobId) &&
        this.#progress.set(new Map(this.#progress.get()).set(progress.jobId, progress)),
      preview: (jobId, picture) => this.#showPreview(jobOf(jobId)?.takeId, picture),
    });
  }

  #showPreview(takeId: string | null | undefined, picture: Blob): void {
    if (!takeId) return;
    const before = this.#previews.get().get(takeId);
    this.#previews.set(new Map(this.#previews.get()).set(takeId, URL.createObjectURL(picture)));
    if (before) URL.revokeObjectURL(before);
  }

  async #askMeasures(id: string, ask: () => Promise<Measures>): Promise<void> {
    // Not while something renders that reads it.
    await Promise.resolve();
    if (this.#measures.get().has(id)) return;
    this.#measures.set(new Map(this.#measures.get()).set(id, "asked"));
    const found = await ask().catch(() => undefined);
    if (found) this.#measures.set(new Map(this.#measures.get()).set(id, found));
  }
}

async function readFacts(clipId: ClipId): Promise<ClipFacts> {
  const [clip, planned] = await Promise.all([
    call(getClip, { params: { clipId } }),
    call(planClip, { params: { clipId } }).then(
      (plan) => ({ plan, planProblem: undefined }),
      // Without a workflow there is no plan; the clip shows all the same.
      (error: Error) => ({ plan: undefined, planProblem: error.message }),
    ),
  ]);
  const cut = cutToShow(clip);
  const [decisions, asset, hero, jobs] = await Promise.all([
    cut ? call(listDecisions, { params: { cutId: cut.id } }) : [],
    cut?.assetId ? call(getAsset, { params: { assetId: cut.assetId } }) : undefined,
    clip.heroSeedId
      ? orGone(call(getSeed, { params: { seedId: clip.heroSeedId } }))
      : findApprovedHero(clip.characterId),
    call(listJobs, { query: { projectId: clip.projectId, status: OPEN_JOBS, limit: 100 } }),
  ]);
  const mine = new Set<string>([
    ...clip.segments.flatMap(({ takes }) => takes.map(({ id }) => id)),
    ...clip.cuts.map(({ id }) => id),
  ]);
  return {
    clip,
    ...planned,
    hero,
    decisions,
    cutHash: asset?.hash,
    jobs: jobs.items.filter(({ takeId, cutId }) => mine.has(takeId ?? "") || mine.has(cutId ?? "")),
  };
}

/** What generating would start from where the clip names no hero: the character's that was approved last. */
async function findApprovedHero(characterId: ClipState["characterId"]): Promise<Seed | undefined> {
  const seeds = await callPages(listSeeds, { params: { characterId }, query: { kind: "foundation" } });
  return seeds.filter(({ status, approvedAt }) => status === "hero" && approvedAt).sort((one, other) =>
    inOrder(other.approvedAt ?? "", one.approvedAt ?? "")
  )[0];
}

/** Whether an event of the project tells of this clip, its jobs, or a seed that may be its hero. */
function concerns({ data }: LiveEvent, facts: ClipFacts | undefined): boolean {
  if (!facts) return true;
  // Events differ; each names what it tells of by one of these.
  const { clipId, seedId, takeId, cutId } = data as Partial<Record<string, string | null>>;
  const { clip } = facts;
  return clipId === clip.id || typeof seedId === "string" ||
    clip.cuts.some(({ id }) => id === cutId) ||
    clip.segments.some(({ takes }) => takes.some(({ id }) => id === takeId));
}

const stores = storesBy((key) => new ClipStore(...key.split("/") as [string, string]));

/** The store of a clip; the same for all who ask. */
export function clipStoreOf(projectId: string, clipId: string): ClipStore {
  return stores(`${projectId}/${clipId}`);
}
