import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Rate } from "#server/core/media_time.ts";
import { Name } from "#server/core/name.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { SpriteLayout } from "#server/core/sprite_layout.ts";
import { Instant } from "#server/core/time.ts";
import { Estimate } from "#server/jobs/contract.ts";
import { Prompt, RandomSeed } from "#server/seeds/contract.ts";
import { ConformRule, FrameCurves, LikenessTrack, Seam } from "./job_kinds.ts";

export const ClipStatus = z.enum([
  "draft",
  "generating",
  "paused",
  "needs_attention",
  "stitching",
  "in_review",
  "final",
  "trashed",
]);
export type ClipStatus = z.infer<typeof ClipStatus>;
export const SegmentStatus = z.enum(["planned", "generating", "ready", "failed", "removed"]);
export const TakeStatus = z.enum([
  "generating",
  "ingesting",
  "measuring",
  "ready",
  "rejected",
  "failed",
  "cancelled",
]);
export type TakeStatus = z.infer<typeof TakeStatus>;
export const CutStatus = z.enum([
  "stitching",
  "measuring",
  "ready",
  "rejected",
  "final",
  "superseded",
  "failed",
]);
export const GateVerdict = z.enum(["pass", "heal", "reroll", "ask"]);
export const SeamVerdict = z.enum(["pass", "warn", "fail"]);

const Knobs = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const Frames = z.int().check(z.minimum(1, "must be at least one frame"), z.maximum(200_000));

export const Clip = z.object({
  id: id("clip"),
  projectId: id("project"),
  sceneId: id("scene"),
  characterId: id("character"),
  name: z.string(),
  position: z.int(),
  status: ClipStatus,
  portraitSeedId: z.nullable(id("seed")),
  heroSeedId: z.nullable(id("seed")),
  workflowVersionId: z.nullable(id("workflow version")),
  /** Asked length in frames at the project's rate. */
  frames: z.int(),
  rate: Rate,
  prompt: z.string(),
  negativePrompt: z.string(),
  randomSeed: RandomSeed,
  /** Takes whose median likeness is below this are made again, then a person is asked. Null: no gate. */
  likenessFloor: z.nullable(z.number()),
  rerollLimit: z.int(),
  /** Share by which the last segment may be slowed or hurried so that it ends on a calm frame; 0 never. */
  retimeLimit: z.number(),
  knobs: Knobs,
  /** Why a person is needed, as a sentence. */
  attention: z.nullable(z.string()),
  createdAt: Instant,
});
export type Clip = z.infer<typeof Clip>;

/** A clip as one picture: the newest cut that counts, else the newest chosen take, else the newest one; null while nothing is made. */
export const ClipCard = z.extend(Clip, {
  picture: z.nullable(z.object({ assetId: id("asset"), sprite: z.nullable(SpriteLayout) })),
});
export type ClipCard = z.infer<typeof ClipCard>;

export const Take = z.object({
  id: id("take"),
  segmentId: id("segment"),
  number: z.int(),
  status: TakeStatus,
  isChosen: z.boolean(),
  randomSeed: RandomSeed,
  rate: Rate,
  frameCount: z.nullable(z.int()),
  /** Kept are frames 0…endFrame. */
  endFrame: z.nullable(z.int()),
  stability: z.nullable(z.number()),
  likeness: z.nullable(
    z.object({ median: z.nullable(z.number()), min: z.nullable(z.number()), coverage: z.number() }),
  ),
  assetId: z.nullable(id("asset")),
  /** Where the pictures of its hover sprite lie; null while it has none. */
  sprite: z.nullable(SpriteLayout),
  endImageAssetId: z.nullable(id("asset")),
  gate: z.nullable(z.object({ verdict: GateVerdict, reasons: z.array(z.string()) })),
  failure: z.nullable(z.string()),
  /** Since when the clip no longer goes by it: it was made from, or followed by, another picture. Never deleted. */
  staleAt: z.nullable(Instant),
  /** It is stitched slowed or hurried to so many frames; null as long as it is. */
  retimedFrames: z.nullable(z.int()),
  /** It was made to end on the first picture of the segment after it, which so could stay. */
  meetsNext: z.boolean(),
  createdAt: Instant,
});
export type Take = z.infer<typeof Take>;

export const Segment = z.object({
  id: id("segment"),
  index: z.int(),
  status: SegmentStatus,
  /** Its own; null: the clip's. */
  prompt: z.nullable(z.string()),
  /** Its own; null: it follows from the clip's. */
  randomSeed: z.nullable(RandomSeed),
  /** Own length in frames at the clip's rate, about which its end is looked for; null: as planned. */
  askedFrames: z.nullable(z.int()),
  /** Its chosen take is being made again while all after it stays. */
  isRemade: z.boolean(),
  lockedAt: z.nullable(Instant),
  takes: z.array(Take),
});
export type Segment = z.infer<typeof Segment>;

export const Cut = z.object({
  id: id("cut"),
  clipId: id("clip"),
  number: z.int(),
  status: CutStatus,
  rate: Rate,
  widthPx: z.int(),
  heightPx: z.int(),
  frames: z.int(),
  conform: ConformRule,
  assetId: z.nullable(id("asset")),
  /** Where the pictures of its hover sprite lie; null while it has none. */
  sprite: z.nullable(SpriteLayout),
  failure: z.nullable(z.string()),
  parts: z.array(
    z.object({
      takeId: id("take"),
      firstFrame: z.nullable(z.int()),
      sourceFrameCount: z.int(),
      /** So many frames are made of the source's; null: each is taken as it is. */
      retimedFrameCount: z.nullable(z.int()),
    }),
  ),
  seams: z.array(Seam),
  likeness: z.nullable(
    z.object({ median: z.nullable(z.number()), min: z.nullable(z.number()), coverage: z.number() }),
  ),
  /** What the gates say of the whole cut; `segment` (from 1) is the one that a new take would mend. */
  gate: z.nullable(
    z.object({ verdict: GateVerdict, reasons: z.array(z.string()), segment: z.nullable(z.int()) }),
  ),
  createdAt: Instant,
});
export type Cut = z.infer<typeof Cut>;

export const ClipState = z.extend(Clip, { segments: z.array(Segment), cuts: z.array(Cut) });
export type ClipState = z.infer<typeof ClipState>;

export const Plan = z.object({
  /** "Plan 144 frames · 3 segments" */
  summary: z.string(),
  askedFrames: z.int(),
  generatedFrames: z.int(),
  rate: Rate,
  nativeRate: Rate,
  conform: ConformRule,
  /** No run of the loop takes more segments than this. */
  bound: z.int(),
  workflowVersionId: id("workflow version"),
  workflowTitle: z.string(),
  isCpuPreview: z.boolean(),
  /** How long it would take once it starts, from what such work took lately; null when that was never seen. */
  estimate: z.nullable(Estimate),
  /** Why no worker can run the workflow now, as a sentence, and what each lacks; null when one can. */
  blocked: z.nullable(z.object({
    sentence: z.string(),
    workers: z.array(z.object({ name: z.string(), status: z.string(), missing: z.array(z.string()) })),
  })),
  widthPx: z.int(),
  heightPx: z.int(),
  segments: z.array(z.object({
    index: z.int(),
    state: z.enum(["accepted", "next", "later"]),
    keepFrames: z.int(),
    generateFrames: z.nullable(z.int()),
    firstFrame: z.int(),
    frames: z.int(),
    window: z.int(),
    exact: z.boolean(),
  })),
});
export type Plan = z.infer<typeof Plan>;

const RetimeLimit = z.number().check(z.minimum(0), z.maximum(0.04, "must be at most 0.04 (4 %)"));

/**
 * What becomes of the segments after one that is made again. "replan": they are planned anew from its new end, and
 * their takes become stale. "keep": they stay as they are, and the new take is made to end on their first picture.
 */
const Following = z.enum(["replan", "keep"]);
export type Following = z.infer<typeof Following>;

const ClipWords = {
  prompt: z._default(Prompt, ""),
  negativePrompt: z._default(Prompt, ""),
  likenessFloor: z._default(z.nullable(z.number().check(z.minimum(0), z.maximum(1))), null),
  rerollLimit: z._default(z.int().check(z.minimum(0), z.maximum(20)), 2),
  retimeLimit: z._default(RetimeLimit, 0),
  knobs: z._default(Knobs, {}),
};

const ClipInput = z.object({
  id: z.optional(id("clip")),
  name: Name,
  characterId: id("character"),
  frames: Frames,
  portraitSeedId: z.optional(id("seed")),
  heroSeedId: z.optional(id("seed")),
  workflowVersionId: z.optional(id("workflow version")),
  randomSeed: z.optional(RandomSeed),
  ...ClipWords,
});
export type ClipInput = z.output<typeof ClipInput>;

const ClipChange = z.object({
  name: z.optional(Name),
  position: z.optional(z.int()),
  frames: z.optional(Frames),
  portraitSeedId: z.optional(z.nullable(id("seed"))),
  heroSeedId: z.optional(z.nullable(id("seed"))),
  workflowVersionId: z.optional(z.nullable(id("workflow version"))),
  randomSeed: z.optional(RandomSeed),
  prompt: z.optional(Prompt),
  negativePrompt: z.optional(Prompt),
  likenessFloor: z.optional(z.nullable(z.number().check(z.minimum(0), z.maximum(1)))),
  rerollLimit: z.optional(z.int().check(z.minimum(0), z.maximum(20))),
  retimeLimit: z.optional(RetimeLimit),
  knobs: z.optional(Knobs),
  trash: z.optional(z.boolean()),
});
export type ClipChange = z.output<typeof ClipChange>;

const clipParams = z.object({ clipId: id("clip") });
const segmentParams = z.object({ segmentId: id("segment") });

export const listClips = endpoint({
  method: "GET",
  path: "/scenes/:sceneId/clips",
  can: "project.read",
  summary: "Clips of a scene in order",
  params: z.object({ sceneId: id("scene") }),
  query: IdPageQuery,
  reply: page(ClipCard),
});

export const createClip = endpoint({
  method: "POST",
  path: "/scenes/:sceneId/clips",
  can: "clip.edit",
  summary: "Add a clip at the end of a scene. The same id twice is the same clip",
  params: z.object({ sceneId: id("scene") }),
  body: ClipInput,
  reply: Clip,
  status: 201,
});

export const getClip = endpoint({
  method: "GET",
  path: "/clips/:clipId",
  can: "project.read",
  summary: "A clip with its segments, takes and cuts",
  params: clipParams,
  reply: ClipState,
});

export const changeClip = endpoint({
  method: "PATCH",
  path: "/clips/:clipId",
  can: "clip.edit",
  summary: "Change a clip; its takes stay and what no longer fits is planned again",
  params: clipParams,
  body: ClipChange,
  reply: Clip,
});

export const planClip = endpoint({
  method: "GET",
  path: "/clips/:clipId/plan",
  can: "project.read",
  summary: "What generating would do: segments, frames, size and rate, before anything runs",
  params: clipParams,
  reply: Plan,
});

export const generateClip = endpoint({
  method: "POST",
  path: "/clips/:clipId/generate",
  can: "generate",
  summary: "Run the loop until the cut is there, or go on after a pause. Refused without an approved hero",
  params: clipParams,
  reply: ClipState,
  status: 202,
});

export const pauseClip = endpoint({
  method: "POST",
  path: "/clips/:clipId/pause",
  can: "generate",
  summary: "Stop after the step that runs now; nothing made is lost",
  params: clipParams,
  reply: ClipState,
});

export const changeSegment = endpoint({
  method: "PATCH",
  path: "/segments/:segmentId",
  can: "clip.edit",
  summary: "Give a segment its own prompt, seed or length for its next take; lock or unlock its chosen one",
  params: segmentParams,
  body: z.object({
    prompt: z.optional(z.nullable(Prompt)),
    randomSeed: z.optional(z.nullable(RandomSeed)),
    askedFrames: z.optional(z.nullable(Frames)),
    isLocked: z.optional(z.boolean()),
  }),
  reply: ClipState,
});

const followingBody = {
  /** Absent: "keep" when a later segment is locked, else "replan". */
  following: z.optional(Following),
};

export const rerollSegment = endpoint({
  method: "POST",
  path: "/segments/:segmentId/reroll",
  can: "generate",
  summary: "Make another take of a segment. Those after it are planned again, or stay and are met exactly",
  params: segmentParams,
  body: z.object({ randomSeed: z.optional(RandomSeed), ...followingBody }),
  reply: ClipState,
  status: 202,
});

export const extendSegment = endpoint({
  method: "POST",
  path: "/segments/:segmentId/extend",
  can: "generate",
  summary: "Make a segment longer by a new take: the clip stays as long and the rest is planned again, or " +
    "what follows stays and the clip becomes longer",
  params: segmentParams,
  body: z.object({
    /** So many frames more, at the clip's rate. */
    frames: Frames,
    randomSeed: z.optional(RandomSeed),
    ...followingBody,
  }),
  reply: ClipState,
  status: 202,
});

export const chooseTake = endpoint({
  method: "POST",
  path: "/takes/:takeId/choose",
  can: "clip.edit",
  summary: "Use this take for its segment; later segments that built on another are planned again",
  params: z.object({ takeId: id("take") }),
  reply: ClipState,
});

export const stitchClip = endpoint({
  method: "POST",
  path: "/clips/:clipId/stitch",
  can: "generate",
  summary: "Stitch the chosen takes to a new cut",
  params: clipParams,
  reply: ClipState,
  status: 202,
});

export const keepCut = endpoint({
  method: "POST",
  path: "/cuts/:cutId/keep",
  can: "clip.edit",
  summary: "Keep a cut that its gates have asked about: the clip goes to review with it as it is",
  params: z.object({ cutId: id("cut") }),
  reply: ClipState,
});

const Limits = z.object({ warn: z.number(), fail: z.number() });

/** Where the gates remark and where they fail what was measured. Null where no gate judges it. */
export const MeasureLimits = z.object({
  /** Motion over the noise about a take's end, in luma levels: at most. */
  rest: z.nullable(Limits),
  /** ΔE of the mean colour of a take's last 8 frames from that of the first take's first 8: at most. */
  colour: z.nullable(Limits),
  /** By the model that scored it: the least score, and how far it may fall under the first segment's. */
  likeness: z.nullable(z.object({ score: Limits, drop: Limits })),
});
export type MeasureLimits = z.infer<typeof MeasureLimits>;

const Measures = z.object({
  curves: z.nullable(z.partial(FrameCurves)),
  likeness: z.nullable(z.partial(LikenessTrack)),
  limits: MeasureLimits,
});

export const getTakeMeasures = endpoint({
  method: "GET",
  path: "/takes/:takeId/measures",
  can: "asset.read",
  summary: "A take's curves and its likeness over time",
  params: z.object({ takeId: id("take") }),
  reply: Measures,
});

export const getCutMeasures = endpoint({
  method: "GET",
  path: "/cuts/:cutId/measures",
  can: "asset.read",
  summary:
    "A cut's curves and its likeness over time, as its gate saw them; mean colour is kept of takes only",
  params: z.object({ cutId: id("cut") }),
  reply: Measures,
});

export const clipChanged = eventKind("clip.changed", z.object({ clipId: z.string(), sceneId: z.string() }));
export const takeChanged = eventKind("take.changed", z.object({ takeId: z.string(), clipId: z.string() }));
export const cutChanged = eventKind("cut.changed", z.object({ cutId: z.string(), clipId: z.string() }));
