import { inspectMedia, makeProxy } from "#server/assets/job_kinds.ts";
import { ingestTake, measureCut, measureTake, stitchCut } from "#server/clips/job_kinds.ts";
import type { JobKind } from "#server/core/job_kind.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { assembleMaster } from "#server/scenes/job_kinds.ts";
import { measureSeed } from "#server/seeds/job_kinds.ts";

/** Every kind of job there is; a test keeps it equal to the rows of `job_kind`. */
export const jobKinds: readonly JobKind[] = [
  generate,
  inspectMedia,
  makeProxy,
  measureSeed,
  ingestTake,
  measureTake,
  stitchCut,
  measureCut,
  assembleMaster,
];
