import { call } from "#client/core/call.ts";
import { type Live, live } from "#client/core/live.ts";
import { orGone, Store } from "#client/core/store.ts";
import type { LiveEvent } from "#server/core/event.ts";
import {
  addWorker,
  changeWorker,
  disableWorker,
  drainWorker,
  enableWorker,
  getWorker,
  getWorkerImpact,
  listWorkers,
  removeWorker,
  testWorker,
  type Worker,
  workerChanged,
  type WorkerDetail,
  type WorkerImpact,
  type WorkerInput,
  type WorkerProbe,
} from "#server/fleet/contract.ts";

type WorkerChange = { name?: string; url?: string; maxParallel?: number };

/** The workers, and what an admin does with them. */
export class FleetStore {
  readonly #store: Store<Worker>;

  constructor(live: Pick<Live, "listen" | "state">) {
    this.#store = new Store<Worker>({
      idOf: ({ id }) => id,
      list: async () => (await call(listWorkers)).items,
      read: (id) => orGone(call(getWorker, { params: { workerId: id as Worker["id"] } })),
      topics: () => ["fleet"],
      concerns,
      order: (one, other) => one.name.localeCompare(other.name),
    }, live);
  }

  get all(): readonly Worker[] {
    return this.#store.items;
  }

  get reading(): Pick<Store<Worker>, "isKnown" | "isStale" | "problem"> {
    return this.#store;
  }

  find(workerId: string): Worker | undefined {
    return this.#store.find(workerId);
  }

  isPending(workerId: string): boolean {
    return this.#store.isPending(workerId);
  }

  open(): () => void {
    return this.#store.open();
  }

  async read(): Promise<void> {
    await this.#store.read();
  }

  /** A worker with what it can run and what it lacks. Throws ApiError. */
  async readDetail(workerId: string): Promise<WorkerDetail> {
    return await call(getWorker, { params: { workerId: workerId as Worker["id"] } });
  }

  /** What taking it away would do to the queue. Throws ApiError. */
  async readImpact(workerId: string): Promise<WorkerImpact> {
    return await call(getWorkerImpact, { params: { workerId: workerId as Worker["id"] } });
  }

  /** Looks at a server without registering it. Throws ApiError when the address itself is no good. */
  async test(url: string): Promise<WorkerProbe> {
    return await call(testWorker, { body: { url } });
  }

  async add(input: WorkerInput): Promise<Worker> {
    const worker = await call(addWorker, { body: input });
    this.#store.put(worker);
    return worker;
  }

  async change(workerId: string, change: WorkerChange): Promise<void> {
    await this.#store.act(
      workerId,
      (worker) => worker && { ...worker, ...change },
      () => call(changeWorker, { params: { workerId: workerId as Worker["id"] }, body: change }),
    );
  }

  async setStatus(workerId: string, status: "enable" | "drain" | "disable"): Promise<void> {
    const params = { workerId: workerId as Worker["id"] };
    const shown = { enable: "unknown", drain: "draining", disable: "disabled" } as const;
    const endpoint = { enable: enableWorker, drain: drainWorker, disable: disableWorker }[status];
    await this.#store.act(
      workerId,
      (worker) => worker && { ...worker, status: shown[status] },
      () => call(endpoint, { params }),
    );
  }

  async remove(workerId: string): Promise<void> {
    await this.#store.act(
      workerId,
      () => undefined,
      () => call(removeWorker, { params: { workerId: workerId as Worker["id"] } }),
    );
  }
}

function concerns({ code, data }: LiveEvent): readonly string[] | undefined {
  if (code !== workerChanged.code) return undefined;
  const read = workerChanged.data.safeParse(data);
  return read.success ? [read.data.workerId] : undefined;
}

/** The workers of this studio. */
export const fleet: FleetStore = new FleetStore(live);
