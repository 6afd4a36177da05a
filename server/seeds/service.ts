import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import { findFile, openAsset } from "#server/assets/service.ts";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { audit } from "#server/audit/service.ts";
import { openCharacter } from "#server/characters/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { submitJob } from "#server/jobs/service.ts";
import { workOf } from "#server/core/work.ts";
import { announce } from "#server/live/announce.ts";
import { cutPage, openProject, requireAccess } from "#server/projects/service.ts";
import { fitSize } from "#server/workflows/bind.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import { chooseVersion, prepareGeneration } from "#server/workflows/service.ts";
import { type Seed, seedChanged, type SeedKind, type VariationBatch } from "./contract.ts";
import * as queries from "./queries.ts";

/** The seed, if the actor may do `permission` in its project. */
export async function openSeed(
  db: Queryable,
  actor: Actor,
  seedId: string,
  permission: Permission,
): Promise<Seed> {
  const seed = await queries.findSeed(db, seedId);
  await requireAccess(db, actor, seed?.projectId, permission, "seed");
  if (!seed) throw notFound("seed");
  return seed;
}

export async function listSeeds(
  db: Db,
  actor: Actor,
  characterId: string,
  query: PageQuery & { kind?: SeedKind | undefined; batchId?: string | undefined },
): Promise<{ items: Seed[]; next?: string }> {
  await openCharacter(db, actor, characterId, "asset.read");
  return cutPage(await queries.listSeeds(db, characterId, query), query.limit);
}

/** Tells everyone who looks at the seed that it has changed. */
export async function announceSeed(
  tx: Tx,
  seed: { id: string; characterId: string; batchId: string | null; projectId: string },
): Promise<void> {
  await announce(tx, seedChanged, `project:${seed.projectId}`, {
    seedId: seed.id,
    characterId: seed.characterId,
    batchId: seed.batchId,
  });
}

/** Gives an uploaded still as a seed. It is looked into and measured first; bad media end as "failed" with the reason. */
export async function addSeed(
  db: Db,
  actor: Actor,
  characterId: string,
  input: { id?: string | undefined; kind: SeedKind; assetId: string; replacesSeedId?: string | undefined },
): Promise<Seed> {
  const character = await openCharacter(db, actor, characterId, "character.edit");
  const asset = await openAsset(db, actor, input.assetId, "asset.read");
  if (asset.projectId !== character.projectId) {
    throw new AppError("conflict", "The asset belongs to another project: upload it to this one");
  }
  const replaced = input.replacesSeedId
    ? await openSeed(db, actor, input.replacesSeedId, "character.edit")
    : undefined;
  if (replaced && (replaced.characterId !== characterId || replaced.kind !== input.kind)) {
    throw new AppError("conflict", "A seed can only replace one of the same kind and character");
  }
  const seedId = input.id ?? newId<"seed">();
  await transact(db, async (tx) => {
    const seed = {
      id: seedId,
      projectId: character.projectId,
      characterId,
      kind: input.kind,
      origin: "given" as const,
      assetId: asset.id,
      replacesSeedId: replaced?.id ?? null,
    };
    if (!await queries.insertSeed(tx, seed, actor)) return await requireSame(tx, seed);
    const file = { hash: asset.hash, sizeBytes: asset.sizeBytes, mediaType: asset.mediaType };
    await inspectSeed(
      tx,
      { id: seedId, projectId: character.projectId, userId: actor.userId },
      file,
      asset.name,
    );
    await audit(tx, actor, "seed.add", {
      projectId: character.projectId,
      subject: ["seed", seedId],
      facts: { ...input },
    });
    await announceSeed(tx, { ...seed, batchId: null });
  });
  return await openSeed(db, actor, seedId, "asset.read");
}

/** The same id twice is the same seed; with other facts it is a mistake. */
async function requireSame(tx: Tx, asked: queries.SeedInsert): Promise<void> {
  const there = await queries.findSeed(tx, asked.id);
  const isSame = there?.characterId === asked.characterId && there.kind === asked.kind &&
    there.origin === asked.origin && there.derivedFromSeedId === (asked.derivedFromSeedId ?? null) &&
    (asked.assetId === undefined || there.assetId === asked.assetId);
  if (!isSame) {
    throw new AppError("conflict", "Cannot add the seed: its id belongs to another one. Use a new id");
  }
}

/** Queues the look into a seed's file; what follows is in settle.ts. */
export async function inspectSeed(
  tx: Tx,
  seed: { id: string; projectId: string; userId: string | null },
  file: FileRef,
  fileName: string,
): Promise<void> {
  await submitJob(tx, {
    kind: inspectMedia,
    input: { file, fileName },
    projectId: seed.projectId,
    userId: seed.userId,
    subject: { seedId: seed.id },
  });
}

/** B→A or A→B by a workflow; provenance is kept with the asset. */
export async function deriveSeed(
  db: Db,
  actor: Actor,
  sourceId: string,
  input: {
    id?: string | undefined;
    workflowVersionId?: string | undefined;
    randomSeed?: number | undefined;
    prompt: string;
  },
): Promise<Seed> {
  const source = await openSeed(db, actor, sourceId, "generate");
  const image = await requireWorkingImage(db, source);
  const role = source.kind === "foundation" ? "portrait_from_foundation" : "foundation_from_portrait";
  const version = await chooseVersion(db, role, input.workflowVersionId);
  const seedId = input.id ?? newId<"seed">();
  await transact(db, async (tx) => {
    const seed = {
      id: seedId,
      projectId: source.projectId,
      characterId: source.characterId,
      kind: source.kind === "foundation" ? "portrait" as const : "foundation" as const,
      origin: "derived" as const,
      derivedFromSeedId: source.id,
      randomSeed: input.randomSeed ?? randomSeed(),
    };
    if (!await queries.insertSeed(tx, seed, actor)) return await requireSame(tx, seed);
    await generateSeed(tx, actor, version, seed, image, input.prompt, {});
    await audit(tx, actor, "seed.derive", {
      projectId: source.projectId,
      subject: ["seed", seedId],
      facts: { from: source.id },
    });
    await announceSeed(tx, { ...seed, batchId: null });
  });
  return await openSeed(db, actor, seedId, "asset.read");
}

export interface VariationRequest {
  readonly id?: string | undefined;
  readonly portraitSeedId: string;
  readonly count: number;
  readonly workflowVersionId?: string | undefined;
  readonly baseRandomSeed?: number | undefined;
  readonly prompt: string;
  readonly knobs: Readonly<Record<string, unknown>>;
}

/** A batch of foundations: one seed and one job each, with random seeds that follow from the base. */
export async function createVariations(
  db: Db,
  actor: Actor,
  characterId: string,
  input: VariationRequest,
): Promise<VariationBatch> {
  const character = await openCharacter(db, actor, characterId, "generate");
  const portrait = await openSeed(db, actor, input.portraitSeedId, "asset.read");
  if (portrait.characterId !== characterId || portrait.kind !== "portrait") {
    throw new AppError(
      "conflict",
      "Variations are made from a portrait of the same character: choose one of its portraits",
    );
  }
  const image = await requireWorkingImage(db, portrait);
  const version = await chooseVersion(db, "foundation_from_portrait", input.workflowVersionId);
  const batchId = input.id ?? newId<"variation batch">();
  const baseRandomSeed = input.baseRandomSeed ?? randomSeed();
  await transact(db, async (tx) => {
    const batch = {
      id: batchId as VariationBatch["id"],
      projectId: character.projectId,
      characterId: character.id,
      portraitSeedId: portrait.id,
      workflowVersionId: version.id,
      baseRandomSeed,
      prompt: input.prompt,
      count: input.count,
    };
    if (!await queries.insertBatch(tx, batch, actor)) {
      const there = await queries.findBatch(tx, batchId);
      if (there?.characterId === characterId && there.portraitSeedId === portrait.id) return;
      throw new AppError("conflict", "Cannot make the batch: its id belongs to another one. Use a new id");
    }
    for (let index = 0; index < input.count; index++) {
      const seed = {
        id: newId<"seed">(),
        projectId: character.projectId,
        characterId,
        kind: "foundation" as const,
        origin: "generated" as const,
        derivedFromSeedId: portrait.id,
        batchId,
        randomSeed: (baseRandomSeed + index) % Number.MAX_SAFE_INTEGER,
      };
      await queries.insertSeed(tx, seed, actor);
      await generateSeed(tx, actor, version, seed, image, input.prompt, input.knobs);
      // One tells of the batch; each of the others tells of itself as it comes.
      if (index === 0) await announceSeed(tx, seed);
    }
    await audit(tx, actor, "seed.generate", {
      projectId: character.projectId,
      subject: ["variation_batch", batchId],
      facts: {
        portraitSeedId: portrait.id,
        count: input.count,
        baseRandomSeed,
        workflowVersionId: version.id,
      },
    });
  });
  return await openBatch(db, actor, batchId);
}

export async function openBatch(db: Db, actor: Actor, batchId: string): Promise<VariationBatch> {
  const batch = await queries.findBatch(db, batchId);
  await requireAccess(db, actor, batch?.projectId, "asset.read", "batch of variations");
  if (!batch) throw notFound("batch of variations");
  const { projectId: _, createdById: __, ...shown } = batch;
  return { ...shown, seeds: await queries.listSeedsOfBatch(db, batchId) };
}

async function generateSeed(
  tx: Tx,
  actor: Actor,
  version: WorkflowVersion,
  seed: queries.SeedInsert,
  image: FileRef,
  prompt: string,
  knobs: Readonly<Record<string, unknown>>,
): Promise<void> {
  const project = await openProject(tx, actor, seed.projectId, "generate");
  const size = fitSize(version.manifest.constraints, project.widthPx, project.heightPx);
  const values = { ...knobs, ...(prompt ? { prompt } : {}), seed: seed.randomSeed ?? 0, ...size };
  await submitJob(tx, {
    kind: generate,
    input: prepareGeneration(version, values, { image }),
    work: workOf(size),
    projectId: seed.projectId,
    userId: actor.userId,
    subject: { seedId: seed.id },
    workflowVersionId: version.id,
  });
}

/** The picture of a seed that has been looked into and found good. */
export async function requireWorkingImage(db: Queryable, seed: Seed): Promise<FileRef> {
  if (["making", "failed", "cancelled"].includes(seed.status)) {
    throw new AppError(
      "conflict",
      seed.failure ?? `The ${seed.kind} is not ready yet: wait until it has been looked into`,
    );
  }
  const working = await queries.findWorkingImage(db, seed.id);
  if (!working) throw new AppError("conflict", `The ${seed.kind} has no working image: give it again`);
  return working;
}

/** Random enough for pictures and exact in every JSON reader; taste, not secrecy. */
export function randomSeed(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 2 ** 32 + low;
}

export const { ensureFaceModel, findWorkingImage } = queries;
export { findFile };
