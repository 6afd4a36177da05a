import type * as z from "zod/mini";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { addAsset, insertDerivative, insertProvenance } from "#server/assets/service.ts";
import type { Tx } from "#server/db/db.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import type { JobFailure, SettledJob } from "#server/jobs/settle.ts";
import { announce } from "#server/live/announce.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import { openVersion } from "#server/workflows/service.ts";
import { type Clip, cutChanged, takeChanged } from "./contract.ts";
import { type Gate, gateTake, referenceOf, type TakeReference } from "./gates.ts";
import { ingestTake, measureCut, measureTake, type stitchCut } from "./job_kinds.ts";
import { acceptedFrames, advance, announceClip, needAttention, openLoop, requestTake } from "./loop.ts";
import { findTakeCurves, findTakeLikeness, saveCutMeasures, saveTakeMeasures } from "./measure_queries.ts";
import { nextStep } from "./planner.ts";
import * as queries from "./queries.ts";

/*
 * A take's way: generated → ingested → measured → ready, rejected or asked about; a cut's: stitched → measured →
 * ready. Each step queues the next in the transaction that ends its job.
 */

type Job = SettledJob<unknown>;

export async function onTakeGenerated(
  tx: Tx,
  job: Job,
  made: z.output<typeof generate["output"]>,
): Promise<void> {
  const open = await findOpenTake(tx, job, "generating");
  if (!open) return;
  const { take, clip } = open;
  const input = job.input as z.output<typeof generate["input"]>;
  const files = made.outputs.map((output) => output.file);
  const first = made.outputs[0];
  if (!first) return;
  const rawAssetId = await addAsset(tx, {
    projectId: clip.projectId,
    file: first.file,
    kind: "take_raw",
    retention: "reclaimable",
    name: first.fileName,
    createdById: job.userId,
  });
  await insertProvenance(tx, rawAssetId, {
    jobId: job.id,
    workflowVersionId: job.workflowVersionId,
    workerId: job.workerId,
    software: made.software.name,
    softwareVersion: made.software.version,
    randomSeed: take.randomSeed,
    graph: made.graph,
    parameters: input.values,
    timings: made.timings,
    inputs: Object.fromEntries(
      input.uploads.map((upload, index) => [`upload_${index + 1}`, upload.file.hash]),
    ),
  });
  await queries.updateTake(tx, take.id, { rawAssetId });
  await queries.setTakeStatus(tx, take.id, "ingesting");
  await submitJob(tx, {
    kind: ingestTake,
    input: {
      files,
      rate: { num: take.rateNum, den: take.rateDen },
      expectedFrames: take.generateFrames,
      dropHead: take.dropHead,
    },
    projectId: clip.projectId,
    userId: job.userId,
    subject: { takeId: take.id },
  });
  await announceTake(tx, take, clip);
}

export async function onTakeIngested(
  tx: Tx,
  job: Job,
  made: z.output<typeof ingestTake["output"]>,
): Promise<void> {
  const open = await findOpenTake(tx, job, "ingesting");
  if (!open) return;
  const { take, clip } = open;
  const intermediateAssetId = await addAsset(tx, {
    projectId: clip.projectId,
    file: made.intermediate,
    kind: "take",
    retention: "keep",
    name: `${clip.name} V${take.segmentIndex} take ${take.number}`,
    createdById: job.userId,
  });
  await insertDerivative(tx, made.intermediate.hash, "proxy", made.proxy);
  await insertDerivative(tx, made.intermediate.hash, "poster", made.poster);
  await queries.updateTake(tx, take.id, {
    intermediateAssetId,
    frameCount: made.frameCount,
    widthPx: made.widthPx,
    heightPx: made.heightPx,
  });
  await queries.setTakeStatus(tx, take.id, "measuring");
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  await submitJob(tx, {
    kind: measureTake,
    input: {
      intermediate: made.intermediate,
      rate: { num: take.rateNum, den: take.rateDen },
      frameCount: made.frameCount,
      ...(portrait ? { portrait } : {}),
      end: { target: take.targetEnd, window: take.endWindow, exact: take.isEndExact },
      requireFace: clip.likenessFloor !== null,
    },
    projectId: clip.projectId,
    userId: job.userId,
    subject: { takeId: take.id },
  });
  await announceTake(tx, take, clip);
}

export async function onTakeMeasured(
  tx: Tx,
  job: Job,
  measured: z.output<typeof measureTake["output"]>,
): Promise<void> {
  const open = await findOpenTake(tx, job, "measuring");
  if (!open) return;
  const { take, clip } = open;
  const { end, endImage, curves, likeness } = measured;
  await saveTakeMeasures(tx, take.id, curves, likeness);
  if (!end || !endImage) {
    await failTake(tx, take, clip, "No frame of the take can be its end: make it again or change its prompt");
    return;
  }
  const endImageAssetId = await addAsset(tx, {
    projectId: clip.projectId,
    file: endImage,
    kind: "end_image",
    retention: "keep",
    name: `${clip.name} V${take.segmentIndex} take ${take.number} end`,
    createdById: job.userId,
  });
  await insertDerivative(tx, endImage.hash, "working_image", endImage);
  await queries.updateTake(tx, take.id, {
    endFrame: end.frame,
    endScore: end.score,
    stability: end.stability,
    endImageAssetId,
  });
  const rerolls = await queries.countRejected(tx, take.segmentId, await queries.findStartHash(tx, take.id));
  const gate = judge(
    clip,
    gateTake({
      segment: take.segmentIndex - 1,
      curves,
      keepFrames: end.frame + 1,
      end,
      exact: take.isEndExact,
      likeness,
      // Without a portrait or a face model nothing can be told of faces, and no other take would change that.
      requireFace: clip.likenessFloor !== null && likeness !== null && likeness.model.name !== "none",
      reference: take.segmentIndex === 1 ? null : await firstReference(tx, clip.id),
      rerolls,
    }),
    likeness?.median ?? null,
    rerolls,
  );
  await queries.setGate(tx, take.id, gate.verdict, gate.findings.map((finding) => finding.message));
  await settleTake(tx, job, take, clip, gate);
}

async function settleTake(tx: Tx, job: Job, take: queries.LoopTake, clip: Clip, gate: Gate): Promise<void> {
  const isPassed = gate.verdict === "pass" || gate.verdict === "heal";
  await queries.setTakeStatus(tx, take.id, isPassed ? "ready" : "rejected");
  await announceTake(tx, take, clip);
  if (isPassed) {
    await queries.chooseTake(tx, take);
    await queries.setSegmentReady(tx, take.segmentId);
    await advance(tx, clip.id, job);
    return;
  }
  if (gate.verdict === "reroll") {
    await rerollByItself(tx, job, take, clip);
    return;
  }
  await queries.setSegmentStatus(tx, take.segmentId, "failed");
  await needAttention(tx, clip, gate.sentence);
}

/** The clip's own likeness floor, on top of what the gates know of the model. */
function judge(clip: Clip, gate: Gate, likeness: number | null, rerolls: number): Gate {
  if (clip.likenessFloor === null || likeness === null || likeness >= clip.likenessFloor) return gate;
  const verdict = rerolls < clip.rerollLimit ? "reroll" : "ask";
  const message = `likeness ${likeness.toFixed(2)} is under the clip's floor ${clip.likenessFloor}`;
  return {
    verdict,
    segment: gate.segment,
    findings: [...gate.findings, { gate: "likeness", level: "fail", message, segment: gate.segment ?? 0 }],
    sentence: `The take needs a decision: ${message}. Keep it, make it again or lower the floor.`,
  };
}

async function rerollByItself(tx: Tx, job: Job, take: queries.LoopTake, clip: Clip): Promise<void> {
  await queries.lockClip(tx, clip.id);
  if (clip.status !== "generating" || !clip.workflowVersionId) return;
  const version = await openVersion(tx, clip.workflowVersionId);
  const loop = await openLoop(tx, clip, version);
  const { chain, frames } = acceptedFrames(await queries.listLoopTakes(tx, clip.id));
  const step = nextStep(loop, frames);
  if (step.kind !== "generate" || step.index !== take.segmentIndex - 1) {
    await advance(tx, clip.id, job);
    return;
  }
  await requestTake(tx, { clip, version, loop, step, previous: chain.at(-1), actor: job });
}

async function firstReference(tx: Tx, clipId: string): Promise<TakeReference | null> {
  const first = (await queries.listLoopTakes(tx, clipId)).find((take) =>
    take.isChosen && take.segmentIndex === 1
  );
  const curves = first ? await findTakeCurves(tx, first.id) : undefined;
  return first && curves ? referenceOf(curves, await findTakeLikeness(tx, first.id) ?? null) : null;
}

export async function onCutStitched(
  tx: Tx,
  job: Job,
  made: z.output<typeof stitchCut["output"]>,
): Promise<void> {
  const open = await findOpenCut(tx, job, "stitching");
  if (!open) return;
  const { cut, clip } = open;
  const name = `${clip.name} v${String(cut.number).padStart(3, "0")}`;
  const shared = { projectId: clip.projectId, createdById: job.userId, retention: "keep" as const };
  const assetId = await addAsset(tx, { ...shared, file: made.cut, kind: "cut", name: `${name}.mp4` });
  const intermediateAssetId = await addAsset(tx, {
    ...shared,
    file: made.intermediate,
    kind: "cut_intermediate",
    name,
  });
  for (const hash of [made.cut.hash, made.intermediate.hash]) {
    await insertDerivative(tx, hash, "proxy", made.proxy);
    await insertDerivative(tx, hash, "poster", made.poster);
  }
  for (const [index, firstFrame] of made.boundaries.entries()) {
    await queries.setBoundary(tx, cut.id, index + 1, firstFrame);
  }
  await queries.updateCut(tx, cut.id, { assetId, intermediateAssetId });
  await queries.setCutStatus(tx, cut.id, "measuring");
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  // The cut's technical facts must be known by the time someone can finalize it: video_metadata carries them.
  const inspection = await submitJob(tx, {
    kind: inspectMedia,
    input: { file: made.cut, fileName: `${name}.mp4` },
    projectId: clip.projectId,
    userId: job.userId,
    subject: { fileHash: made.cut.hash },
  });
  await submitJob(tx, {
    kind: measureCut,
    needs: [inspection],
    input: {
      intermediate: made.intermediate,
      rate: cut.rate,
      frameCount: made.frameCount,
      boundaries: made.boundaries,
      ...(portrait ? { portrait } : {}),
    },
    projectId: clip.projectId,
    userId: job.userId,
    subject: { cutId: cut.id },
  });
  await announceCut(tx, cut.id, clip);
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
  await queries.setCutStatus(tx, cut.id, "ready");
  await queries.supersedeOlder(tx, clip.id, cut.id);
  if (clip.status === "stitching") await queries.setClipStatus(tx, clip.id, "in_review");
  await announceCut(tx, cut.id, clip);
  await announceClip(tx, clip);
}

export async function onTakeFailed(tx: Tx, job: Job, failure: JobFailure): Promise<void> {
  const open = await findOpenTake(tx, job);
  if (open) await failTake(tx, open.take, open.clip, failure.message);
}

export async function onTakeCancelled(tx: Tx, job: Job): Promise<void> {
  const open = await findOpenTake(tx, job);
  if (!open) return;
  await queries.setTakeStatus(tx, open.take.id, "cancelled");
  await queries.setSegmentStatus(tx, open.take.segmentId, "planned");
  if (open.clip.status === "generating") await queries.setClipStatus(tx, open.clip.id, "paused");
  await announceClip(tx, open.clip);
}

export async function onCutFailed(tx: Tx, job: Job, failure: JobFailure): Promise<void> {
  const open = await findOpenCut(tx, job);
  if (!open) return;
  await queries.setCutStatus(tx, open.cut.id, "failed", failure.message);
  await needAttention(tx, open.clip, `The cut could not be made: ${failure.message}`);
}

/** A person has queued a failed or cancelled step again: the take, its segment and its clip are at work as before. */
export async function onTakeRetried(
  tx: Tx,
  job: Job,
  status: "generating" | "ingesting" | "measuring",
): Promise<void> {
  const take = job.takeId ? await queries.findLoopTake(tx, job.takeId) : undefined;
  if (!take || !["failed", "cancelled"].includes(take.status)) return;
  await queries.lockClip(tx, take.clipId);
  const clip = await queries.findClip(tx, take.clipId);
  if (!clip) return;
  await queries.setTakeStatus(tx, take.id, status);
  await queries.reopenSegment(tx, take.segmentId);
  if (clip.status === "needs_attention" || clip.status === "paused") {
    await queries.setClipStatus(tx, clip.id, "generating");
  }
  await announceTake(tx, take, clip);
}

export async function onCutRetried(tx: Tx, job: Job, status: "stitching" | "measuring"): Promise<void> {
  const cut = job.cutId ? await queries.findCut(tx, job.cutId) : undefined;
  const clip = cut ? await queries.findClip(tx, cut.clipId) : undefined;
  if (!cut || !clip || cut.status !== "failed") return;
  await queries.setCutStatus(tx, cut.id, status);
  if (clip.status === "needs_attention") await queries.setClipStatus(tx, clip.id, "stitching");
  await announceCut(tx, cut.id, clip);
}

async function failTake(tx: Tx, take: queries.LoopTake, clip: Clip, reason: string): Promise<void> {
  await queries.setTakeStatus(tx, take.id, "failed", reason);
  await queries.setSegmentStatus(tx, take.segmentId, "failed");
  await needAttention(tx, clip, `Segment ${take.segmentIndex} could not be made: ${reason}`);
}

/** The job's take, if it still waits for this step; a late result of a cancelled one changes nothing. */
async function findOpenTake(
  tx: Tx,
  job: Job,
  status?: string,
): Promise<{ take: queries.LoopTake; clip: Clip } | undefined> {
  const take = job.takeId ? await queries.findLoopTake(tx, job.takeId) : undefined;
  if (!take) return undefined;
  await queries.lockClip(tx, take.clipId);
  const clip = await queries.findClip(tx, take.clipId);
  const isOpen = status
    ? take.status === status
    : ["generating", "ingesting", "measuring"].includes(take.status);
  return clip && isOpen ? { take, clip } : undefined;
}

async function findOpenCut(tx: Tx, job: Job, status?: string) {
  const cut = job.cutId ? await queries.findCut(tx, job.cutId) : undefined;
  const clip = cut ? await queries.findClip(tx, cut.clipId) : undefined;
  const isOpen = cut && (status ? cut.status === status : ["stitching", "measuring"].includes(cut.status));
  return cut && clip && isOpen ? { cut, clip } : undefined;
}

async function announceTake(tx: Tx, take: queries.LoopTake, clip: Clip): Promise<void> {
  await announce(tx, takeChanged, `project:${clip.projectId}`, { takeId: take.id, clipId: clip.id });
}

async function announceCut(tx: Tx, cutId: string, clip: Clip): Promise<void> {
  await announce(tx, cutChanged, `project:${clip.projectId}`, { cutId, clipId: clip.id });
}
