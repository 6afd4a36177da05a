import { signal } from "@lit-labs/signals";
import type { WorkerImpact } from "#server/fleet/contract.ts";
import { fleet } from "./fleet_store.ts";

/** A worker that one is about to remove, and what that would do; undefined until the studio has told. */
export interface Removal {
  readonly workerId: string;
  readonly impact: WorkerImpact | undefined;
}

const asked = signal<Removal | undefined>(undefined);

export function removalAsked(): Removal | undefined {
  return asked.get();
}

/** Shows what the removal would affect, before anything is done. Throws ApiError. */
export async function askToRemove(workerId: string): Promise<void> {
  asked.set({ workerId, impact: undefined });
  try {
    const impact = await fleet.readImpact(workerId);
    if (asked.get()?.workerId === workerId) asked.set({ workerId, impact });
  } catch (error) {
    asked.set(undefined);
    throw error;
  }
}

export function keepWorker(): void {
  asked.set(undefined);
}
