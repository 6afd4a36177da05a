import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact, type Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { writeCharacterDocument } from "#server/metadata/service.ts";
import { requireAccess } from "#server/projects/service.ts";
import type { Seed } from "./contract.ts";
import * as queries from "./queries.ts";
import { announceSeed, openSeed } from "./service.ts";

/** Where a seed's facts and its character's document are written. */
export interface SeedPlace {
  readonly db: Db;
  readonly store: FileStore;
}

type Changed = (tx: Tx, seed: Seed) => Promise<void>;

/** Changes one seed under its lock; the character's document follows. */
async function changeSeed(
  { db, store }: SeedPlace,
  actor: Actor,
  seedId: string,
  permission: Permission,
  work: Changed,
): Promise<Seed> {
  await openSeed(db, actor, seedId, permission);
  await transact(db, async (tx) => {
    const seed = await queries.lockSeed(tx, seedId);
    if (!seed) throw notFound("seed");
    await work(tx, seed);
    await writeCharacterDocument({ db: tx, store }, seed.characterId);
    await announceSeed(tx, seed);
  });
  return await openSeed(db, actor, seedId, "asset.read");
}

export async function cullSeed(
  place: SeedPlace,
  actor: Actor,
  seedId: string,
  change: { status?: "candidate" | "kept" | "rejected" | undefined; rating?: number | null | undefined },
): Promise<Seed> {
  return await changeSeed(place, actor, seedId, "character.edit", async (tx, seed) => {
    const subject: [string, string] = ["seed", seedId];
    if (change.rating !== undefined && change.rating !== seed.rating) {
      await queries.setRating(tx, seedId, change.rating);
      const facts = { before: seed.rating, rating: change.rating };
      await audit(tx, actor, "seed.rate", { projectId: seed.projectId, subject, facts });
    }
    if (change.status === undefined || change.status === seed.status) return;
    requireMade(seed);
    if (seed.status === "hero") await releaseHero(tx, seed, change.status);
    else await queries.setStatus(tx, seedId, change.status);
    const action = change.status === "rejected" ? "seed.reject" : "seed.keep";
    const facts = { before: seed.status, status: change.status };
    await audit(tx, actor, action, { projectId: seed.projectId, subject, facts });
  });
}

function requireMade(seed: Seed): void {
  if (!["making", "failed", "cancelled"].includes(seed.status)) return;
  const status = seed.status === "making" ? "still being made" : seed.status;
  throw new AppError("conflict", `This ${seed.kind} is ${status}: pick one that is there`);
}

/** The hero and its approval are given up. Refused while a clip that has begun builds on it. */
async function releaseHero(tx: Tx, hero: Seed, status: "candidate" | "kept" | "rejected"): Promise<void> {
  await requireUnused(tx, hero);
  await queries.deleteApproval(tx, hero.id);
  await queries.setStatus(tx, hero.id, status);
}

async function requireUnused(tx: Tx, hero: Seed): Promise<void> {
  const clips = await queries.listClipsOf(tx, hero.id);
  if (clips.length === 0) return;
  throw new AppError(
    "conflict",
    `The hero is used by ${clips.join(", ")}: choose another hero for ${
      clips.length === 1 ? "it" : "them"
    } first`,
    { details: { seedId: hero.id } },
  );
}

/**
 * One key: the foundation becomes the hero of its batch in place of any other, and with `approve` video may be made
 * from it.
 */
export async function chooseHero(
  place: SeedPlace,
  actor: Actor,
  seedId: string,
  input: { approve: boolean },
): Promise<Seed> {
  return await changeSeed(place, actor, seedId, "character.edit", async (tx, seed) => {
    if (input.approve) await requireAccess(tx, actor, seed.projectId, "review.finalize");
    if (seed.kind !== "foundation") {
      throw new AppError("conflict", "Only a foundation can be a hero: derive one from this portrait first");
    }
    requireMade(seed);
    if (seed.status !== "hero") {
      const other = seed.batchId ? await queries.lockHeroOf(tx, seed.batchId) : undefined;
      if (other) {
        await releaseHero(tx, other, "kept");
        await announceSeed(tx, other);
      }
      await queries.setStatus(tx, seedId, "hero");
      await audit(tx, actor, "seed.choose_hero", {
        projectId: seed.projectId,
        subject: ["seed", seedId],
        facts: { before: seed.status, instead: other?.id ?? null },
      });
    }
    if (input.approve) await approve(tx, actor, seed);
  });
}

export async function approveHero(place: SeedPlace, actor: Actor, seedId: string): Promise<Seed> {
  return await changeSeed(place, actor, seedId, "review.finalize", async (tx, seed) => {
    if (seed.status !== "hero") {
      throw new AppError("conflict", "Only a hero can be approved: choose it as hero first");
    }
    await approve(tx, actor, seed);
  });
}

/** The inverse of approveHero(): nothing may be generated from it any more. Without an approval nothing changes. */
export async function withdrawApproval(place: SeedPlace, actor: Actor, seedId: string): Promise<Seed> {
  return await changeSeed(place, actor, seedId, "review.finalize", async (tx, seed) => {
    if (!seed.approvedAt) return;
    await requireUnused(tx, seed);
    await queries.deleteApproval(tx, seedId);
    await audit(tx, actor, "seed.withdraw_approval", {
      projectId: seed.projectId,
      subject: ["seed", seedId],
      facts: { before: seed.approvedAt, hash: seed.hash },
    });
  });
}

async function approve(tx: Tx, actor: Actor, seed: Seed): Promise<void> {
  if (seed.approvedAt) return;
  await queries.insertApproval(tx, seed.id, actor);
  await audit(tx, actor, "seed.approve", {
    projectId: seed.projectId,
    subject: ["seed", seed.id],
    facts: { hash: seed.hash },
  });
}
