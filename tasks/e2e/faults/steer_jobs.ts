import {
  cancelJob,
  changeJob,
  holdJob,
  listJobs,
  pauseQueue,
  releaseJob,
  resumeQueue,
  retryJob,
} from "#server/jobs/contract.ts";
import type { Id } from "#server/core/id.ts";
import { delay } from "#server/core/time.ts";
import { type ApiClient, ApiError } from "#tasks/demo/api_client.ts";
import { pick } from "./job_load.ts";

/** Hands of people on the queue: each call goes through the API, and what it answered is counted. */
export class Steering {
  readonly answers: Record<string, number> = {};
  readonly breaches: string[] = [];
  readonly #api: ApiClient;
  readonly #random: () => number;

  constructor(api: ApiClient, random: () => number) {
    this.#api = api;
    this.#random = random;
  }

  /** One thing that somebody may do to any of these jobs at any time. */
  async disturb(jobIds: readonly string[]): Promise<void> {
    const jobId = pick(jobIds, this.#random) as Id<"job">;
    const params = { jobId };
    const chance = this.#random();
    if (chance < 0.3) {
      const body = { withDependents: this.#random() < 0.3 };
      await this.#count("cancel", () => this.#api.call(cancelJob, { params, body }));
    } else if (chance < 0.5) await this.#count("hold", () => this.#api.call(holdJob, { params }));
    else if (chance < 0.65) await this.#count("release", () => this.#api.call(releaseJob, { params }));
    else if (chance < 0.8) await this.#count("retry", () => this.#api.call(retryJob, { params }));
    else if (chance < 0.95) {
      const body = { priority: Math.floor(this.#random() * 7) - 3 };
      await this.#count("change", () => this.#api.call(changeJob, { params, body }));
    } else await this.#pause();
  }

  /** Lets go of all that is held and queues again all that failed or was cancelled, but for `doomed`; how many were left. */
  async revive(doomed: ReadonlySet<string>): Promise<number> {
    let found = 0;
    for (const status of ["held", "failed", "cancelled"] as const) {
      let cursor: string | undefined;
      do {
        const query = { status, limit: 200, ...(cursor ? { cursor } : {}) };
        const page = await this.#api.call(listJobs, { query });
        for (const { id: jobId } of page.items) {
          if (status !== "held" && doomed.has(jobId)) continue;
          found++;
          await this.#count(
            "revive",
            () => this.#api.call(status === "held" ? releaseJob : retryJob, { params: { jobId } }),
          );
        }
        cursor = page.next;
      } while (cursor);
    }
    return found;
  }

  async #pause(): Promise<void> {
    const body = { lane: pick(["cpu", "gpu"] as const, this.#random) };
    await this.#count("pause", () => this.#api.call(pauseQueue, { body }));
    await delay(this.#random() * 400);
    await this.#count("resume", () => this.#api.call(resumeQueue, { body }));
  }

  /** A refusal is an answer; that the studio broke is not. */
  async #count(what: string, call: () => Promise<unknown>): Promise<void> {
    let answer = "done";
    try {
      await call();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      answer = `refused (${error.code})`;
      if (error.status === 0 || error.status >= 500) {
        this.breaches.push(`${what} was answered ${error.status}: ${error.message}`);
      }
    }
    const key = `${what} ${answer}`;
    this.answers[key] = (this.answers[key] ?? 0) + 1;
  }
}
