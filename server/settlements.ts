import type * as z from "zod/mini";
import { inspectMedia, makeProxy } from "#server/assets/job_kinds.ts";
import { onGenerated } from "#server/assets/generated.ts";
import * as files from "#server/assets/inspection.ts";
import { ingestTake, measureCut, measureTake, stitchCut } from "#server/clips/job_kinds.ts";
import * as cutEnds from "#server/clips/settle_cut.ts";
import * as takeEnds from "#server/clips/settle_take.ts";
import type { JobKind } from "#server/core/job_kind.ts";
import type { Tx } from "#server/db/db.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import type { FileStore } from "#server/files/store.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import type { SettledJob, Settlement } from "#server/jobs/settle.ts";
import { assembleMaster } from "#server/scenes/job_kinds.ts";
import { onMasterAssembled, onMasterFailed, onMasterRetried } from "#server/scenes/service.ts";
import { measureSeed } from "#server/seeds/job_kinds.ts";
import * as seeds from "#server/seeds/settle.ts";

/** allSettlements() over the store in that folder. */
export async function openSettlements(storeRoot: string): Promise<Settlement[]> {
  return allSettlements(await openLocalStore(storeRoot));
}

/** Who is told when a job of each kind has ended: the slice for whose thing it was done. */
export function allSettlements(store: FileStore): Settlement[] {
  const takes = { failed: takeEnds.onTakeFailed, cancelled: takeEnds.onTakeCancelled };
  const cuts = {
    failed: cutEnds.onCutFailed,
    cancelled: (tx: Tx, job: SettledJob) =>
      cutEnds.onCutFailed(tx, job, { failureClass: "bad_input", message: "it was cancelled" }),
  };
  const stills = {
    failed: seeds.onSeedFailed,
    cancelled: seeds.onSeedCancelled,
    retried: seeds.onSeedRetried,
  };
  const uploads = {
    failed: files.onInspectionFailed,
    cancelled: (tx: Tx, job: SettledJob) =>
      files.onInspectionFailed(tx, job, { message: "It was cancelled" }),
    retried: files.onInspectionRetried,
  };
  return [
    settlement(generate, {
      done: (tx, job, output) => {
        if (job.seedId) return seeds.onSeedGenerated(tx, job, output);
        return job.takeId ? takeEnds.onTakeGenerated(tx, job, output) : onGenerated(tx, job, output);
      },
      failed: (tx, job, failure) =>
        job.seedId ? stills.failed(tx, job, failure) : takes.failed(tx, job, failure),
      cancelled: (tx, job) => job.seedId ? stills.cancelled(tx, job) : takes.cancelled(tx, job),
      retried: (tx, job) =>
        job.seedId ? stills.retried(tx, job) : takeEnds.onTakeRetried(tx, job, "generating"),
    }),
    settlement(inspectMedia, {
      done: (tx, job, output) =>
        job.seedId ? seeds.onSeedInspected(tx, job, output) : files.onFileInspected(tx, job, output),
      failed: (tx, job, failure) =>
        job.seedId ? stills.failed(tx, job, failure) : uploads.failed(tx, job, failure),
      cancelled: (tx, job) => job.seedId ? stills.cancelled(tx, job) : uploads.cancelled(tx, job),
      retried: (tx, job) => job.seedId ? stills.retried(tx, job) : uploads.retried(tx, job),
    }),
    settlement(measureSeed, {
      done: (tx, job, output) => seeds.onSeedMeasured({ tx, store }, job, output),
      ...stills,
    }),
    settlement(ingestTake, {
      done: takeEnds.onTakeIngested,
      ...takes,
      retried: (tx, job) => takeEnds.onTakeRetried(tx, job, "ingesting"),
    }),
    settlement(measureTake, {
      done: takeEnds.onTakeMeasured,
      ...takes,
      retried: (tx, job) => takeEnds.onTakeRetried(tx, job, "measuring"),
    }),
    settlement(stitchCut, {
      done: cutEnds.onCutStitched,
      ...cuts,
      retried: (tx, job) => cutEnds.onCutRetried(tx, job, "stitching"),
    }),
    settlement(measureCut, {
      done: cutEnds.onCutMeasured,
      ...cuts,
      retried: (tx, job) => cutEnds.onCutRetried(tx, job, "measuring"),
    }),
    settlement(assembleMaster, {
      done: onMasterAssembled,
      failed: onMasterFailed,
      cancelled: (tx, job) =>
        onMasterFailed(tx, job, { failureClass: "bad_input", message: "it was cancelled" }),
      retried: onMasterRetried,
    }),
    settlement(makeProxy, { done: files.onProxyMade, ...uploads }),
  ];
}

function settlement<I extends z.core.$ZodType, O extends z.core.$ZodType>(
  kind: JobKind<I, O>,
  ends: Omit<Settlement<I, O>, "kind">,
): Settlement {
  // The list holds kinds of many shapes; the queue hands each settlement only what its own kind has parsed.
  return { kind, ...ends } as unknown as Settlement;
}
