import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";
import { FaceModel } from "./job_kinds.ts";

/** A = portrait, B = foundation (the full frame from which video starts). */
export const SeedKind = z.enum(["portrait", "foundation"]);
export type SeedKind = z.infer<typeof SeedKind>;
export const SeedOrigin = z.enum(["given", "generated", "derived"]);
export type SeedOrigin = z.infer<typeof SeedOrigin>;
export const SeedStatus = z.enum(["making", "candidate", "kept", "rejected", "hero", "failed", "cancelled"]);
export type SeedStatus = z.infer<typeof SeedStatus>;

/** Random seeds stay within what every JSON reader keeps exactly. */
export const RandomSeed = z.int().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER));
export const Prompt = z.string().check(z.maxLength(8000));

export const Seed = z.object({
  id: id("seed"),
  projectId: id("project"),
  characterId: id("character"),
  kind: SeedKind,
  origin: SeedOrigin,
  status: SeedStatus,
  assetId: z.nullable(id("asset")),
  hash: z.nullable(ContentHash),
  derivedFromSeedId: z.nullable(id("seed")),
  /** Whose place it took or, while it is looked into, will take. */
  replacesSeedId: z.nullable(id("seed")),
  batchId: z.nullable(id("variation batch")),
  randomSeed: z.nullable(RandomSeed),
  rating: z.nullable(z.int()),
  /** Why it failed, as a sentence. */
  failure: z.nullable(z.string()),
  /** Since when what it was made from has been replaced. */
  staleAt: z.nullable(Instant),
  approvedAt: z.nullable(Instant),
  measures: z.nullable(z.object({
    /** Against the character's portrait; null when it can't be told, never 0 for that. */
    likeness: z.nullable(z.number()),
    likenessReason: z.nullable(z.string()),
    model: z.nullable(FaceModel),
    sharpness: z.number(),
    dhash: z.string(),
    faces: z.int(),
  })),
  createdAt: Instant,
});
export type Seed = z.infer<typeof Seed>;

export const VariationBatch = z.object({
  id: id("variation batch"),
  characterId: id("character"),
  portraitSeedId: id("seed"),
  workflowVersionId: id("workflow version"),
  baseRandomSeed: RandomSeed,
  prompt: z.string(),
  createdAt: Instant,
  seeds: z.array(Seed),
});
export type VariationBatch = z.infer<typeof VariationBatch>;

const characterParams = z.object({ characterId: id("character") });
const seedParams = z.object({ seedId: id("seed") });

export const listSeeds = endpoint({
  method: "GET",
  path: "/characters/:characterId/seeds",
  can: "asset.read",
  summary: "Seeds of a character, newest first",
  params: characterParams,
  query: z.extend(IdPageQuery, { kind: z.optional(SeedKind), batchId: z.optional(id("variation batch")) }),
  reply: page(Seed),
});

export const addSeed = endpoint({
  method: "POST",
  path: "/characters/:characterId/seeds",
  can: "character.edit",
  summary:
    "Give a still as portrait (A) or foundation (B); it is looked into and measured before it may be used",
  params: characterParams,
  body: z.object({
    id: z.optional(id("seed")),
    kind: SeedKind,
    assetId: id("asset"),
    /** A seed that this one replaces: what was made from that is shown as stale. */
    replacesSeedId: z.optional(id("seed")),
  }),
  reply: Seed,
  status: 202,
});

export const deriveSeed = endpoint({
  method: "POST",
  path: "/seeds/:seedId/derive",
  can: "generate",
  summary:
    "Make the other kind from this seed: a portrait from a foundation (B→A), or one foundation from a portrait (A→B)",
  params: seedParams,
  body: z.object({
    id: z.optional(id("seed")),
    workflowVersionId: z.optional(id("workflow version")),
    randomSeed: z.optional(RandomSeed),
    prompt: z._default(Prompt, ""),
  }),
  reply: Seed,
  status: 202,
});

export const createVariations = endpoint({
  method: "POST",
  path: "/characters/:characterId/variations",
  can: "generate",
  summary: "Generate a batch of foundation variations from a portrait",
  params: characterParams,
  body: z.object({
    id: z.optional(id("variation batch")),
    portraitSeedId: id("seed"),
    count: z._default(z.int().check(z.minimum(1), z.maximum(64)), 4),
    workflowVersionId: z.optional(id("workflow version")),
    baseRandomSeed: z.optional(RandomSeed),
    prompt: z._default(Prompt, ""),
    /** Values of the workflow's knobs, by parameter. */
    knobs: z._default(z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])), {}),
  }),
  reply: VariationBatch,
  status: 202,
});

export const getVariations = endpoint({
  method: "GET",
  path: "/variations/:batchId",
  can: "asset.read",
  summary: "A batch of variations with its seeds",
  params: z.object({ batchId: id("variation batch") }),
  reply: VariationBatch,
});

export const getSeed = endpoint({
  method: "GET",
  path: "/seeds/:seedId",
  can: "asset.read",
  summary: "One seed",
  params: seedParams,
  reply: Seed,
});

export const cullSeed = endpoint({
  method: "PATCH",
  path: "/seeds/:seedId",
  can: "character.edit",
  summary: "Keep, reject or rate a seed",
  params: seedParams,
  body: z.object({
    status: z.optional(z.enum(["candidate", "kept", "rejected"])),
    rating: z.optional(z.nullable(z.int().check(z.minimum(1), z.maximum(5)))),
  }),
  reply: Seed,
});

export const chooseHero = endpoint({
  method: "POST",
  path: "/seeds/:seedId/hero",
  can: "character.edit",
  summary: "Pick a foundation as hero; with `approve` it is also approved, which video needs",
  params: seedParams,
  body: z.object({ approve: z._default(z.boolean(), true) }),
  reply: Seed,
});

export const approveHero = endpoint({
  method: "POST",
  path: "/seeds/:seedId/approve",
  can: "review.finalize",
  summary: "Approve a hero: clips may then be generated from it",
  params: seedParams,
  reply: Seed,
});

export const seedChanged = eventKind(
  "seed.changed",
  z.object({ seedId: z.string(), characterId: z.string(), batchId: z.nullable(z.string()) }),
);
