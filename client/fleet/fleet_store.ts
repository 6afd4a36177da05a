import { call } from "#client/core/call.ts";
import { type Live, live } from "#client/core/live.ts";
import { inNameOrder } from "#client/core/order.ts";
import { orGone, Store } from "#client/core/store.ts";
import type { LiveEvent } from "#server/core/event.ts";
import {
  addWorker,
  changeWorker,
  disableWorker,
  drainWorker,
  enableWorker,
  getHostVitals,
  getWorker,
  getWorkerImpact,
  getWorkerProfile,
  getWorkerVitals,
  HostVitals,
  listWorkerCommands,
  listWorkerOrders,
  listWorkers,
  orderWorker,
  removeWorker,
  removeWorkerCommand,
  setWorkerCommand,
  setWorkerRules,
  testWorker,
  type Worker,
  workerChanged,
  type WorkerCommand,
  type WorkerCommandInput,
  type WorkerCommandKind,
  type WorkerDetail,
  type WorkerImpact,
  type WorkerInput,
  type WorkerOrder,
  type WorkerOrderKind,
  type WorkerProbe,
  type WorkerProfile,
  type WorkerRules,
  WorkerVitals,
} from "#server/fleet/contract.ts";

type WorkerChange = { name?: string; url?: string; maxParallel?: number };

/** The workers, and what an admin does with them. */
export class FleetStore {
  readonly #store: Store<Worker>;
  readonly #live: Pick<Live, "listen" | "state">;

  constructor(live: Pick<Live, "listen" | "state">) {
    this.#live = live;
    this.#store = new Store<Worker>({
      idOf: ({ id }) => id,
      list: async () => (await call(listWorkers)).items,
      read: (id) => orGone(call(getWorker, { params: { workerId: id as Worker["id"] } })),
      topics: () => ["fleet"],
      concerns,
      order: (one, other) => inNameOrder(one.name, other.name),
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

  /** What taking it away, or an order, would do to the queue. Throws ApiError. */
  async readImpact(workerId: string, order?: WorkerOrderKind): Promise<WorkerImpact> {
    return await call(getWorkerImpact, { params: paramsOf(workerId), query: order ? { order } : {} });
  }

  /** What was done to it lately, newest first. Throws ApiError. */
  async readOrders(workerId: string): Promise<readonly WorkerOrder[]> {
    return (await call(listWorkerOrders, { params: paramsOf(workerId) })).items;
  }

  /** Has something done to it, by whoever drives it. Throws ApiError. */
  async order(workerId: string, order: WorkerOrderKind): Promise<void> {
    await call(orderWorker, { params: paramsOf(workerId), body: { order } });
  }

  async readProfile(workerId: string): Promise<WorkerProfile> {
    return await call(getWorkerProfile, { params: paramsOf(workerId) });
  }

  async readCommands(workerId: string): Promise<readonly WorkerCommand[]> {
    return (await call(listWorkerCommands, { params: paramsOf(workerId) })).items;
  }

  async setRules(workerId: string, rules: WorkerRules): Promise<WorkerDetail> {
    return await call(setWorkerRules, { params: paramsOf(workerId), body: rules });
  }

  async setCommand(workerId: string, kind: WorkerCommandKind, command: WorkerCommandInput): Promise<void> {
    await call(setWorkerCommand, { params: { ...paramsOf(workerId), kind }, body: command });
  }

  async removeCommand(workerId: string, kind: WorkerCommandKind): Promise<void> {
    await call(removeWorkerCommand, { params: { ...paramsOf(workerId), kind } });
  }

  /** Its vitals: each second of ten minutes, each minute of a day. Throws ApiError. */
  async readVitals(
    workerId: string,
  ): Promise<{ readonly seconds: readonly WorkerVitals[]; readonly minutes: readonly WorkerVitals[] }> {
    return await call(getWorkerVitals, { params: paramsOf(workerId) });
  }

  async readHostVitals(): Promise<
    {
      readonly host: string;
      readonly seconds: readonly HostVitals[];
      readonly minutes: readonly HostVitals[];
    }
  > {
    return await call(getHostVitals);
  }

  /** Hears each second how the worker is, until the returned function is called. */
  followVitals(workerId: string, hear: (vitals: WorkerVitals) => void): () => void {
    return this.#live.listen({
      topics: ["fleet"],
      vitals: (subject, vitals) => {
        const read = subject === workerId ? WorkerVitals.safeParse(vitals) : undefined;
        if (read?.success) hear(read.data);
      },
    });
  }

  /** Hears each second how the studio's own machine is, until the returned function is called. */
  followHost(hear: (vitals: HostVitals) => void): () => void {
    return this.#live.listen({
      topics: ["fleet"],
      vitals: (subject, vitals) => {
        const read = subject === "host" ? HostVitals.safeParse(vitals) : undefined;
        if (read?.success) hear(read.data);
      },
    });
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

function paramsOf(workerId: string): { workerId: Worker["id"] } {
  // What is shown came from the studio, with its id.
  return { workerId: workerId as Worker["id"] };
}

function concerns({ code, data }: LiveEvent): readonly string[] | undefined {
  if (code !== workerChanged.code) return undefined;
  const read = workerChanged.data.safeParse(data);
  return read.success ? [read.data.workerId] : undefined;
}

/** The workers of this studio. */
export const fleet: FleetStore = new FleetStore(live);
