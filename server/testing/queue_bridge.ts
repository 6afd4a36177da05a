import type { Actor } from "#server/core/actor.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { Permission } from "#server/core/permissions.ts";
import { deadline } from "#server/core/time.ts";
import { type Db, transact } from "#server/db/db.ts";
import { listen } from "#server/db/listen.ts";
import { type LocalStore, openLocalStore } from "#server/files/local_store.ts";
import type { FileStore } from "#server/files/store.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import * as jobs from "#server/jobs/service.ts";
import { openTestDatabase, type TestDatabase } from "./test_database.ts";
import { FleetWatch } from "#workers/comfy/watch_fleet.ts";
import { FleetKeeper } from "#workers/queue/fleet.ts";
import { comfyHandlers } from "#workers/comfy/handlers.ts";
import type { Timings } from "#workers/comfy/timings.ts";
import { WorkerLinks } from "#workers/comfy/worker_link.ts";
import { CallServer } from "#workers/kit/thread.ts";
import { Dispatch } from "#workers/queue/dispatch.ts";
import { jobKinds } from "#workers/queue/kinds.ts";
import { JobQueue } from "#workers/queue/queue.ts";
import { QUICK, saveOne } from "#workers/comfy/testing/bridge.ts";

export interface JobRow {
  readonly status: string;
  readonly failures: number;
  readonly failureClass: string | null;
  readonly error: string | null;
  /** Each run that has ended, as "worker: class", or "worker: done". */
  readonly runs: readonly string[];
}

export interface WorkerRow {
  readonly status: string;
  readonly lastError: string | null;
}

export interface QueueBridgeOptions {
  /** Where results go instead of the store. */
  readonly storeOf?: (store: LocalStore) => FileStore;
  /** Workers are looked after too: their rows say how they are, and the watch-dog is there. */
  readonly isWatched?: boolean;
  /** How long the bridge waits for what; short unless said. */
  readonly timings?: Timings;
  /** Waits between two tries of a job are as in the studio; else there are none. */
  readonly isPatient?: boolean;
  /** How long until() waits at most. */
  readonly untilMs?: number;
}

const UNTIL_MS = 90_000;

/** The real queue on a database of its own and the real bridge, joined as in the studio, with waits made short. */
export class QueueBridge implements AsyncDisposable {
  readonly #database: TestDatabase;
  readonly #dispatch = new Dispatch(silentLog);
  readonly #nodeId = newId<"node">();
  readonly #links: WorkerLinks;
  readonly #queue: JobQueue;
  readonly #calls: CallServer;
  readonly #admin: Actor;
  readonly #untilMs: number;
  readonly #watch: FleetWatch | undefined;
  readonly #keeper: FleetKeeper | undefined;

  constructor(database: TestDatabase, readonly store: LocalStore, admin: Actor, options: QueueBridgeOptions) {
    this.#database = database;
    this.#admin = admin;
    this.#untilMs = options.untilMs ?? UNTIL_MS;
    this.#links = new WorkerLinks(options.timings ?? QUICK, silentLog);
    this.#queue = new JobQueue({
      db: database.db,
      node: { id: this.#nodeId, host: crypto.randomUUID(), pid: Deno.pid, version: "test" },
      log: silentLog,
      kinds: jobKinds,
      settlements: [],
      slots: { cpu: 1, io: 1, script: 1 },
      dispatch: this.#dispatch,
      isAlive: () => Promise.resolve(true),
      post: () => {},
      keepFleet: async () => await this.#keeper?.keep(),
    });
    if (options.isWatched) {
      this.#watch = new FleetWatch({
        links: this.#links,
        log: silentLog,
        tell: (about, data) => this.#keeper?.hear(about, data),
        onVitals: () => {},
      });
      this.#keeper = new FleetKeeper({
        db: database.db,
        log: silentLog,
        nodeId: this.#nodeId,
        host: "test",
        tell: (about, data) => void this.#watch?.hear(about, data),
        onReady: () => this.#queue.wake(),
        takeBack: (workerId, why) => this.#queue.takeBack(workerId, why),
      });
    }
    const { port1, port2 } = new MessageChannel();
    const handlers = comfyHandlers(this.#links);
    this.#calls = new CallServer({ handlers, store: options.storeOf?.(store) ?? store }, port2);
    this.#dispatch.attach("comfy", port1);
  }

  static async open(options: QueueBridgeOptions = {}): Promise<QueueBridge> {
    const database = await openTestDatabase();
    if (!options.isPatient) await database.db`update failure_class set backoff_ms = 1`;
    const store = await openLocalStore(await Deno.makeTempDir({ prefix: "seedloop-classes-" }));
    const userId = await givenUser(database.db);
    const admin: Actor = { userId, roleCode: "admin", permissions: new Set(Permission.options) };
    const opened = new QueueBridge(database, store, admin, options);
    await opened.#queue.start();
    return opened;
  }

  get db(): Db {
    return this.#database.db;
  }

  /** A worker of this process, with so much GPU memory as it would have told. */
  async addWorker(name: string, url: string, vramBytes?: number, status = "online"): Promise<string> {
    const id = newId<"worker">();
    await this.db`
      insert into workers (id, name, kind_id, status_id, url, owner_node_id)
      select ${id}, ${name}, k.id, s.id, ${url}, ${this.#nodeId}
        from worker_kind k, worker_status s where k.code = 'comfyui' and s.code = ${status}`;
    if (vramBytes !== undefined) {
      await this.db`
        insert into worker_devices (worker_id, position, name, vram_total_bytes)
        values (${id}, 0, 'GPU', ${vramBytes})`;
    }
    await this.#keeper?.keep();
    this.#queue.wake();
    return id;
  }

  async setWorkerStatus(workerId: string, status: string): Promise<void> {
    await this.db`
      update workers set status_id = (select id from worker_status where code = ${status}) where id = ${workerId}`;
    this.#queue.wake();
  }

  /** Another user, whose jobs stand beside the first one's. */
  async addUser(): Promise<string> {
    return await givenUser(this.db);
  }

  /** Submits one generation; by default the least graph that leaves a file. */
  async submit(input: Partial<jobs.GenerateRequest> = {}, userId = this.#admin.userId): Promise<string> {
    return await transact(this.db, (tx) =>
      jobs.submitJob(tx, {
        kind: generate,
        input: { graph: saveOne(), uploads: [], outputNodes: ["2"], ...input },
        projectId: null,
        userId,
      }));
  }

  async retry(jobId: string): Promise<void> {
    await jobs.retryJob(this.db, this.#admin, jobId);
  }

  /** Why the job waits, as a person is told. */
  async explain(jobId: string): Promise<string | null> {
    return (await jobs.getJob(this.db, this.#admin, jobId)).waitsFor;
  }

  async cancel(jobId: string): Promise<void> {
    await jobs.cancelJob(this.db, this.#admin, jobId, { withDependents: false });
  }

  async find(jobId: string): Promise<JobRow> {
    const [row] = await this.db<JobRow[]>`
      select s.code as status, j.failures, f.code as failure_class, j.error,
             array(select w.name || ': ' || coalesce(c.code, o.code) from job_attempts a
                     join attempt_outcome o on o.id = a.outcome_id
                     left join workers w on w.id = a.worker_id left join failure_class c on c.id = a.failure_class_id
                    where a.job_id = j.id order by a.number) as runs
        from jobs j join job_status s on s.id = j.status_id left join failure_class f on f.id = j.failure_class_id
       where j.id = ${jobId}`;
    if (!row) throw new Error(`There is no job ${jobId}`);
    return row;
  }

  /** How a worker stands. */
  async findWorker(workerId: string): Promise<WorkerRow> {
    const [row] = await this.db<WorkerRow[]>`
      select s.code as status, w.last_error from workers w join worker_status s on s.id = w.status_id
       where w.id = ${workerId}`;
    if (!row) throw new Error(`There is no worker ${workerId}`);
    return row;
  }

  async untilWorker(workerId: string, holds: (row: WorkerRow) => boolean): Promise<WorkerRow> {
    return await this.#untilRow(() => this.findWorker(workerId), holds);
  }

  /** The job once `holds`, looked at after each event; a job that never gets there fails with how it stands. */
  async until(jobId: string, holds: (row: JobRow) => boolean): Promise<JobRow> {
    return await this.#untilRow(() => this.find(jobId), holds);
  }

  async #untilRow<T>(find: () => Promise<T>, holds: (row: T) => boolean): Promise<T> {
    const met = Promise.withResolvers<T>();
    let last: T | undefined;
    const check = () =>
      void find().then((row) => {
        last = row;
        if (holds(row)) met.resolve(row);
      }, met.reject);
    const listener = await listen(this.db, "seedloop_events", silentLog, check);
    check();
    try {
      return await deadline(
        met.promise,
        this.#untilMs,
        () => new Error(`It never came: ${JSON.stringify(last)}`),
      );
    } finally {
      await listener.close();
    }
  }

  /** The job once it is done, has failed or was cancelled. */
  async end(jobId: string): Promise<JobRow> {
    return await this.until(jobId, ({ status }) => ["done", "failed", "cancelled"].includes(status));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.stop();
    this.#calls.stopAll("handed_back");
    await this.#calls.drained();
    await this.#watch?.close();
    await this.#keeper?.keep();
    await this.#links.close();
    this.#dispatch.close();
    await this.#database[Symbol.asyncDispose]();
    await Deno.remove(this.store.root, { recursive: true });
  }
}

async function givenUser(db: Db): Promise<string> {
  const id = newId<"user">();
  await db`insert into users (id, login, display_name, role_id, status_id) values (${id}, ${id}, 'Ada', 1, 2)`;
  return id;
}
