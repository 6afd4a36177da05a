import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";

export interface FleetOptions {
  readonly db: Db;
  readonly log: Log;
  readonly nodeId: string;
  readonly tell: (about: string, data: unknown) => void;
}

/** Keeps the rows of workers true. */
export class FleetKeeper {
  constructor(_options: FleetOptions) {}
  onChange(_listener: () => void): void {}
  hear(_thread: string, _about: string, _data: unknown): void {}
  restate(): void {}
  async keep(): Promise<void> {}
}
