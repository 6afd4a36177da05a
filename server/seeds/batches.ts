import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { PageQuery } from "#server/core/page.ts";
import { audit } from "#server/audit/service.ts";
import { openCharacter } from "#server/characters/service.ts";
import { type Db, transact } from "#server/db/db.ts";
import type { Estimate } from "#server/jobs/contract.ts";
import { cancelJobsOf, submitJob } from "#server/jobs/service.ts";
import { cutPage, openProject, requireAccess } from "#server/projects/service.ts";
import { fitSize } from "#server/workflows/bind.ts";
import { chooseVersion, listWorkflows } from "#server/workflows/service.ts";
import type { Seed, SeedUses, VariationBatch, VariationEstimate, VariationSummary } from "./contract.ts";
import { measureSeed } from "./job_kinds.ts";
import * as queries from "./queries.ts";
import { announceSeed, openBatch, openSeed, requireWorkingImage } from "./service.ts";

export async function listBatches(
  db: Db,
  actor: Actor,
  characterId: string,
  query: PageQuery,
): Promise<{ items: VariationSummary[]; next?: string }> {
  await openCharacter(db, actor, characterId, "asset.read");
  return cutPage(await queries.listBatches(db, characterId, query), query.limit);
}

/** What a batch would take, from what such pictures took lately on any worker. */
export async function estimateBatch(
  db: Db,
  actor: Actor,
  characterId: string,
  { count, workflowVersionId }: { count: number; workflowVersionId?: string | undefined },
): Promise<VariationEstimate> {
  const { projectId } = await openCharacter(db, actor, characterId, "asset.read");
  const project = await openProject(db, actor, projectId, "asset.read");
  const version = await chooseVersion(db, "foundation_from_portrait", workflowVersionId);
  const [{ items }, lately] = await Promise.all([
    listWorkflows(db, { role: "foundation_from_portrait", limit: 200 }),
    queries.findLately(db, version.id),
  ]);
  const workers = items.find(({ versionId }) => versionId === version.id)?.workers ?? [];
  const size = fitSize(version.manifest.constraints, project.widthPx, project.heightPx);
  const each = lately.p50Ms === null ? null : { p50Ms: lately.p50Ms, p90Ms: lately.p90Ms ?? lately.p50Ms };
  return {
    workflowVersionId: version.id,
    workflowTitle: version.manifest.title,
    isCpuPreview: version.manifest.cpuPreview,
    widthPx: size.width,
    heightPx: size.height,
    workers,
    aheadCount: lately.aheadCount,
    each,
    total: each && times(each, Math.ceil(count / Math.max(1, workers.length))),
  };
}

function times({ p50Ms, p90Ms }: Estimate, rounds: number): Estimate {
  return { p50Ms: p50Ms * rounds, p90Ms: p90Ms * rounds };
}

/** Everything of the batch that is still being made is given up; what is there stays. */
export async function cancelBatch(db: Db, actor: Actor, batchId: string): Promise<VariationBatch> {
  const batch = await queries.findBatch(db, batchId);
  await requireAccess(db, actor, batch?.projectId, "job.control", "batch of variations");
  if (!batch) throw notFound("batch of variations");
  if (batch.createdById !== actor.userId && !actor.permissions.has("queue.admin")) {
    throw new AppError("forbidden", "Cannot cancel this batch: it is someone else's. Ask them or an admin");
  }
  await transact(db, async (tx) => {
    const seeds = await queries.listSeedsOfBatch(tx, batchId);
    const open = seeds.filter(({ status }) => status === "making");
    for (const seed of open) await cancelJobsOf(tx, { seedId: seed.id });
    if (open.length === 0) return;
    await audit(tx, actor, "seed.cancel_batch", {
      projectId: batch.projectId,
      subject: ["variation_batch", batchId],
      facts: { cancelled: open.length },
    });
  });
  return await openBatch(db, actor, batchId);
}

/** Measures a seed that is there anew, against another one. Its measures follow when the job has ended. */
export async function compareSeed(
  db: Db,
  actor: Actor,
  seedId: string,
  withSeedId: string,
): Promise<Seed> {
  const seed = await openSeed(db, actor, seedId, "character.edit");
  const other = await openSeed(db, actor, withSeedId, "asset.read");
  if (other.characterId !== seed.characterId || other.id === seed.id) {
    throw new AppError("conflict", "A seed can only be compared with another one of the same character");
  }
  const [image, portrait] = [await requireWorkingImage(db, seed), await requireWorkingImage(db, other)];
  await transact(db, async (tx) => {
    await submitJob(tx, {
      kind: measureSeed,
      input: { image, portrait },
      projectId: seed.projectId,
      userId: actor.userId,
      subject: { seedId },
    });
    await audit(tx, actor, "seed.compare", {
      projectId: seed.projectId,
      subject: ["seed", seedId],
      facts: { withSeedId },
    });
    await announceSeed(tx, seed);
  });
  return seed;
}

export async function openUses(db: Db, actor: Actor, seedId: string): Promise<SeedUses> {
  await openSeed(db, actor, seedId, "asset.read");
  return await queries.countUses(db, seedId);
}
