import * as z from "zod/mini";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { listen, type Listener } from "#server/db/listen.ts";

/** How far a job is, for the sockets of whoever follows its project. */
export interface JobProgress {
  readonly jobId: string;
  readonly projectId: string | null;
  readonly ratio: number;
  readonly note: string;
}

/** A picture of a job's work so far. */
export interface JobPreview {
  readonly jobId: string;
  readonly projectId: string | null;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** How a worker or a machine is now; what is in it is the fleet's business. */
export interface VitalsNews {
  readonly subject: string;
  readonly vitals: unknown;
}

export interface RelayOptions {
  readonly db: Db;
  readonly log: Log;
  /** This process, as a row of server_nodes. */
  readonly nodeId: string;
  /** What the sockets of this process follow. */
  readonly topics: () => Iterable<string>;
  readonly onProgress: (progress: JobProgress) => void;
  readonly onPreview: (preview: JobPreview) => void;
  readonly onVitals: (news: VitalsNews) => void;
}

const CHANNEL = "seedloop_live";
/** Progress goes out at most four times a second, the pictures of one job twice, a worker's vitals once. */
const PROGRESS_MS = 250;
const PREVIEW_MS = 500;
const VITALS_MS = 1_000;
const WATCH_MS = 4_000;
/** Others stop sending when they have heard of no listener for so long. */
const WATCH_GOOD_MS = 10_000;
/** PostgreSQL takes 8,000 bytes at most in one notification. */
const PAYLOAD_BYTES = 7_500;
const LONGEST_NOTE = 200;
const LARGEST_PREVIEW_BYTES = 1024 * 1024;

const Signal = z.discriminatedUnion("t", [
  z.object({ t: z.literal("watch"), node: z.string(), topics: z.array(z.string()) }),
  z.object({
    t: z.literal("progress"),
    node: z.string(),
    items: z.array(
      z.object({ jobId: z.string(), projectId: z.nullable(z.string()), ratio: z.number(), note: z.string() }),
    ),
  }),
  z.object({
    t: z.literal("preview"),
    node: z.string(),
    jobId: z.string(),
    projectId: z.nullable(z.string()),
  }),
  z.object({
    t: z.literal("vitals"),
    node: z.string(),
    items: z.array(z.object({ subject: z.string(), vitals: z.unknown() })),
  }),
]);

/** Who follows a job: its project's people, or those who see the whole queue. */
export function topicOf(projectId: string | null): string {
  return projectId === null ? "jobs" : `project:${projectId}`;
}

/**
 * Carries what is worthless after a crash, progress, pictures and workers' vitals, to the sockets of the studio's
 * other processes, by notifications of the database that they share. Nothing is sent for what nobody follows elsewhere,
 * so a studio of one process sends nothing; what is sent is bounded, latest wins.
 */
export class LiveRelay {
  readonly #options: RelayOptions;
  readonly #watched = new Map<string, number>();
  readonly #progress = new Map<string, JobProgress>();
  readonly #previews = new Map<string, JobPreview>();
  readonly #vitals = new Map<string, unknown>();
  /** Pictures that are being read; true when another one has come meanwhile. */
  readonly #reading = new Map<string, boolean>();
  #listener: Listener | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  #progressTimer: ReturnType<typeof setTimeout> | undefined;
  #previewTimer: ReturnType<typeof setTimeout> | undefined;
  #vitalsTimer: ReturnType<typeof setTimeout> | undefined;

  static async open(options: RelayOptions): Promise<LiveRelay> {
    const relay = new LiveRelay(options);
    relay.#listener = await listen(options.db, CHANNEL, options.log, (text) => relay.#hear(text));
    relay.#watchTimer = setInterval(() => relay.watch(), WATCH_MS);
    return relay;
  }

  private constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Tells the other processes what is followed here: said again every few seconds, and at once when it grows. */
  watch(): void {
    const topics = [...new Set(this.#options.topics())].filter((topic) =>
      /^(project:|jobs$|fleet$)/.test(topic)
    );
    if (topics.length === 0) return;
    const { nodeId, db } = this.#options;
    const payloads = pack(topics, (part) => ({ t: "watch", node: nodeId, topics: part }));
    void this.#quietly(db`
      select pg_notify(${CHANNEL}, p) from unnest(${payloads}::text[]) as p
       where exists (select 1 from server_nodes
                      where id <> ${nodeId} and stopped_at is null and heartbeat_at > now() - interval '30 seconds')`);
  }

  progress(progress: JobProgress): void {
    if (!this.#isWatched(progress.projectId)) return;
    this.#progress.set(progress.jobId, { ...progress, note: progress.note.slice(0, LONGEST_NOTE) });
    this.#progressTimer ??= setTimeout(() => this.#sendProgress(), PROGRESS_MS);
  }

  preview(preview: JobPreview): void {
    if (!this.#isWatched(preview.projectId) || preview.bytes.length > LARGEST_PREVIEW_BYTES) return;
    this.#previews.set(preview.jobId, preview);
    this.#previewTimer ??= setTimeout(() => this.#sendPreviews(), PREVIEW_MS);
  }

  vitals({ subject, vitals }: VitalsNews): void {
    if (!this.#isTopicWatched("fleet")) return;
    this.#vitals.set(subject, vitals);
    this.#vitalsTimer ??= setTimeout(() => this.#sendVitals(), VITALS_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#watchTimer);
    clearTimeout(this.#progressTimer);
    clearTimeout(this.#previewTimer);
    clearTimeout(this.#vitalsTimer);
    await this.#listener?.close().catch(() => {});
  }

  #isWatched(projectId: string | null): boolean {
    return this.#isTopicWatched(topicOf(projectId));
  }

  #isTopicWatched(topic: string): boolean {
    return (this.#watched.get(topic) ?? -Infinity) > performance.now();
  }

  #sendProgress(): void {
    this.#progressTimer = undefined;
    const items = [...this.#progress.values()];
    this.#progress.clear();
    this.#notify("progress", items);
  }

  #sendVitals(): void {
    this.#vitalsTimer = undefined;
    const items = [...this.#vitals].map(([subject, vitals]) => ({ subject, vitals }));
    this.#vitals.clear();
    this.#notify("vitals", items);
  }

  #notify(t: "progress" | "vitals", items: readonly unknown[]): void {
    const { nodeId, db } = this.#options;
    const payloads = pack(items, (part) => ({ t, node: nodeId, items: part }));
    void this.#quietly(db`select pg_notify(${CHANNEL}, p) from unnest(${payloads}::text[]) as p`);
  }

  #sendPreviews(): void {
    this.#previewTimer = undefined;
    const { nodeId, db } = this.#options;
    for (const { jobId, projectId, bytes, mediaType } of this.#previews.values()) {
      const payload = JSON.stringify({ t: "preview", node: nodeId, jobId, projectId });
      void this.#quietly(db`
        with old as (delete from job_previews where updated_at < now() - interval '1 minute' and job_id <> ${jobId}),
        kept as (
          insert into job_previews (job_id, media_type_id, bytes)
          select ${jobId}, id, ${bytes} from media_type where code = ${mediaType}
          on conflict (job_id) do update
             set media_type_id = excluded.media_type_id, bytes = excluded.bytes, updated_at = now())
        select pg_notify(${CHANNEL}, ${payload})`);
    }
    this.#previews.clear();
  }

  #hear(text: string): void {
    // Without a text the line was opened anew: what others follow is told again soon.
    if (text === "") return this.watch();
    const parsed = Signal.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.node === this.#options.nodeId) return;
    const signal = parsed.data;
    if (signal.t === "watch") {
      const until = performance.now() + WATCH_GOOD_MS;
      for (const topic of signal.topics) this.#watched.set(topic, until);
      for (const [topic, end] of this.#watched) if (end < performance.now()) this.#watched.delete(topic);
    } else if (signal.t === "progress") {
      for (const item of signal.items) this.#options.onProgress(item);
    } else if (signal.t === "vitals") {
      for (const item of signal.items) this.#options.onVitals(item);
    } else if (new Set(this.#options.topics()).has(topicOf(signal.projectId))) {
      void this.#read(signal.jobId, signal.projectId);
    }
  }

  /** One reading of a job's picture at a time: what comes meanwhile is read after it. */
  async #read(jobId: string, projectId: string | null): Promise<void> {
    const isReading = this.#reading.has(jobId);
    this.#reading.set(jobId, isReading);
    if (isReading) return;
    do {
      this.#reading.set(jobId, false);
      const rows = await this.#quietly(this.#options.db<{ mediaType: string; bytes: Uint8Array }[]>`
        select t.code as media_type, p.bytes from job_previews p join media_type t on t.id = p.media_type_id
         where p.job_id = ${jobId}`);
      for (const row of rows ?? []) this.#options.onPreview({ jobId, projectId, ...row });
    } while (this.#reading.get(jobId));
    this.#reading.delete(jobId);
  }

  /** The database may be away: what was to be said is out of date by the time it is back. */
  async #quietly<T>(work: PromiseLike<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.#options.log.debug("live news were not passed on", { reason: errorMessage(error) });
      return undefined;
    }
  }
}

/** `items` in as few messages as fit. */
function pack<T>(items: readonly T[], wrap: (part: readonly T[]) => unknown): string[] {
  const text = JSON.stringify(wrap(items));
  if (items.length < 2 || new TextEncoder().encode(text).length <= PAYLOAD_BYTES) return [text];
  const half = Math.ceil(items.length / 2);
  return [...pack(items.slice(0, half), wrap), ...pack(items.slice(half), wrap)];
}
