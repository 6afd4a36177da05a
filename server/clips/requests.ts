import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import { sameRate } from "#server/core/media_time.ts";
import type { Queryable, Tx } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import { workOf } from "#server/core/work.ts";
import { announce } from "#server/live/announce.ts";
import { findProjectFacts } from "#server/projects/service.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import { fitSize } from "#server/workflows/bind.ts";
import { prepareGeneration } from "#server/workflows/service.ts";
import { cutChanged, takeChanged } from "./contract.ts";
import { insertCut, insertCutPart, listCuts } from "./cut_queries.ts";
import { stitchCut } from "./job_kinds.ts";
import { keptFrames, type LoopActor, type Run } from "./run.ts";
import type { GenerateStep } from "./planner.ts";
import { openSegment } from "./segment_queries.ts";
import { insertTake, type LoopTake } from "./take_queries.ts";

/** What the loop asks of the queue: rows and their jobs, in the caller's transaction, under the clip's lock. */
export interface TakeRequest extends Run {
  readonly step: GenerateStep;
  readonly actor: LoopActor;
  readonly randomSeed?: number | undefined;
  /** The picture that the take is to end on, where its workflow reaches one. */
  readonly lastImage?: FileRef | undefined;
}

/** Makes the take's row and its job. */
export async function requestTake(tx: Tx, request: TakeRequest): Promise<void> {
  const { clip, version, loop, step, actor } = request;
  const previous = step.index === 0 ? undefined : request.chain[step.index - 1];
  const segment = await openSegment(tx, clip.id, step.index + 1, newId<"segment">());
  const image = await startImage(tx, request, previous);
  const before = request.takes.filter((take) => take.segmentId === segment.id);
  const randomSeed = request.randomSeed ??
    (segment.randomSeed === null
      ? takeSeed(clip.randomSeed, step.index, before.length)
      : ownSeed(segment.randomSeed, before.filter((take) => take.startFileHash === image.hash)));
  const takeId = newId<"take">();
  await insertTake(tx, {
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
    lastImageHash: request.lastImage?.hash ?? null,
    retimedFrames: step.retime?.toFrames ?? null,
    createdById: actor.userId,
  });
  const input = await bindTake(tx, { ...request, prompt: segment.prompt ?? clip.prompt, image, randomSeed });
  await submitJob(tx, {
    kind: generate,
    input,
    work: workOf(input.values),
    projectId: clip.projectId,
    userId: actor.userId,
    subject: { takeId },
    workflowVersionId: version.id,
  });
  await announce(tx, takeChanged, `project:${clip.projectId}`, { takeId, clipId: clip.id });
}

async function startImage(tx: Tx, { clip }: Run, previous: LoopTake | undefined): Promise<FileRef> {
  const hero = previous || !clip.heroSeedId ? undefined : await findWorkingImage(tx, clip.heroSeedId);
  const image = previous?.endImage ?? hero;
  if (image) return image;
  throw new AppError(
    "conflict",
    "Cannot generate: the picture to start from is not there. Choose a hero that is ready",
  );
}

async function bindTake(
  tx: Tx,
  { clip, version, loop, step, prompt, image, lastImage, randomSeed }: TakeRequest & {
    prompt: string;
    image: FileRef;
    randomSeed: number;
  },
) {
  const project = await findProjectFacts(tx, clip.projectId);
  const size = fitSize(version.manifest.constraints, project.widthPx, project.heightPx);
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  // A clip's knobs are its own workflow's: another one, that meets the next segment, may not have them all.
  const knobs = version.id === clip.workflowVersionId ? clip.knobs : Object.fromEntries(
    Object.entries(clip.knobs).filter(([parameter]) =>
      version.manifest.knobs.some((knob) => knob.parameter === parameter)
    ),
  );
  const values = {
    ...knobs,
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
  const last = lastImage ? { last_image: lastImage } : {};
  return prepareGeneration(version, values, { image, ...last, ...reference });
}

/** A segment's own seed, as it is until a take with it is rejected: making that again would give the same. */
export function ownSeed(seed: number, before: readonly LoopTake[]): number {
  const refused = new Set(
    before.filter(({ status }) => status === "rejected").map(({ randomSeed }) => randomSeed),
  );
  let next = seed;
  while (refused.has(next)) next = (next + 7919) % Number.MAX_SAFE_INTEGER;
  return next;
}

/** Another seed for each segment and each take, the same on every run of the same clip. */
export function takeSeed(clipSeed: number, segmentIndex: number, takesBefore: number): number {
  return (clipSeed + segmentIndex * 1_000_003 + takesBefore * 7919) % Number.MAX_SAFE_INTEGER;
}

interface Part {
  readonly take: LoopTake;
  readonly file: FileRef;
  /** Frames of the take that are used. */
  readonly frameCount: number;
  /** So many frames are made of them. */
  readonly retimedFrames: number | null;
}

/** What the cut is made of. A clip that became shorter uses less of its last take; the take itself stays whole. */
export function partsOf({ chain, step }: Run): Part[] {
  const used = step.kind === "trim" ? chain.slice(0, step.index + 1) : chain;
  const kept = keptFrames(used);
  return used.flatMap((take, index) => {
    if (!take.intermediate || take.endFrame === null) return [];
    const part = { take, file: take.intermediate };
    const whole = take.endFrame + 1;
    if (step.kind === "trim" && index === step.index) {
      // A retimed take is trimmed in the same measure.
      const frameCount = Math.max(1, Math.round((step.keepFrames * whole) / (kept[index] ?? whole)));
      return [{
        ...part,
        frameCount,
        retimedFrames: frameCount === step.keepFrames ? null : step.keepFrames,
      }];
    }
    const retime = step.kind === "done" && step.retime?.index === index ? step.retime.toFrames : kept[index];
    return [{
      ...part,
      frameCount: whole,
      retimedFrames: retime === undefined || retime === whole ? null : retime,
    }];
  });
}

/** Whether the newest cut is already what stitching would make now. */
export async function isStitched(db: Queryable, run: Run): Promise<boolean> {
  const newest = (await listCuts(db, run.clip.id)).at(-1);
  if (!newest || !["ready", "rejected"].includes(newest.status)) return false;
  const project = await findProjectFacts(db, run.clip.projectId);
  const parts = partsOf(run);
  return newest.frames === run.clip.frames && sameRate(newest.rate, project.rate) &&
    newest.widthPx === project.widthPx && newest.heightPx === project.heightPx &&
    newest.parts.length === parts.length &&
    newest.parts.every((part, index) =>
      part.takeId === parts[index]?.take.id && part.sourceFrameCount === parts[index]?.frameCount &&
      part.retimedFrameCount === parts[index]?.retimedFrames
    );
}

/** Makes the cut's row and its job. */
export async function requestCut(tx: Tx, run: Run, actor: LoopActor): Promise<void> {
  const { clip, loop } = run;
  const project = await findProjectFacts(tx, clip.projectId);
  const cutId = newId<"cut">();
  const shape = {
    rate: project.rate,
    widthPx: project.widthPx,
    heightPx: project.heightPx,
    frames: clip.frames,
    conform: loop.conform.method,
  };
  await insertCut(tx, { ...shape, id: cutId, clipId: clip.id, createdById: actor.userId });
  const parts = partsOf(run);
  for (const [index, { take, frameCount, retimedFrames }] of parts.entries()) {
    const source = {
      sourceFirstFrame: 0,
      sourceFrameCount: frameCount,
      retimedFrameCount: retimedFrames,
    };
    await insertCutPart(tx, { cutId, index: index + 1, takeId: take.id, ...source });
  }
  await submitJob(tx, {
    kind: stitchCut,
    input: {
      ...shape,
      parts: parts.map(({ file, frameCount, retimedFrames }) => ({
        file,
        firstFrame: 0,
        frameCount,
        ...(retimedFrames === null ? {} : { retimedFrames }),
      })),
      sourceRate: loop.conform.nativeRate,
    },
    work: workOf({ width: project.widthPx, height: project.heightPx, frames: clip.frames }),
    projectId: clip.projectId,
    userId: actor.userId,
    subject: { cutId },
  });
  await announce(tx, cutChanged, `project:${clip.projectId}`, { cutId, clipId: clip.id });
}
