import type * as z from "zod/mini";
import { AppError } from "#server/core/errors.ts";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { addAsset, insertDerivative } from "#server/assets/service.ts";
import type { Tx } from "#server/db/db.ts";
import { submitJob } from "#server/jobs/service.ts";
import { workOf } from "#server/core/work.ts";
import type { JobFailure, SettledJob } from "#server/jobs/settle.ts";
import { announce } from "#server/live/announce.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import { type Clip, type Cut, cutChanged } from "./contract.ts";
import * as cuts from "./cut_queries.ts";
import { actOnGate } from "./gate_cut.ts";
import { measureCut, type stitchCut } from "./job_kinds.ts";
import { knownLikeness } from "./known_likeness.ts";
import { announceClip, needAttention } from "./loop.ts";
import { saveCutMeasures } from "./measure_queries.ts";
import * as queries from "./queries.ts";

/*
 * A cut's way: stitched → measured → ready. Each step queues the next in the transaction that ends its job.
 */

type Job = SettledJob<unknown>;

export async function onCutStitched(
  tx: Tx,
  job: Job,
  made: z.output<typeof stitchCut["output"]>,
): Promise<void> {
  const open = await findOpenCut(tx, job, "stitching");
  if (!open) return;
  const { cut, clip } = open;
  if (made.frameCount !== cut.frames || made.boundaries.length !== cut.parts.length) {
    const reason = `it has ${made.frameCount} frames in ${made.boundaries.length} parts, ` +
      `where ${cut.frames} in ${cut.parts.length} were asked`;
    return await failCut(tx, cut, clip, reason);
  }
  await keepCut(tx, job, cut, clip, made);
  const known = await knownLikeness(tx, cut, clip, made.boundaries);
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  const shared = { projectId: clip.projectId, userId: job.userId };
  // The cut's technical facts must be known by the time someone can finalize it: video_metadata carries them.
  const inspection = await submitJob(tx, {
    ...shared,
    kind: inspectMedia,
    input: { file: made.cut, fileName: `${nameOf(cut, clip)}.mp4` },
    subject: { fileHash: made.cut.hash },
  });
  await submitJob(tx, {
    ...shared,
    kind: measureCut,
    work: workOf({ width: cut.widthPx, height: cut.heightPx, frames: made.frameCount }),
    needs: [inspection],
    input: {
      intermediate: made.intermediate,
      rate: cut.rate,
      frameCount: made.frameCount,
      boundaries: made.boundaries,
      ...(known ? { known } : {}),
      ...(portrait ? { portrait } : {}),
    },
    subject: { cutId: cut.id },
  });
  await announceCut(tx, cut.id, clip);
}

async function keepCut(
  tx: Tx,
  job: Job,
  cut: Cut,
  clip: Clip,
  made: z.output<typeof stitchCut["output"]>,
): Promise<void> {
  const name = nameOf(cut, clip);
  const shared = { projectId: clip.projectId, createdById: job.userId, retention: "keep" as const };
  const assetId = await addAsset(tx, { ...shared, file: made.cut, kind: "cut", name: `${name}.mp4` });
  const intermediate = { ...shared, file: made.intermediate, kind: "cut_intermediate" as const, name };
  const intermediateAssetId = await addAsset(tx, intermediate);
  for (const hash of [made.cut.hash, made.intermediate.hash]) {
    await insertDerivative(tx, hash, "proxy", made.proxy);
    await insertDerivative(tx, hash, "poster", made.poster);
    await insertDerivative(tx, hash, "sprite", made.sprite, made.spriteLayout);
  }
  for (const [index, firstFrame] of made.boundaries.entries()) {
    await cuts.setBoundary(tx, cut.id, index + 1, firstFrame);
  }
  await cuts.updateCut(tx, cut.id, { assetId, intermediateAssetId });
  await cuts.setCutStatus(tx, cut.id, "measuring");
}

export async function onCutMeasured(
  tx: Tx,
  job: Job,
  measured: z.output<typeof measureCut["output"]>,
): Promise<void> {
  const open = await findOpenCut(tx, job, "measuring");
  if (!open) return;
  const { cut, clip } = open;
  await saveCutMeasures(tx, cut.id, measured);
  await cuts.setCutStatus(tx, cut.id, "ready");
  await cuts.supersedeOlder(tx, clip.id, cut.id);
  await actOnGate(tx, job, cut, clip, measured);
  await announceCut(tx, cut.id, clip);
  await announceClip(tx, clip);
}

export async function onCutFailed(tx: Tx, job: Job, failure: JobFailure): Promise<void> {
  const open = await findOpenCut(tx, job);
  if (open) await failCut(tx, open.cut, open.clip, failure.message);
}

async function failCut(tx: Tx, cut: Cut, clip: Clip, reason: string): Promise<void> {
  await cuts.setCutStatus(tx, cut.id, "failed", reason);
  await announceCut(tx, cut.id, clip);
  await needAttention(tx, clip, `The cut could not be made: ${reason}`);
}

/** A person has queued it again. Throws AppError("conflict") when the clip has gone on without this cut. */
export async function onCutRetried(tx: Tx, job: Job, status: "stitching" | "measuring"): Promise<void> {
  const found = await lockCut(tx, job);
  if (found?.cut.status !== "failed") return;
  const { cut, clip } = found;
  const newest = (await cuts.listCuts(tx, clip.id)).at(-1);
  if (clip.status !== "needs_attention" || newest?.id !== cut.id) {
    throw new AppError(
      "conflict",
      "Cannot retry this cut: the clip has gone on without it. Stitch a new one instead",
    );
  }
  await cuts.setCutStatus(tx, cut.id, status);
  await queries.setClipStatus(tx, clip.id, "stitching");
  await announceCut(tx, cut.id, clip);
  await announceClip(tx, clip);
}

async function findOpenCut(tx: Tx, job: Job, status?: Cut["status"]) {
  const found = await lockCut(tx, job);
  if (!found) return undefined;
  const isOpen = status ? found.cut.status === status : ["stitching", "measuring"].includes(found.cut.status);
  return isOpen ? found : undefined;
}

async function lockCut(tx: Tx, job: Job): Promise<{ cut: Cut; clip: Clip } | undefined> {
  const clipId = job.cutId ? (await cuts.findCut(tx, job.cutId))?.clipId : undefined;
  if (!job.cutId || !clipId) return undefined;
  await queries.lockClip(tx, clipId);
  const cut = await cuts.findCut(tx, job.cutId);
  const clip = await queries.findClip(tx, clipId);
  return cut && clip ? { cut, clip } : undefined;
}

function nameOf(cut: Cut, clip: Clip): string {
  return `${clip.name} v${String(cut.number).padStart(3, "0")}`;
}

async function announceCut(tx: Tx, cutId: string, clip: Clip): Promise<void> {
  await announce(tx, cutChanged, `project:${clip.projectId}`, { cutId, clipId: clip.id });
}
