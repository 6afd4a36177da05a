import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { Queryable, Tx } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import { announce } from "#server/live/announce.ts";
import { findProjectFacts } from "#server/projects/service.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import { fitSize } from "#server/workflows/bind.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import { openVersion, prepareGeneration } from "#server/workflows/service.ts";
import { type Clip, clipChanged, cutChanged, takeChanged } from "./contract.ts";
import { stitchCut } from "./job_kinds.ts";
import { type GenerateStep, type Loop, nextStep, planLoop } from "./planner.ts";
import * as queries from "./queries.ts";

/*
 * The recursive loop (PRD-17): what has been accepted decides what is done next. It is called in the transaction
 * that ends a step's job, holds the clip's row meanwhile, and does nothing when the next step already runs; so a
 * crash at any point, a repeated call or two callers at once lead to the same chain of takes.
 */

/** Who acts when the loop goes on by itself: the clip's jobs are accounted to whoever last started it. */
export interface LoopActor {
  readonly userId: string | null;
}

/** The clip's loop as the planner counts it. */
export async function openLoop(db: Queryable, clip: Clip, version: WorkflowVersion): Promise<Loop> {
  const video = version.manifest.constraints.video;
  if (!video) {
    throw new AppError(
      "conflict",
      `The workflow "${version.manifest.title}" makes no video: choose an image-to-video workflow`,
    );
  }
  const project = await findProjectFacts(db, clip.projectId);
  try {
    return planLoop({ askedFrames: clip.frames, rate: project.rate, constraints: video });
  } catch (error) {
    if (error instanceof RangeError) throw new AppError("conflict", error.message, { cause: error });
    throw error;
  }
}

/** Kept frames of the chosen takes, from the first segment up to the first that has none. */
export function acceptedFrames(
  takes: readonly queries.LoopTake[],
): { chain: queries.LoopTake[]; frames: number[] } {
  const chain: queries.LoopTake[] = [];
  for (const take of takes.filter((each) => each.isChosen).sort((a, b) => a.segmentIndex - b.segmentIndex)) {
    if (take.segmentIndex !== chain.length + 1 || take.endFrame === null) break;
    chain.push(take);
  }
  return { chain, frames: chain.map((take) => (take.endFrame ?? 0) + 1) };
}

/** Does the clip's next step, if it is generating and none runs. */
export async function advance(tx: Tx, clipId: string, actor: LoopActor): Promise<void> {
  await queries.lockClip(tx, clipId);
  const clip = await queries.findClip(tx, clipId);
  if (clip?.status !== "generating" || !clip.workflowVersionId) return;
  const takes = await queries.listLoopTakes(tx, clipId);
  if (takes.some((take) => ["generating", "ingesting", "measuring"].includes(take.status))) return;
  const version = await openVersion(tx, clip.workflowVersionId);
  const loop = await openLoop(tx, clip, version);
  const { chain, frames } = acceptedFrames(takes);
  const step = nextStep(loop, frames);
  if (step.kind === "generate") {
    await requestTake(tx, { clip, version, loop, step, previous: chain.at(-1), actor });
  } else if (step.kind === "trim") {
    const last = chain[step.index];
    if (last) await queries.updateTake(tx, last.id, { endFrame: step.keepFrames - 1 });
    await queries.removeSegmentsAfter(tx, clipId, step.index + 1);
    await stitch(tx, clip, loop, chain.slice(0, step.index + 1), actor);
  } else {
    await queries.removeSegmentsAfter(tx, clipId, chain.length);
    await stitch(tx, clip, loop, chain, actor);
  }
  await announceClip(tx, clip);
}

export interface TakeRequest {
  readonly clip: Clip;
  readonly version: WorkflowVersion;
  readonly loop: Loop;
  readonly step: GenerateStep;
  /** The take whose end frame it starts from; undefined for the first, which starts from the hero. */
  readonly previous: queries.LoopTake | undefined;
  readonly actor: LoopActor;
  readonly randomSeed?: number | undefined;
}

/** Makes the take's row and its job. */
export async function requestTake(tx: Tx, request: TakeRequest): Promise<string> {
  const { clip, version, loop, step, previous, actor } = request;
  const segment = await queries.openSegment(tx, clip.id, step.index + 1, newId<"segment">());
  const image = previous
    ? previous.endImage
    : clip.heroSeedId
    ? await findWorkingImage(tx, clip.heroSeedId)
    : undefined;
  if (!image) {
    throw new AppError(
      "conflict",
      "Cannot generate: the picture to start from is not there. Choose a hero that is ready",
    );
  }
  const takes = (await queries.listLoopTakes(tx, clip.id)).filter((take) => take.segmentId === segment.id);
  const randomSeed = request.randomSeed ?? takeSeed(clip.randomSeed, step.index, takes.length);
  const takeId = newId<"take">();
  await queries.insertTake(tx, {
    id: takeId,
    segmentId: segment.id,
    randomSeed,
    workflowVersionId: version.id,
    startsFromTakeId: previous?.id ?? null,
    startFileHash: image.hash,
    rate: loop.conform.nativeRate,
    generateFrames: step.generateFrames,
    dropHead: step.dropHead,
    targetEnd: step.end.target,
    endWindow: step.end.window,
    isEndExact: step.end.exact,
    createdById: actor.userId,
  });
  await submitJob(tx, {
    kind: generate,
    input: await bindTake(tx, { ...request, prompt: segment.prompt ?? clip.prompt, image, randomSeed }),
    projectId: clip.projectId,
    userId: actor.userId,
    subject: { takeId },
    workflowVersionId: version.id,
  });
  await announce(tx, takeChanged, `project:${clip.projectId}`, { takeId, clipId: clip.id });
  return takeId;
}

async function bindTake(
  tx: Tx,
  { clip, version, loop, step, prompt, image, randomSeed }: TakeRequest & {
    prompt: string;
    image: FileRef;
    randomSeed: number;
  },
) {
  const project = await findProjectFacts(tx, clip.projectId);
  const size = fitSize(version.manifest.constraints, project.widthPx, project.heightPx);
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  const values = {
    ...clip.knobs,
    ...(prompt ? { prompt } : {}),
    ...(clip.negativePrompt ? { negative: clip.negativePrompt } : {}),
    seed: randomSeed,
    frames: step.generateFrames,
    rate: loop.conform.nativeRate,
    ...size,
  };
  // Seed A is bound as likeness reference where the workflow has a slot for one (PRD-19).
  const reference = portrait && Object.hasOwn(version.manifest.bindings, "reference")
    ? { reference: portrait }
    : {};
  return prepareGeneration(version, values, { image, ...reference });
}

/** Another seed for each segment and each take, the same on every run of the same clip. */
export function takeSeed(clipSeed: number, segmentIndex: number, takesBefore: number): number {
  return (clipSeed + segmentIndex * 1_000_003 + takesBefore * 7919) % Number.MAX_SAFE_INTEGER;
}

async function stitch(
  tx: Tx,
  clip: Clip,
  loop: Loop,
  chain: queries.LoopTake[],
  actor: LoopActor,
): Promise<void> {
  await requestCut(tx, clip, loop, chain, actor);
  await queries.setClipStatus(tx, clip.id, "stitching");
}

/** Makes the cut's row and its job. */
export async function requestCut(
  tx: Tx,
  clip: Clip,
  loop: Loop,
  chain: queries.LoopTake[],
  actor: LoopActor,
): Promise<string> {
  const project = await findProjectFacts(tx, clip.projectId);
  const cutId = newId<"cut">();
  await queries.insertCut(tx, {
    id: cutId,
    clipId: clip.id,
    rate: project.rate,
    widthPx: project.widthPx,
    heightPx: project.heightPx,
    frames: clip.frames,
    conform: loop.conform.method,
    createdById: actor.userId,
  });
  const parts = chain.flatMap((take) =>
    take.intermediate && take.endFrame !== null
      ? [{ take, file: take.intermediate, firstFrame: 0, frameCount: take.endFrame + 1 }]
      : []
  );
  for (const [index, part] of parts.entries()) {
    await queries.insertCutPart(tx, {
      cutId,
      index: index + 1,
      takeId: part.take.id,
      sourceFirstFrame: part.firstFrame,
      sourceFrameCount: part.frameCount,
    });
  }
  await submitJob(tx, {
    kind: stitchCut,
    input: {
      parts: parts.map(({ file, firstFrame, frameCount }) => ({ file, firstFrame, frameCount })),
      sourceRate: loop.conform.nativeRate,
      rate: project.rate,
      conform: loop.conform.method,
      frames: clip.frames,
      widthPx: project.widthPx,
      heightPx: project.heightPx,
    },
    projectId: clip.projectId,
    userId: actor.userId,
    subject: { cutId },
  });
  await announce(tx, cutChanged, `project:${clip.projectId}`, { cutId, clipId: clip.id });
  return cutId;
}

export async function announceClip(
  tx: Tx,
  clip: { id: string; projectId: string; sceneId: string },
): Promise<void> {
  await announce(tx, clipChanged, `project:${clip.projectId}`, { clipId: clip.id, sceneId: clip.sceneId });
}

/** The loop stops and says why; everything made stays. */
export async function needAttention(tx: Tx, clip: Clip, sentence: string): Promise<void> {
  if (["generating", "stitching"].includes(clip.status)) {
    await queries.setClipStatus(tx, clip.id, "needs_attention", sentence);
  }
  await announceClip(tx, clip);
}
