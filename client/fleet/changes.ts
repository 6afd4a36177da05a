import { type Note, undoable } from "#client/core/undoable.ts";
import type { Worker, WorkerInput } from "#server/fleet/contract.ts";
import { fleet } from "./fleet_store.ts";

type Change = Parameters<typeof fleet.setStatus>[1];

interface StatusFacts {
  readonly workerId: Worker["id"];
  readonly before: Change;
  readonly after: Change;
}

interface RegisterFacts {
  readonly worker: Pick<Worker, "name" | "url" | "maxParallel">;
  readonly isThere: boolean;
}

/** One that is registered again has another id: its address is what stays. */
async function register(
  { name, url, maxParallel }: RegisterFacts["worker"],
  isThere: boolean,
): Promise<void> {
  const known = fleet.all.find((one) => one.url === url);
  if (isThere && !known) await fleet.add({ name, url, maxParallel } satisfies WorkerInput);
  if (!isThere && known) await fleet.remove(known.id);
}

/** Notes that a worker was drained, disabled or is used again. Returns its undo. */
export const noteStatus: Note<StatusFacts> = undoable<StatusFacts>("workers.status", {
  undo: ({ workerId, before }) => fleet.setStatus(workerId, before),
  redo: ({ workerId, after }) => fleet.setStatus(workerId, after),
});

/** Notes that a worker was registered or taken away. Returns its undo. */
export const noteRegistered: Note<RegisterFacts> = undoable<RegisterFacts>("workers.register", {
  undo: ({ worker, isThere }) => register(worker, !isThere),
  redo: ({ worker, isThere }) => register(worker, isThere),
});
