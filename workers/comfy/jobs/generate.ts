import { deadline, delay, toInstant } from "#server/core/time.ts";
import { type ApiGraph, generate } from "#server/fleet/job_kinds.ts";
import {
  GiveUp,
  HandedBack,
  handle,
  type Handler,
  type JobContext,
  Retry,
  TryLater,
} from "#workers/kit/handle.ts";
import { asThrown, isPassing, runFailure } from "#workers/comfy/failure.ts";
import { type Features, softwareFacts } from "#workers/comfy/features.ts";
import { PromptFollower } from "#workers/comfy/follow.ts";
import { type HistoryEntry, messageTime } from "#workers/comfy/history.ts";
import { asTexts } from "#workers/comfy/json.ts";
import { fetchOutputs } from "#workers/comfy/outputs.ts";
import type { GenerateInput } from "#workers/comfy/prepare.ts";
import { FETCH_SHARE, PromptProgress } from "#workers/comfy/progress.ts";
import { lacksUpload, leaveOnAbort, prepareGraph, submitGraph } from "#workers/comfy/submit.ts";
import type { Truth } from "#workers/comfy/truth.ts";
import type { WorkerLink, WorkerLinks } from "#workers/comfy/worker_link.ts";

/** A worker that can't be reached before anything was sent is asked again after this. */
const AGAIN_MS = 5_000;

/** What a run knows when its prompt has ended. */
interface Ended {
  readonly promptId: string;
  readonly adopted: boolean;
  readonly entry: HistoryEntry;
  readonly graph: ApiGraph;
  readonly submittedAt: Date;
  readonly finishedAt: Date;
  readonly nodesMs: Record<string, number>;
  readonly features: Features;
}

/** An earlier prompt of this job that the worker still knows. */
interface Earlier {
  readonly promptId: string;
  readonly truth: Exclude<Truth, { state: "unknown" }>;
}

/** Runs `comfy.generate` on the workers of `links`. */
export function generateHandler(links: WorkerLinks): Handler {
  return handle(generate, async (input, job) => {
    const run = new GenerateRun(links.to(input.workerUrl), input, job);
    return await run.toResult();
  });
}

/** One run of the job: at most one prompt of it is live at a time. */
class GenerateRun {
  readonly #link: WorkerLink;
  readonly #input: GenerateInput;
  readonly #job: JobContext;
  readonly #progress: PromptProgress;
  readonly #blocked: string[] = [];
  /** The prompt to cancel when the job is aborted; settles when its submit has. */
  #live: { readonly promptId: string; readonly submitted: Promise<unknown> } | undefined;

  constructor(link: WorkerLink, input: GenerateInput, job: JobContext) {
    this.#link = link;
    this.#input = input;
    this.#job = job;
    this.#progress = new PromptProgress(input.graph, (ratio, note) => job.progress(ratio, note));
  }

  async toResult() {
    try {
      const adopted = await this.#adopt();
      if (adopted !== undefined) {
        try {
          return await this.#collect(adopted);
        } catch (problem) {
          // Its files are gone, or it failed: this attempt makes its own. Where it can't be stored, nothing can.
          if (!(problem instanceof Retry) || adopted.promptId === this.#input.promptId) throw problem;
          if (problem.failureClass === "storage_full") throw problem;
          this.#job.log.info("earlier prompt was of no use", { promptId: adopted.promptId, problem });
        }
      }
      return await this.#collect(await this.#runAnew());
    } catch (problem) {
      if (!this.#job.signal.aborted) throw asRetry(problem);
      await this.#cancelLive();
      throw this.#job.signal.reason;
    }
  }

  /** Takes up a prompt of an earlier attempt, which may have outlived the process that sent it. */
  async #adopt(): Promise<Ended | undefined> {
    const { promptId, earlierPromptIds } = this.#input;
    const features = await this.#reach();
    // The id was made for this attempt, and no other came before it: there is nothing to ask the worker for.
    if (this.#job.attempt === 1 && earlierPromptIds.length === 0) return undefined;
    const ids = [promptId, ...earlierPromptIds.toReversed()];
    let known = await this.#readEarlier(ids);
    if (known.length === 0 && earlierPromptIds.length > 0) {
      // What a process sent before it was killed may still be on its way into the queue.
      await delay(this.#link.timings.hintMs, this.#job.signal);
      known = await this.#readEarlier(ids);
    }
    const best = known.find(({ truth }) => truth.state === "ended" && truth.entry.ended === "success") ??
      known.find(({ truth }) => truth.state === "running") ??
      known.find(({ truth }) => truth.state === "pending") ??
      known.find((one) => one.promptId === promptId);
    for (const other of known) {
      if (other !== best && other.truth.state !== "ended") void this.#link.cancel(other.promptId);
    }
    if (best === undefined) return undefined;
    this.#job.log.info("earlier prompt was adopted", { promptId: best.promptId, state: best.truth.state });
    const entry = best.truth.state === "ended"
      ? best.truth.entry
      : await this.#follow(best.promptId, undefined);
    return {
      promptId: best.promptId,
      adopted: true,
      entry,
      graph: entry.graph ?? this.#input.graph,
      submittedAt: startOf(entry, new Date()),
      finishedAt: new Date(),
      nodesMs: this.#progress.nodesMs,
      features,
    };
  }

  /** What the worker is, asked before anything is sent to it. */
  async #reach(): Promise<Features> {
    const { poison } = this.#link;
    if (poison.reason !== undefined) throw new TryLater(poison.reason, AGAIN_MS, "worker_gone");
    try {
      return await this.#link.features(this.#job.signal);
    } catch (problem) {
      throw this.#notReached(problem);
    }
  }

  async #readEarlier(promptIds: readonly string[]): Promise<Earlier[]> {
    try {
      const truths = await this.#link.truths(promptIds, this.#job.signal);
      return promptIds.flatMap((promptId, at) => {
        const truth = truths[at];
        return truth === undefined || truth.state === "unknown" ? [] : [{ promptId, truth }];
      });
    } catch (problem) {
      throw this.#notReached(problem);
    }
  }

  async #runAnew(): Promise<Ended> {
    const { promptId } = this.#input;
    const features = await this.#reach();
    const submittedAt = new Date();
    for (let again = false;; again = true) {
      const graph = await this.#prepare();
      try {
        const entry = await this.#follow(promptId, graph);
        const { nodesMs } = this.#progress;
        return {
          promptId,
          adopted: false,
          entry,
          graph,
          submittedAt,
          finishedAt: new Date(),
          nodesMs,
          features,
        };
      } catch (problem) {
        if (again || !lacksUpload(problem, this.#input)) throw problem;
        this.#link.uploads.forget();
      }
    }
  }

  async #prepare(): Promise<ApiGraph> {
    this.#job.progress(0, "sending inputs");
    // While it connects anew nobody knows yet what it has still got of our files.
    await this.#link.socket.whenOpen(this.#link.timings.statusMs, this.#job.signal);
    try {
      return await prepareGraph(this.#link, this.#input, this.#job);
    } catch (problem) {
      throw this.#notReached(problem);
    }
  }

  /** Submits `graph`, or only joins when there is none, and waits for the prompt's end. */
  async #follow(promptId: string, graph: ApiGraph | undefined): Promise<HistoryEntry> {
    const { signal } = this.#job;
    const { socket, timings } = this.#link;
    await socket.whenOpen(timings.statusMs, signal);
    signal.throwIfAborted();
    // A process that was frozen must not submit beside the one that has its worker and its job by now.
    if (graph !== undefined) await this.#job.confirm();
    const clientId = graph === undefined ? undefined : socket.clientId;
    const follower = new PromptFollower(this.#link, {
      promptId,
      clientId,
      signal,
      onEvent: (event) => {
        if (event.type === "blocked") this.#blocked.push(event.message);
        this.#progress.take(event);
      },
      onPreview: (image, mediaType) => this.#job.preview(image, mediaType),
    });
    try {
      // The submit itself is never cut off: then it would be unknown whether there is something to cancel.
      const submitted = graph === undefined || clientId === undefined
        ? Promise.resolve()
        : submitGraph(this.#link, promptId, clientId, graph);
      this.#live = { promptId, submitted };
      await leaveOnAbort(submitted, signal);
      const entry = await follower.untilEnded();
      this.#live = undefined;
      return entry;
    } finally {
      follower.stop();
    }
  }

  async #collect(ended: Ended) {
    const { entry, promptId } = ended;
    if (entry.ended !== "success") throw await this.#failed(promptId, entry);
    this.#job.progress(1 - FETCH_SHARE, "fetching files");
    const { store, signal } = this.#job;
    const outputs = await fetchOutputs(this.#link, entry, {
      nodes: this.#input.outputNodes,
      blocked: this.#blocked,
      store,
      signal,
      onFile: (got, all) => {
        this.#job.progress(1 - FETCH_SHARE + FETCH_SHARE * got / all, `fetched ${got}/${all}`);
      },
    });
    const startedAt = messageTime(entry, "execution_start") === undefined
      ? undefined
      : startOf(entry, ended.finishedAt);
    const cached = entry.messages.find((message) => message.name === "execution_cached");
    return {
      promptId,
      adopted: ended.adopted,
      outputs,
      graph: ended.graph,
      software: softwareFacts(ended.features),
      timings: {
        submittedAt: toInstant(ended.submittedAt),
        startedAt: startedAt === undefined ? null : toInstant(startedAt),
        finishedAt: toInstant(ended.finishedAt),
        nodesMs: ended.nodesMs,
        cachedNodes: asTexts(cached?.data.nodes),
      },
    };
  }

  async #failed(promptId: string, entry: HistoryEntry): Promise<Error> {
    const failure = runFailure(entry);
    if (failure.failureClass === "worker_poisoned") this.#link.poison.found(promptId, failure.message);
    if (failure.failureClass === "out_of_memory") {
      // Whoever runs next on this worker starts with empty memory.
      await this.#link.client.free({ signal: this.#job.signal }).catch((problem) =>
        this.#job.log.warn("worker did not free its memory", { problem })
      );
    }
    return asThrown(failure);
  }

  /**
   * Stops the prompt of an aborted job, unless the job goes on elsewhere and will adopt it. What takes longer
   * than a job may goes on behind its back.
   */
  async #cancelLive(): Promise<void> {
    const live = this.#live;
    if (live === undefined || this.#job.signal.reason instanceof HandedBack) return;
    const cancelled = live.submitted.catch(() => {}).then(() => this.#link.cancel(live.promptId));
    const late = () => new Error("Cannot wait for the end of the prompt: the job must end now");
    await deadline(cancelled, this.#link.timings.cancelWaitMs, late).catch(() => {});
  }

  /** Nothing was queued yet, so a worker that can't be reached costs no attempt. */
  #notReached(problem: unknown): unknown {
    if (!isPassing(problem) || problem instanceof GiveUp) return problem;
    return new TryLater(problem.message, AGAIN_MS, "worker_gone", { cause: problem });
  }
}

/** Trouble on the way to the worker that nobody nearer to it could mend. */
function asRetry(problem: unknown): unknown {
  return isPassing(problem) ? new Retry(problem.message, "worker_gone", { cause: problem }) : problem;
}

/** The start of a prompt on our clock: the worker's clock is trusted for the length only. */
function startOf(entry: HistoryEntry, finishedAt: Date): Date {
  const start = messageTime(entry, "execution_start");
  const end = messageTime(entry, /^execution_(success|error|interrupted)$/);
  return start === undefined || end === undefined
    ? finishedAt
    : new Date(finishedAt.getTime() - (end - start));
}
