import type * as z from "zod/mini";
import { AppError } from "#server/core/errors.ts";
import { addAsset, addGenerated, insertDerivative, insertFile } from "#server/assets/service.ts";
import type { Tx } from "#server/db/db.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import { workOf } from "#server/core/work.ts";
import type { JobFailure, SettledJob } from "#server/jobs/settle.ts";
import { announce } from "#server/live/announce.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import { openVersion } from "#server/workflows/service.ts";
import { type Clip, takeChanged } from "./contract.ts";
import { GATE_LIMITS } from "./gate_limits.ts";
import { type Gate, gateTake, type TakeReference } from "./gates.ts";
import { ingestTake, measureTake } from "./job_kinds.ts";
import { referenceOf } from "./judge_take.ts";
import { advance, announceClip, needAttention } from "./loop.ts";
import { follows, isOpen, readRun } from "./run.ts";
import { findTakeCurves, findTakeLikeness, saveTakeMeasures } from "./measure_queries.ts";
import * as queries from "./queries.ts";
import * as segments from "./segment_queries.ts";
import * as takes from "./take_queries.ts";

/*
 * A take's way: generated → ingested → measured → ready, rejected or asked about. Each step queues the next in the
 * transaction that ends its job.
 */

type Job = SettledJob<unknown>;

export async function onTakeGenerated(
  tx: Tx,
  job: SettledJob<z.output<typeof generate["input"]>>,
  made: z.output<typeof generate["output"]>,
): Promise<void> {
  const open = await findOpenTake(tx, job, "generating");
  if (!open) return;
  const { take, clip } = open;
  const raw = await addGenerated(tx, job, made, {
    projectId: clip.projectId,
    kind: "take_raw",
    retention: "reclaimable",
    randomSeed: take.randomSeed,
  });
  if (!raw) return await failTake(tx, take, clip, "The worker made no file: make it again");
  const files = made.outputs.map((output) => output.file);
  for (const file of files) await insertFile(tx, file);
  await takes.updateTake(tx, take.id, { rawAssetId: raw.assetId });
  await takes.setTakeStatus(tx, take.id, "ingesting");
  await submitJob(tx, {
    kind: ingestTake,
    work: workOf({ frames: take.generateFrames }),
    input: { files, rate: take.rate, expectedFrames: take.generateFrames, dropHead: take.dropHead },
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
    name: nameOf(take, clip),
    createdById: job.userId,
  });
  await insertDerivative(tx, made.intermediate.hash, "proxy", made.proxy);
  await insertDerivative(tx, made.intermediate.hash, "poster", made.poster);
  await insertDerivative(tx, made.intermediate.hash, "sprite", made.sprite, made.spriteLayout);
  const { frameCount, widthPx, heightPx } = made;
  await takes.updateTake(tx, take.id, { intermediateAssetId, frameCount, widthPx, heightPx });
  await takes.setTakeStatus(tx, take.id, "measuring");
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  await submitJob(tx, {
    kind: measureTake,
    work: workOf({ width: made.widthPx, height: made.heightPx, frames: made.frameCount }),
    input: {
      intermediate: made.intermediate,
      rate: take.rate,
      frameCount,
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
  const { portrait } = job.input as z.output<typeof measureTake["input"]>;
  await saveTakeMeasures(tx, take.id, curves, likeness, portrait?.hash ?? null);
  if (!end || !endImage || end.frame >= (take.frameCount ?? 0)) {
    const reason = "No frame of the take can be its end: make it again or change its prompt";
    return await failTake(tx, take, clip, reason);
  }
  const endImageAssetId = await addAsset(tx, {
    projectId: clip.projectId,
    file: endImage,
    kind: "end_image",
    retention: "keep",
    name: `${nameOf(take, clip)} end`,
    createdById: job.userId,
  });
  await insertDerivative(tx, endImage.hash, "working_image", endImage);
  await takes.updateTake(tx, take.id, {
    endFrame: end.frame,
    endScore: end.score,
    stability: end.stability,
    endImageAssetId,
  });
  const gate = await judgeTake(tx, take, clip, measured, end);
  await takes.setGate(tx, take.id, gate.verdict, gate.findings.map((finding) => finding.message));
  await settleTake(tx, job, take, clip, gate);
}

type Measured = z.output<typeof measureTake["output"]>;

async function judgeTake(
  tx: Tx,
  take: takes.LoopTake,
  clip: Clip,
  { curves, likeness }: Measured,
  end: NonNullable<Measured["end"]>,
): Promise<Gate> {
  const rerolls = await takes.countRejected(tx, take);
  const facts = {
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
  };
  const gate = gateTake(facts, { ...GATE_LIMITS, maxRerolls: clip.rerollLimit });
  return addFloor(clip, gate, facts.segment, likeness?.median ?? null, rerolls);
}

/** As many digits as show that it is less: 0.997 is not told as "1.00 is under 1". */
function showUnder(value: number, limit: number): string {
  const shown = [2, 3, 4].map((digits) => value.toFixed(digits));
  return shown.find((text) => Number(text) < limit) ?? String(value);
}

/** The clip's own likeness floor, on top of what the gates know of the model. */
function addFloor(clip: Clip, gate: Gate, segment: number, likeness: number | null, rerolls: number): Gate {
  if (clip.likenessFloor === null || likeness === null || likeness >= clip.likenessFloor) return gate;
  const message = `likeness ${
    showUnder(likeness, clip.likenessFloor)
  } is under the clip's floor ${clip.likenessFloor}`;
  return {
    verdict: rerolls < clip.rerollLimit ? "reroll" : "ask",
    segment,
    findings: [...gate.findings, { gate: "likeness", level: "fail", message, segment }],
    sentence: `Segment ${
      segment + 1
    } needs a decision: ${message}. Keep the take, make it again or lower the floor.`,
  };
}

async function firstReference(tx: Tx, clipId: string): Promise<TakeReference | null> {
  const first = (await takes.listLoopTakes(tx, clipId)).find((take) =>
    take.isChosen && take.segmentIndex === 1
  );
  const curves = first ? await findTakeCurves(tx, first.id) : undefined;
  return first && curves ? referenceOf(curves, await findTakeLikeness(tx, first.id) ?? null) : null;
}

async function settleTake(tx: Tx, job: Job, take: takes.LoopTake, clip: Clip, gate: Gate): Promise<void> {
  const isPassed = gate.verdict === "pass" || gate.verdict === "heal";
  await takes.setTakeStatus(tx, take.id, isPassed ? "ready" : "rejected");
  await announceTake(tx, take, clip);
  if (gate.verdict === "ask") {
    await segments.setSegmentStatus(tx, take.segmentId, "failed");
    await needAttention(tx, clip, gate.sentence);
    return;
  }
  if (isPassed) await takes.chooseTake(tx, take);
  else await segments.setSegmentStatus(tx, take.segmentId, "planned");
  await advance(tx, clip.id, job);
}

export async function onTakeFailed(tx: Tx, job: Job, failure: JobFailure): Promise<void> {
  const open = await findOpenTake(tx, job);
  if (open) await failTake(tx, open.take, open.clip, failure.message);
}

async function failTake(tx: Tx, take: takes.LoopTake, clip: Clip, reason: string): Promise<void> {
  await takes.setTakeStatus(tx, take.id, "failed", reason);
  await segments.setSegmentStatus(tx, take.segmentId, "failed");
  await announceTake(tx, take, clip);
  await needAttention(tx, clip, `Segment ${take.segmentIndex} could not be made: ${reason}`);
}

export async function onTakeCancelled(tx: Tx, job: Job): Promise<void> {
  const open = await findOpenTake(tx, job);
  if (!open) return;
  await takes.setTakeStatus(tx, open.take.id, "cancelled");
  await segments.setSegmentStatus(tx, open.take.segmentId, "planned");
  if (open.clip.status === "generating") await queries.setClipStatus(tx, open.clip.id, "paused");
  await announceTake(tx, open.take, open.clip);
  await announceClip(tx, open.clip);
}

/**
 * A person has queued a failed or cancelled step again: the take, its segment and its clip are at work as before.
 * Throws AppError("conflict") when the clip has gone on without it.
 */
export async function onTakeRetried(
  tx: Tx,
  job: Job,
  status: "generating" | "ingesting" | "measuring",
): Promise<void> {
  const found = await lockTake(tx, job);
  if (!found || !["failed", "cancelled"].includes(found.take.status)) return;
  const { take, clip } = found;
  if (!await isStillNext(tx, take, clip)) {
    throw new AppError(
      "conflict",
      `Cannot retry this step: the clip has gone on without it. Make another take of segment ${take.segmentIndex} instead`,
    );
  }
  await takes.setTakeStatus(tx, take.id, status);
  await segments.setSegmentStatus(tx, take.segmentId, "generating");
  await queries.setClipStatus(tx, clip.id, "generating");
  await announceTake(tx, take, clip);
  await announceClip(tx, clip);
}

async function isStillNext(tx: Tx, take: takes.LoopTake, clip: Clip): Promise<boolean> {
  if (!["needs_attention", "paused", "generating"].includes(clip.status) || !clip.workflowVersionId) {
    return false;
  }
  const run = await readRun(tx, clip, await openVersion(tx, clip.workflowVersionId));
  const remade = run.segments.find(({ index, remakeFrames }) =>
    remakeFrames !== null && index < run.chain.length
  );
  const next = remade?.index ?? (run.step.kind === "generate" ? run.step.index + 1 : undefined);
  return next === take.segmentIndex && !run.takes.some(isOpen) && follows(run.chain[next - 2], take);
}

/** The job's take under the clip's lock, if it still waits for this step; a late result of a cancelled one changes nothing. */
async function findOpenTake(tx: Tx, job: Job, status?: takes.LoopTake["status"]) {
  const found = await lockTake(tx, job);
  if (!found) return undefined;
  return (status ? found.take.status === status : isOpen(found.take)) ? found : undefined;
}

async function lockTake(tx: Tx, job: Job): Promise<{ take: takes.LoopTake; clip: Clip } | undefined> {
  const clipId = job.takeId ? (await takes.findLoopTake(tx, job.takeId))?.clipId : undefined;
  if (!job.takeId || !clipId) return undefined;
  await queries.lockClip(tx, clipId);
  const take = await takes.findLoopTake(tx, job.takeId);
  const clip = await queries.findClip(tx, clipId);
  return take && clip ? { take, clip } : undefined;
}

function nameOf(take: takes.LoopTake, clip: Clip): string {
  return `${clip.name} V${take.segmentIndex} take ${take.number}`;
}

async function announceTake(tx: Tx, take: takes.LoopTake, clip: Clip): Promise<void> {
  await announce(tx, takeChanged, `project:${clip.projectId}`, { takeId: take.id, clipId: clip.id });
}
