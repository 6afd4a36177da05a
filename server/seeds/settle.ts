import type * as z from "zod/mini";
import type { inspectMedia } from "#server/assets/job_kinds.ts";
import { addGenerated, recordInspection } from "#server/assets/service.ts";
import type { Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import type { JobFailure, SettledJob } from "#server/jobs/settle.ts";
import { writeCharacterDocument } from "#server/metadata/service.ts";
import type { Seed } from "./contract.ts";
import { measureSeed } from "./job_kinds.ts";
import * as queries from "./queries.ts";
import { announceSeed, inspectSeed } from "./service.ts";

/*
 * A seed's way: (generated →) inspected → measured → candidate. Each step queues the next in the transaction that
 * ends its job, so a crash leaves the seed at one step or the next and never between.
 */

type Job = SettledJob<unknown>;

export async function onSeedGenerated(
  tx: Tx,
  job: SettledJob<z.output<typeof generate["input"]>>,
  made: z.output<typeof generate["output"]>,
): Promise<void> {
  const seed = await findOpen(tx, job);
  if (!seed) return;
  const still = await addGenerated(tx, job, made, {
    projectId: seed.projectId,
    kind: seed.kind,
    retention: "keep",
    randomSeed: seed.randomSeed,
  });
  if (!still) return await fail(tx, seed, "The worker made no file: make it again");
  await queries.setAsset(tx, seed.id, still.assetId);
  const owner = { id: seed.id, projectId: seed.projectId, userId: job.userId };
  await inspectSeed(tx, owner, still.file, still.fileName);
  await announceSeed(tx, seed);
}

export async function onSeedInspected(
  tx: Tx,
  job: Job,
  found: z.output<typeof inspectMedia["output"]>,
): Promise<void> {
  const { file } = job.input as z.output<typeof inspectMedia["input"]>;
  await recordInspection(tx, file.hash, found);
  const seed = await findOpen(tx, job);
  if (!seed) return;
  if (found.facts.kind !== "image" || !found.working) {
    const what = found.facts.kind === "image" ? "picture that can't be read" : found.facts.kind;
    await fail(
      tx,
      seed,
      `This is a ${what} (${found.facts.mediaType}): a seed is a still picture, give a PNG, JPEG or WebP`,
    );
    return;
  }
  const reference = await queries.findReference(tx, seed);
  await submitJob(tx, {
    kind: measureSeed,
    input: { image: found.working, ...(reference ? { portrait: reference.working } : {}) },
    projectId: seed.projectId,
    userId: job.userId,
    subject: { seedId: seed.id },
  });
}

export async function onSeedMeasured(
  { tx, store }: { tx: Tx; store: FileStore },
  job: Job,
  measured: z.output<typeof measureSeed["output"]>,
): Promise<void> {
  const seed = job.seedId ? await queries.lockSeed(tx, job.seedId) : undefined;
  // A late result of a cancelled one changes nothing; a seed that is there was compared anew.
  if (!seed || ["failed", "cancelled"].includes(seed.status)) return;
  const { portrait } = job.input as z.output<typeof measureSeed["input"]>;
  const against = portrait ? await queries.findMeasuredAgainst(tx, seed, portrait.hash) : undefined;
  await queries.saveMeasures(tx, seed.id, measured, against);
  if (seed.status === "making") {
    await queries.setStatus(tx, seed.id, "candidate");
    await queries.protectAsset(tx, seed.id);
    await replaceOld(tx, seed);
  }
  await writeCharacterDocument({ db: tx, store }, seed.characterId);
  await announceSeed(tx, seed);
}

/** Only now that the new one is good does it take the old one's place; what was made from that is stale. */
async function replaceOld(tx: Tx, seed: Seed): Promise<void> {
  const replaced = seed.replacesSeedId ? await queries.lockSeed(tx, seed.replacesSeedId) : undefined;
  if (!replaced) return;
  await queries.markStale(tx, replaced.id);
  if (["candidate", "kept"].includes(replaced.status)) {
    await queries.setStatus(tx, replaced.id, "rejected");
  }
  await announceSeed(tx, replaced);
}

export async function onSeedFailed(tx: Tx, job: Job, failure: JobFailure): Promise<void> {
  const seed = await findOpen(tx, job);
  if (seed) await fail(tx, seed, failure.message);
}

/** A person has queued a failed step again. */
export async function onSeedRetried(tx: Tx, job: Job): Promise<void> {
  const seed = job.seedId ? await queries.findSeed(tx, job.seedId) : undefined;
  if (!seed || !["failed", "cancelled"].includes(seed.status)) return;
  await queries.setStatus(tx, seed.id, "making");
  await announceSeed(tx, seed);
}

export async function onSeedCancelled(tx: Tx, job: Job): Promise<void> {
  const seed = await findOpen(tx, job);
  if (!seed) return;
  await queries.setStatus(tx, seed.id, "cancelled", "It was cancelled before it was ready");
  await announceSeed(tx, seed);
}

/** The job's seed while it is being made; a late result of a cancelled one changes nothing. */
async function findOpen(tx: Tx, job: Job): Promise<Seed | undefined> {
  const seed = job.seedId ? await queries.lockSeed(tx, job.seedId) : undefined;
  return seed?.status === "making" ? seed : undefined;
}

async function fail(tx: Tx, seed: Seed, reason: string): Promise<void> {
  await queries.setStatus(tx, seed.id, "failed", reason);
  await announceSeed(tx, seed);
}
