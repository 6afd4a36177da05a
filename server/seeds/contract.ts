import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";
import { Estimate } from "#server/jobs/contract.ts";
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
  /** By which workflow and worker it was or is being made; null for one that was given. */
  madeWith: z.nullable(z.object({
    workflowTitle: z.string(),
    /** Computed without a model: called "CPU preview" wherever it shows. */
    isCpuPreview: z.boolean(),
    workerName: z.nullable(z.string()),
    tookMs: z.nullable(z.int()),
  })),
  measures: z.nullable(z.object({
    /** Against `againstSeedId`; null when it can't be told, never 0 for that. */
    likeness: z.nullable(z.number()),
    likenessReason: z.nullable(z.string()),
    /** The portrait that a foundation was compared with; of a portrait from a foundation, that foundation. */
    againstSeedId: z.nullable(id("seed")),
    model: z.nullable(FaceModel),
    sharpness: z.number(),
    /** CIE L*a*b* of the whole picture: how light it is, and which way its colours lean. */
    meanLab: z.array(z.number()),
    dhash: z.string(),
    faces: z.int(),
    /** In pixels of the working image, the most certain first. */
    faceBoxes: z.array(z.object({
      x: z.number(),
      y: z.number(),
      width: z.number(),
      height: z.number(),
      rollDeg: z.number(),
      yawDeg: z.number(),
    })),
  })),
  createdAt: Instant,
});
export type Seed = z.infer<typeof Seed>;

const batchFields = {
  id: id("variation batch"),
  characterId: id("character"),
  portraitSeedId: id("seed"),
  workflowVersionId: id("workflow version"),
  baseRandomSeed: RandomSeed,
  prompt: z.string(),
  createdAt: Instant,
};

export const VariationBatch = z.object({ ...batchFields, seeds: z.array(Seed) });
export type VariationBatch = z.infer<typeof VariationBatch>;

/** A batch without its seeds: how far it is and what it has cost. */
export const VariationSummary = z.object({
  ...batchFields,
  workflowTitle: z.string(),
  isCpuPreview: z.boolean(),
  askedCount: z.int(),
  making: z.int(),
  ready: z.int(),
  failed: z.int(),
  heroSeedId: z.nullable(id("seed")),
  /** The hero's picture, else the newest one's. */
  coverAssetId: z.nullable(id("asset")),
  /** Time that workers have spent on it, ended attempts only. */
  spentMs: z.int(),
  /** What is left to do, in time of one worker; null when such work was never seen before. */
  leftMs: z.nullable(z.int()),
});
export type VariationSummary = z.infer<typeof VariationSummary>;

/** What a batch would take before it is asked for. */
export const VariationEstimate = z.object({
  workflowVersionId: id("workflow version"),
  workflowTitle: z.string(),
  isCpuPreview: z.boolean(),
  widthPx: z.int(),
  heightPx: z.int(),
  /** Names of the workers that can run it now. */
  workers: z.array(z.string()),
  /** Jobs that wait for these workers already. */
  aheadCount: z.int(),
  /** For one picture, in time of one worker; null when such work was never seen before. */
  each: z.nullable(Estimate),
  /** For all of them, over the workers that can run it; what waits already is not in it. */
  total: z.nullable(Estimate),
});
export type VariationEstimate = z.infer<typeof VariationEstimate>;

/** What was made from a seed and is marked stale when it is replaced. */
export const SeedUses = z.object({
  /** Seeds derived from it, and from those. */
  seeds: z.int(),
  clips: z.array(z.object({ id: id("clip"), name: z.string() })),
  takes: z.int(),
});
export type SeedUses = z.infer<typeof SeedUses>;

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

export const listVariations = endpoint({
  method: "GET",
  path: "/characters/:characterId/variations",
  can: "asset.read",
  summary: "Batches of variations of a character, newest first, with how far they are and what they cost",
  params: characterParams,
  query: IdPageQuery,
  reply: page(VariationSummary),
});

export const estimateVariations = endpoint({
  method: "GET",
  path: "/characters/:characterId/variations/estimate",
  can: "asset.read",
  summary: "What a batch of variations would take: workflow, size, workers and time",
  params: characterParams,
  query: z.object({
    count: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(64)), 4),
    workflowVersionId: z.optional(id("workflow version")),
  }),
  reply: VariationEstimate,
});

export const cancelVariations = endpoint({
  method: "POST",
  path: "/variations/:batchId/cancel",
  can: "job.control",
  summary:
    "Cancel what is still being made of a batch; what is there stays. One's own, or any with queue.admin",
  params: z.object({ batchId: id("variation batch") }),
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

export const compareSeed = endpoint({
  method: "POST",
  path: "/seeds/:seedId/compare",
  can: "character.edit",
  summary: "Measure a seed anew, against another of the same character: a pair that was given by hand",
  params: seedParams,
  body: z.object({ withSeedId: id("seed") }),
  reply: Seed,
  status: 202,
});

export const getSeedUses = endpoint({
  method: "GET",
  path: "/seeds/:seedId/uses",
  can: "asset.read",
  summary: "What was made from a seed: shown as stale once it is replaced",
  params: seedParams,
  reply: SeedUses,
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

export const withdrawApproval = endpoint({
  method: "DELETE",
  path: "/seeds/:seedId/approve",
  can: "review.finalize",
  summary:
    "Take the approval of a hero back; it stays the hero. Refused while a clip that has begun builds on it",
  params: seedParams,
  reply: Seed,
});

export const seedChanged = eventKind(
  "seed.changed",
  z.object({ seedId: z.string(), characterId: z.string(), batchId: z.nullable(z.string()) }),
);
