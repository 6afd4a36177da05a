import type * as z from "zod/mini";
import type { FileRef } from "#server/core/file_ref.ts";
import type { Tx } from "#server/db/db.ts";
import { submitJob } from "#server/jobs/service.ts";
import { workOf } from "#server/core/work.ts";
import type { JobFailure, SettledJob } from "#server/jobs/settle.ts";
import { announce } from "#server/live/announce.ts";
import { assetChanged } from "./contract.ts";
import { inspectMedia, makeProxy, type MediaFacts } from "./job_kinds.ts";
import * as queries from "./queries.ts";

/*
 * Every uploaded picture and video is looked into, whatever it is used for: a still gets its working image and
 * thumbnail, a video its proxy, poster and hover sprite. What becomes of it shows in each asset with that content.
 */

type Job = SettledJob<unknown>;

/** Queues the look into an upload that is a picture or a video, once for each content. */
export async function beginInspection(
  tx: Tx,
  upload: { file: FileRef; name: string; projectId: string; userId: string | null },
): Promise<void> {
  const { file, name, projectId, userId } = upload;
  if (!/^(image|video)\//.test(file.mediaType) || !await queries.openInspection(tx, file.hash)) return;
  await submitJob(tx, {
    kind: inspectMedia,
    input: { file, fileName: name },
    projectId,
    userId,
    subject: { fileHash: file.hash },
  });
}

/** Keeps what looking into a file found. */
export async function recordInspection(
  tx: Tx,
  hash: string,
  found: { facts: MediaFacts; working?: FileRef | undefined; thumbnail?: FileRef | undefined },
): Promise<void> {
  await queries.upsertFacts(tx, hash, found.facts);
  if (found.working) await queries.insertDerivative(tx, hash, "working_image", found.working);
  if (found.thumbnail) await queries.insertDerivative(tx, hash, "thumbnail", found.thumbnail);
}

/** A look is over: a still has all it gets, a video gets its proxy next. */
export async function onFileInspected(
  tx: Tx,
  job: Job,
  found: z.output<typeof inspectMedia["output"]>,
): Promise<void> {
  const { file } = job.input as z.output<typeof inspectMedia["input"]>;
  await recordInspection(tx, file.hash, found);
  if (!await queries.lockOpenInspection(tx, file.hash)) return;
  const { rate, frameCount, kind } = found.facts;
  if (kind === "video" && rate && frameCount) {
    await submitJob(tx, {
      kind: makeProxy,
      input: { file, rate, frameCount },
      work: workOf({ width: found.facts.widthPx, height: found.facts.heightPx, frames: frameCount }),
      projectId: job.projectId,
      userId: job.userId,
      subject: { fileHash: file.hash },
    });
  } else await queries.closeInspection(tx, file.hash, null);
  await announceContent(tx, file.hash);
}

export async function onProxyMade(
  tx: Tx,
  job: Job,
  made: z.output<typeof makeProxy["output"]>,
): Promise<void> {
  const { file } = job.input as z.output<typeof makeProxy["input"]>;
  await queries.insertDerivative(tx, file.hash, "proxy", made.proxy);
  await queries.insertDerivative(tx, file.hash, "poster", made.poster);
  await queries.insertDerivative(tx, file.hash, "sprite", made.sprite, made.spriteLayout);
  await queries.closeInspection(tx, file.hash, null);
  await announceContent(tx, file.hash);
}

/** The file can't be read, or a step of the look was ended: each asset with that content says why. */
export async function onInspectionFailed(
  tx: Tx,
  job: Job,
  failure: Pick<JobFailure, "message">,
): Promise<void> {
  if (!job.fileHash) return;
  if (await queries.closeInspection(tx, job.fileHash, failure.message)) {
    await announceContent(tx, job.fileHash);
  }
}

/** A person has queued the step again. */
export async function onInspectionRetried(tx: Tx, job: Job): Promise<void> {
  if (job.fileHash && await queries.reopenInspection(tx, job.fileHash)) {
    await announceContent(tx, job.fileHash);
  }
}

async function announceContent(tx: Tx, hash: string): Promise<void> {
  for (const { id, projectId } of await queries.listAssetsOf(tx, hash)) {
    if (projectId) await announce(tx, assetChanged, `project:${projectId}`, { assetId: id, projectId });
  }
}
