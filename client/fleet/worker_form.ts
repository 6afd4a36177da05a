import { ApiError } from "#client/core/call.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { tell } from "#client/core/notices.ts";
import { select } from "#client/core/place.ts";
import type { WorkerProbe } from "#server/fleet/contract.ts";
import { noteRegistered } from "./changes.ts";
import { fleet } from "./fleet_store.ts";
import { w } from "./words.ts";

/** What one is about to register, and what a look at it gave. */
export interface WorkerForm {
  readonly url: string;
  readonly name: string;
  readonly isTesting: boolean;
  /** Of the address as it stands; undefined until it was tested. */
  readonly probe: WorkerProbe | undefined;
  readonly problem: ApiError | undefined;
}

const EMPTY: WorkerForm = { url: "", name: "", isTesting: false, probe: undefined, problem: undefined };
const form = keptSignal<WorkerForm | undefined>("workers_form", undefined, {
  toKeep: (now) => now && { ...now, isTesting: false, problem: undefined },
});

/** Undefined while it is closed. */
export function workerForm(): WorkerForm | undefined {
  return form.get();
}

export function openWorkerForm(): void {
  form.set(form.get() ?? EMPTY);
}

export function closeWorkerForm(): void {
  form.set(undefined);
}

/** What is typed; another address is another server, so what the last one said is forgotten. */
export function typeWorker(change: { readonly url?: string; readonly name?: string }): void {
  const before = form.get() ?? EMPTY;
  const isOther = change.url !== undefined && change.url !== before.url;
  form.set({ ...before, ...change, ...(isOther ? { probe: undefined, problem: undefined } : {}) });
}

/** Looks at the server. What it says stands in the form, refusals of the address too. */
export async function testForm(): Promise<void> {
  const { url } = form.get() ?? EMPTY;
  form.set({ ...form.get() ?? EMPTY, isTesting: true, probe: undefined, problem: undefined });
  const set = (result: Partial<WorkerForm>) => {
    const now = form.get();
    if (now?.url === url) form.set({ ...now, isTesting: false, ...result });
  };
  try {
    const probe = await fleet.test(url);
    set({ probe });
    const { name } = form.get() ?? EMPTY;
    if (probe.isReachable && name === "") typeWorker({ name: hostOf(url) });
  } catch (error) {
    set({ problem: error instanceof ApiError ? error : new ApiError(0, "unknown", String(error)) });
  }
}

/** Registers it, and shows it. Throws ApiError. */
export async function addForm(): Promise<void> {
  const { url, name } = form.get() ?? EMPTY;
  const worker = await fleet.add({ url, name, maxParallel: 1 });
  closeWorkerForm();
  select("worker", [worker.id]);
  const text = w("added", { name: worker.name });
  const { maxParallel } = worker;
  const undo = noteRegistered(text, {
    worker: { name: worker.name, url: worker.url, maxParallel },
    isThere: true,
  });
  tell({ kind: "done", text, undo });
}

function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? "";
}
