import { join } from "node:path";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { connect, type Db, transact } from "#server/db/db.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { type ApiGraph, generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import { freePort, StudioProcess } from "#tasks/e2e/studio_process.ts";

/** How long anything may take until it counts as never. */
const PATIENCE_MS = 180_000;

/** What a job has become. */
export interface JobTruth {
  readonly status: string;
  readonly error: string | null;
  /** The id of each attempt, which is its prompt's, and how it ended. */
  readonly attempts: readonly { readonly id: string; readonly outcome: string | null }[];
  readonly outputs: readonly string[];
}

/** Two studio processes, each with a data folder and a port of its own, on one PostgreSQL and one media folder. */
export class TwoStudios implements AsyncDisposable {
  readonly db: Db;
  readonly store: string;
  readonly #folder: string;
  readonly #databaseUrl: string;
  readonly #stopDatabase: (() => Promise<void>) | undefined;
  readonly #studios: StudioProcess[] = [];

  /** On a PostgreSQL of its own, or on the given one. */
  static async open(databaseUrl?: string): Promise<TwoStudios> {
    const folder = await Deno.makeTempDir({ prefix: "seedloop_two_" });
    await Deno.chmod(folder, 0o755);
    const postgres = databaseUrl === undefined
      ? await startEmbeddedPostgres({ dir: join(folder, "pg"), log: silentLog })
      : undefined;
    const two = new TwoStudios(
      folder,
      postgres?.url ?? databaseUrl ?? "",
      postgres && (() => postgres.stop()),
    );
    for (const at of [0, 1]) two.#studios.push(two.#launch(at));
    for (const studio of two.#studios) await two.#waitUntilUp(studio);
    return two;
  }

  private constructor(folder: string, databaseUrl: string, stopDatabase: (() => Promise<void>) | undefined) {
    this.#folder = folder;
    this.#databaseUrl = databaseUrl;
    this.#stopDatabase = stopDatabase;
    this.store = join(folder, "media");
    this.db = connect({ url: databaseUrl, max: 3 });
  }

  get urls(): string[] {
    return this.#studios.map(({ url }) => url);
  }

  /** The one-time link that makes the first admin: of the process that was last to offer one. */
  get firstAdminUrls(): string[] {
    return this.#studios.flatMap(({ firstAdminUrl }) => firstAdminUrl ?? []);
  }

  /** The one ComfyUI of the studio: the CPU engines are taken out of its way. */
  async addWorker(url: string): Promise<void> {
    await this.until("the engines are there", async () => {
      const [row] = await this.db<{ n: number }[]>`select count(*)::integer as n from workers`;
      return row?.n === 2;
    });
    await this.db`update workers set status_id = (select id from worker_status where code = 'disabled')`;
    await this.db`
      insert into workers (id, name, kind_id, status_id, url)
      select ${newId()}, 'Box', k.id, s.id, ${url} from worker_kind k, worker_status s
       where k.code = 'comfyui' and s.code = 'unknown'`;
    await this.db`select pg_notify('seedloop_jobs', 'fleet')`;
    await this.until("the worker is online", async () => {
      const rows = await this.db`
        select 1 from workers w join worker_status s on s.id = w.status_id where w.name = 'Box' and s.code = 'online'`;
      return rows.length > 0;
    });
  }

  async submit(graph: ApiGraph, outputNodes: readonly string[]): Promise<string> {
    const input = { graph, uploads: [], outputNodes: [...outputNodes] };
    return await transact(
      this.db,
      (tx) => submitJob(tx, { kind: generate, input, projectId: null, userId: null }),
    );
  }

  async readJob(jobId: string): Promise<JobTruth> {
    const [job] = await this.db<{ status: string; error: string | null; hashes: string[] }[]>`
      select s.code as status, j.error,
             array(select o #>> '{file,hash}' from jsonb_array_elements(j.output -> 'outputs') o) as hashes
        from jobs j join job_status s on s.id = j.status_id where j.id = ${jobId}`;
    const attempts = await this.db<{ id: string; outcome: string | null }[]>`
      select a.id, o.code as outcome from job_attempts a left join attempt_outcome o on o.id = a.outcome_id
       where a.job_id = ${jobId} order by a.number`;
    return { status: job?.status ?? "", error: job?.error ?? null, attempts, outputs: job?.hashes ?? [] };
  }

  /** Which of the two drives the worker now. */
  async findOwner(): Promise<number> {
    const [row] = await this.db<{ pid: number }[]>`
      select n.pid from workers w join server_nodes n on n.id = w.owner_node_id where w.name = 'Box'`;
    return this.#studios.findIndex(({ pid }) => pid === row?.pid);
  }

  /** Whether process `at` has beaten since `since`, by the database's clock. */
  async hasBeaten(at: number, since: string): Promise<boolean> {
    const rows = await this.db`
      select 1 from server_nodes where pid = ${this.#studios[at]?.pid ?? 0} and heartbeat_at > ${since}`;
    return rows.length > 0;
  }

  async now(): Promise<string> {
    const [row] = await this.db<{ now: string }[]>`select now()`;
    return row?.now ?? "";
  }

  signal(at: number, name: Deno.Signal): void {
    const pid = this.#studios[at]?.pid;
    if (pid !== undefined) Deno.kill(pid, name);
  }

  /** Starts process `at` again once it has ended, on its old folder and port. */
  async revive(at: number): Promise<void> {
    const dead = this.#studios[at];
    if (!dead) throw new RangeError(`There is no process ${at}`);
    await this.until("the process has ended", () => Promise.resolve(dead.isEnded));
    const studio = this.#studios[at] = this.#launch(at, Number(new URL(dead.url).port));
    await this.#waitUntilUp(studio);
  }

  /** Ends the database as a crash would; it comes back at the same address by itself. */
  async crashDatabase(): Promise<void> {
    const pid = (await Deno.readTextFile(join(this.#folder, "pg", "postmaster.pid"))).split("\n")[0];
    Deno.kill(Number(pid), "SIGQUIT");
  }

  /** Looks again and again, also while the database is away; throws when it never holds. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !await holds().catch(() => false);) {
      if (Date.now() > end) {
        throw new Error(
          `Never: ${what}\n${this.#studios.map(({ said }) => said.slice(-3_000)).join("\n---\n")}`,
        );
      }
      await delay(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const studio of this.#studios) await studio.kill();
    await this.db.end({ timeout: 2 });
    await this.#stopDatabase?.();
    // Children of a killed studio live for up to two seconds more and may be writing there.
    for (let tries = 0; tries < 50; tries++) {
      const isGone = await Deno.remove(this.#folder, { recursive: true }).then(() => true, () => false);
      if (isGone) return;
      await delay(100);
    }
  }

  #launch(at: number, port = freePort()): StudioProcess {
    const env = { DATABASE_URL: this.#databaseUrl, SEEDLOOP_STORE: this.store, SEEDLOOP_LOG_LEVEL: "warn" };
    return new StudioProcess({ data: join(this.#folder, `data_${at}`), port, env });
  }

  async #waitUntilUp(studio: StudioProcess): Promise<void> {
    if (!await studio.isUp()) throw new Error(`The studio did not start:\n${studio.said}`);
  }
}
