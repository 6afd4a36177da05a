import type { Handler } from "#workers/kit/handle.ts";
import type { VisionPool } from "./child_pool.ts";
import { measureCutHandler } from "./jobs/measure_cut.ts";
import { measureSeedHandler } from "./jobs/measure_seed.ts";
import { measureTakeHandler } from "./jobs/measure_take.ts";

/** All that the vision thread can do, on the given pool of children. */
export function visionHandlers(pool: VisionPool): Handler[] {
  return [measureSeedHandler(pool), measureTakeHandler(pool), measureCutHandler(pool)];
}
