import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { id } from "#server/core/id.ts";

/** How far the sample project is; each step follows from what is there, so nothing is lost when nobody looks. */
const SampleStep = z.enum(["none", "portrait", "foundations", "clip", "ready", "failed"]);
export type SampleStep = z.infer<typeof SampleStep>;

export const Sample = z.object({
  step: SampleStep,
  /** Why it does not go on, as a sentence with the mend. */
  failure: z.nullable(z.string()),
  projectId: z.nullable(id("project")),
  characterId: z.nullable(id("character")),
  portrait: z.nullable(z.object({ seedId: id("seed"), assetId: z.nullable(id("asset")) })),
  foundations: z.array(z.object({
    seedId: id("seed"),
    assetId: z.nullable(id("asset")),
    isHero: z.boolean(),
    likeness: z.nullable(z.number()),
  })),
  clip: z.nullable(z.object({
    clipId: id("clip"),
    sceneId: id("scene"),
    frames: z.int(),
    segmentsReady: z.int(),
    /** The cut to watch, when it is there. */
    cutAssetId: z.nullable(id("asset")),
  })),
});
export type Sample = z.infer<typeof Sample>;

export const getSample = endpoint({
  method: "GET",
  path: "/first-run/sample",
  can: "project.create",
  summary: "How far one's sample project is; changes nothing",
  reply: Sample,
});

export const advanceSample = endpoint({
  method: "POST",
  path: "/first-run/sample",
  can: "project.create",
  summary:
    "Make one's sample project from the portrait that comes with the studio, or go on with it: call again whenever a job of it has ended",
  reply: Sample,
});
