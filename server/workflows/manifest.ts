import * as z from "zod/mini";
import { Rate } from "#server/core/media_time.ts";
import { ApiGraph } from "#server/fleet/job_kinds.ts";

/** What a workflow is for. Pipeline code asks for a role and never for a workflow by its nodes. */
export const WorkflowRole = z.enum([
  "foundation_from_portrait",
  "portrait_from_foundation",
  "refine_portrait",
  "image_to_video",
  "first_last_to_video",
]);
export type WorkflowRole = z.infer<typeof WorkflowRole>;

/** The parameters that the pipeline itself gives; all others are knobs of one workflow. */
export const PIPELINE_PARAMETERS = {
  /** The picture to start from: hero, portrait or last kept frame. */
  image: "file",
  /** The picture to end on. */
  last_image: "file",
  /** Seed A, where a workflow has a slot for likeness. */
  reference: "file",
  prompt: "text",
  negative: "text",
  seed: "seed",
  /** Generated frames, a legal length of the workflow. */
  frames: "integer",
  width: "integer",
  height: "integer",
  rate: "rate",
} as const;
export type PipelineParameter = keyof typeof PIPELINE_PARAMETERS;
export type FileParameter = {
  [P in PipelineParameter]: (typeof PIPELINE_PARAMETERS)[P] extends "file" ? P : never;
}[PipelineParameter];

const NodeId = z.string().check(z.minLength(1), z.maxLength(100));
const Sentence = z.string().check(z.minLength(1), z.maxLength(2000));
const ParameterName = z.string().check(
  z.regex(/^[a-z][a-z0-9_]{0,39}$/, "must be lower case with underscores, e.g. camera_move"),
);

/**
 * How a value is rewritten for one input. rate_float: 23.976…; rate_num, rate_den: the parts of the fraction;
 * seed_32: modulo 2^32, for nodes that take no more; linear: value·multiply + add, rounded where said.
 */
export const Transform = z.union([
  z.enum(["rate_float", "rate_num", "rate_den", "seed_32"]),
  z.strictObject({
    multiply: z.number(),
    add: z.optional(z.number()),
    round: z.optional(z.enum(["floor", "nearest", "ceil"])),
  }),
]);
export type Transform = z.infer<typeof Transform>;

export const Place = z.strictObject({
  node: NodeId,
  input: z.string().check(z.minLength(1)),
  transform: z.optional(Transform),
});
export type Place = z.infer<typeof Place>;

export const Binding = z.strictObject({
  to: z.array(Place).check(z.minLength(1)),
  /** Without this value there is nothing to run. Else the graph's own literal stays. */
  required: z.optional(z.boolean()),
  /** Nodes to leave out, with every link to them, when an optional file is not given. */
  withoutIt: z.optional(z.array(NodeId)),
});
export type Binding = z.infer<typeof Binding>;

const KnobWords = {
  parameter: ParameterName,
  label: z.string().check(z.minLength(1), z.maxLength(40)),
  help: Sentence,
  unit: z.optional(z.string()),
};

/** A power knob: shown first, the rest of a graph sits in drawers (PRD-23). */
export const Knob = z.discriminatedUnion("kind", [
  z.strictObject({
    ...KnobWords,
    kind: z.enum(["integer", "number"]),
    min: z.number(),
    max: z.number(),
    step: z.number().check(z.positive()),
    default: z.number(),
  }),
  z.strictObject({
    ...KnobWords,
    kind: z.literal("choice"),
    options: z.array(z.strictObject({ value: z.string(), label: z.string() })).check(z.minLength(2)),
    default: z.string(),
  }),
  z.strictObject({ ...KnobWords, kind: z.literal("toggle"), default: z.boolean() }),
  z.strictObject({ ...KnobWords, kind: z.literal("text"), maxLength: z.int(), default: z.string() }),
]);
export type Knob = z.infer<typeof Knob>;

/** Lengths in frames: step·n + offset, from min to max. */
export const FrameLengths = z.strictObject({
  step: z.int().check(z.positive()),
  offset: z.int(),
  min: z.int().check(z.positive()),
  max: z.int().check(z.positive()),
});

export const Sides = z.strictObject({
  multipleOf: z.int().check(z.positive()),
  min: z.int().check(z.positive()),
  max: z.int().check(z.positive()),
});

export const VideoConstraints = z.strictObject({
  frames: FrameLengths,
  rates: z.union([z.literal("any"), z.array(Rate).check(z.minLength(1))]),
  /** How many leading frames repeat the picture, or the overlap, that a generation starts from. */
  conditionedFrames: z.int().check(z.nonnegative()),
  /** Weak last frames that are never kept. */
  discardTail: z.int().check(z.nonnegative()),
  /** The motion comes to rest on the last frame, whatever the length. */
  restsAtEnd: z.boolean(),
  /** The last frame is the picture given as last_image. */
  reachesLastImage: z.boolean(),
});
export type VideoConstraints = z.infer<typeof VideoConstraints>;

export const Constraints = z.strictObject({
  sides: Sides,
  maxPixels: z.int().check(z.positive()),
  /** For workflows that make video; absent for stills. */
  video: z.optional(VideoConstraints),
});
export type Constraints = z.infer<typeof Constraints>;

/** A model file that the graph names at `node`.`input`. */
export const RequiredModel = z.strictObject({
  /** As ComfyUI names it under `/models`: "diffusion_models", "vae" … */
  folder: z.string(),
  name: z.string(),
  node: NodeId,
  input: z.string(),
  note: z.optional(Sentence),
});
export type RequiredModel = z.infer<typeof RequiredModel>;

/**
 * What a workflow tells the pipeline about its graph: ARCHITECTURE §6. Whether the two agree is told by
 * `checkTemplate`; whether a worker can run them by `requirementsMissing`.
 */
export const WorkflowManifest = z.strictObject({
  schemaVersion: z.literal(1),
  code: z.string().check(z.regex(/^[a-z0-9][a-z0-9_]{1,59}$/, "must be lower case with underscores")),
  title: z.string().check(z.minLength(1), z.maxLength(80)),
  role: WorkflowRole,
  summary: Sentence,
  /** Made by the CPU engine: honest pictures without a model, called "CPU preview" wherever they show. */
  cpuPreview: z.boolean(),
  bindings: z.record(ParameterName, Binding),
  result: z.strictObject({
    node: NodeId,
    /** frames: one still per frame, in order. */
    kind: z.enum(["image", "video", "frames"]),
    lossless: z.boolean(),
  }),
  constraints: Constraints,
  knobs: z.array(Knob).check(z.maxLength(8)),
  requires: z.strictObject({
    nodes: z.array(z.string()).check(z.minLength(1)),
    models: z.array(RequiredModel),
    /** Graphics memory below which it is not worth trying, in bytes; an estimate. */
    vramBytes: z.optional(z.int()),
  }),
  /** Why the graph is built as it is; what to know before changing it. */
  notes: z.array(Sentence),
  licence: Sentence,
});
export type WorkflowManifest = z.infer<typeof WorkflowManifest>;

/** A workflow as a file: the manifest and its ComfyUI graph in API format. */
export const WorkflowTemplate = z.strictObject({
  $schema: z.optional(z.string()),
  manifest: WorkflowManifest,
  graph: ApiGraph,
});
export type WorkflowTemplate = z.infer<typeof WorkflowTemplate>;

/** The JSON Schema (2020-12) of a template file, for editors and for people who write their own. */
export function templateJsonSchema(): Record<string, unknown> {
  return {
    title: "Seedloop workflow template",
    description: "A ComfyUI API-format graph with the manifest that binds it to the pipeline's parameters.",
    ...z.toJSONSchema(WorkflowTemplate),
  };
}

/** Stands in `filename_prefix` inputs; the bridge puts the job's own folder there. */
export const PREFIX_MARKER = "%SEEDLOOP_PREFIX%";
