import { signal } from "@lit-labs/signals";
import type { WorkerImpact, WorkerOrderKind } from "#server/fleet/contract.ts";
import { fleet } from "./fleet_store.ts";

/** What one is about to have done to a worker, and what that would affect; undefined until the studio has told. */
export interface AskedOrder {
  readonly workerId: string;
  readonly order: WorkerOrderKind;
  readonly impact: WorkerImpact | undefined;
}

const asked = signal<AskedOrder | undefined>(undefined);

export function askedOrder(): AskedOrder | undefined {
  return asked.get();
}

/** Shows what the order would affect, before anything is done. Throws ApiError. */
export async function askForOrder(workerId: string, order: WorkerOrderKind): Promise<void> {
  asked.set({ workerId, order, impact: undefined });
  try {
    const impact = await fleet.readImpact(workerId, order);
    const now = asked.get();
    if (now?.workerId === workerId && now.order === order) asked.set({ workerId, order, impact });
  } catch (error) {
    asked.set(undefined);
    throw error;
  }
}

export function dropOrder(): void {
  asked.set(undefined);
}
