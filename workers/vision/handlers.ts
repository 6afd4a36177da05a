import type { Handler } from "#workers/kit/handle.ts";
import { openVisionPool, type VisionPoolOptions } from "./child_pool.ts";
import { measureCutHandler } from "./jobs/measure_cut.ts";
import { measureSeedHandler } from "./jobs/measure_seed.ts";
import { measureTakeHandler } from "./jobs/measure_take.ts";

/** The vision thread's handlers over one pool of children, which `stop` ends: parts of a thread. */
export interface VisionHandlers {
  readonly handlers: readonly Handler[];
  stop(): Promise<void>;
}

/** Binds every job kind of the vision thread. No child starts before there is work. */
export function visionHandlers(options: VisionPoolOptions = {}): VisionHandlers {
  const pool = openVisionPool(options);
  return {
    handlers: [measureSeedHandler(pool), measureTakeHandler(pool), measureCutHandler(pool)],
    stop: () => pool.close(),
  };
}
