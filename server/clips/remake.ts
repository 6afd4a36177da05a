import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { sameRate } from "#server/core/media_time.ts";
import type { Queryable, Tx } from "#server/db/db.ts";
import { findFile } from "#server/seeds/service.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import { listActiveVersions } from "#server/workflows/service.ts";
import type { Following } from "./contract.ts";
import { type GenerateStep, type Loop, nextStep, planReroll, type PlanStep } from "./planner.ts";
import * as queries from "./queries.ts";
import { requestTake } from "./requests.ts";
import { keptFrames, type LoopActor, openLoop, orConflict, type Run } from "./run.ts";
import { endRemakes, findLocked, setRemake } from "./segment_queries.ts";
import { dropChosen, dropLaterTakes } from "./take_queries.ts";

/*
 * Making a segment again while all after it stays. The new take starts where the old one did and is made to end on the
 * picture that the next segment starts from, so it needs a workflow that reaches a last image, at the clip's own rate.
 */

/** How a chosen take is made again. */
export interface Remake {
  readonly version: WorkflowVersion;
  readonly loop: Loop;
  readonly step: GenerateStep;
  readonly lastImage: FileRef;
}

/** The first segment of the chain that waits to be made again while others follow it. */
export async function findRemake(db: Queryable, run: Run): Promise<Remake | undefined> {
  const waiting = run.segments.find(({ index, remakeFrames }) =>
    remakeFrames !== null && index < run.chain.length
  );
  return waiting
    ? await planRemake(db, run, waiting.index - 1, waiting.remakeFrames ?? undefined)
    : undefined;
}

/**
 * The remake of segment `index` (from 0) with as many frames as it fills now, or `frames`. Throws AppError("conflict")
 * when nothing follows it, or when no workflow can meet what does.
 */
export async function planRemake(
  db: Queryable,
  run: Run,
  index: number,
  frames?: number,
): Promise<Remake> {
  const next = run.chain[index + 1];
  const lastImage = next ? await findFile(db, next.startFileHash) : undefined;
  if (!lastImage) {
    throw new AppError("conflict", `Nothing follows segment ${index + 1} that could be kept: plan it again`);
  }
  const version = await chooseMeeting(db, run, index);
  const loop = await openLoop(db, run.clip, version, run.segments);
  const step = orConflict(() => planReroll(loop, keptFrames(run.chain), index, frames));
  return { version, loop, step, lastImage };
}

async function chooseMeeting(db: Queryable, run: Run, index: number): Promise<WorkflowVersion> {
  const own = run.version.manifest;
  for (const version of await listActiveVersions(db, "first_last_to_video")) {
    const { constraints, cpuPreview } = version.manifest;
    if (cpuPreview !== own.cpuPreview || !constraints.video?.reachesLastImage) continue;
    const loop = await openLoop(db, run.clip, version);
    if (sameRate(loop.conform.nativeRate, run.loop.conform.nativeRate)) return version;
  }
  throw new AppError(
    "conflict",
    `Cannot keep what follows segment ${
      index + 1
    }: no active workflow reaches a given last picture at the rate of ` +
      `"${own.title}". Import or activate a first-and-last-frame workflow, or unlock the later segments and let them ` +
      "be planned again",
    { details: { rule: "needs_first_last_workflow" } },
  );
}

/** What is made again, and how. `index` counts from 1. */
export interface Again {
  readonly index: number;
  readonly following: Following;
  readonly actor: LoopActor;
  readonly randomSeed?: number | undefined;
  /** How many frames it has to fill where what follows stays; as many as now when left out. */
  readonly frames?: number | undefined;
}

/**
 * Queues another take of a segment, under the clip's lock, and sets the clip to generating. Throws
 * AppError("conflict") when that segment can't be made again so, with the mend.
 */
export async function remakeOrReplan(tx: Tx, run: Run, again: Again): Promise<void> {
  const { index, actor, randomSeed } = again;
  if (again.following === "keep" && index < run.chain.length) {
    const remake = await planRemake(tx, run, index - 1, again.frames);
    const segment = run.segments.find((each) => each.index === index);
    if (segment) await setRemake(tx, segment.id, again.frames ?? keptFrames(run.chain)[index - 1] ?? null);
    await queries.setClipStatus(tx, run.clip.id, "generating");
    return await requestTake(tx, { ...run, ...remake, actor, randomSeed });
  }
  await refuseLocked(tx, run.clip.id, index + 1);
  const chain = run.chain.slice(0, index - 1);
  const step: PlanStep = nextStep(run.loop, keptFrames(chain));
  if (step.kind !== "generate" || step.index !== index - 1) {
    throw new AppError(
      "conflict",
      `Segment ${index} is not part of the clip as it stands: generate the clip, then make it again`,
    );
  }
  const segment = run.segments.find((each) => each.index === index);
  if (segment) await dropChosen(tx, segment.id);
  await dropLaterTakes(tx, run.clip.id, index);
  await endRemakes(tx, run.clip.id, index - 1);
  await queries.setClipStatus(tx, run.clip.id, "generating");
  await requestTake(tx, { ...run, chain, step, actor, randomSeed });
}

/** Throws when a segment from `fromIndex` to `toIndex` is locked: what is asked would plan it again. */
export async function refuseLocked(
  tx: Tx,
  clipId: string,
  fromIndex: number,
  toIndex = Infinity,
): Promise<void> {
  const locked = await findLocked(tx, clipId, fromIndex);
  if (locked === undefined || locked > toIndex) return;
  throw new AppError("conflict", `Segment ${locked} is locked: unlock it, since it would be planned again`);
}
