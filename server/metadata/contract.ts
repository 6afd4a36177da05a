import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import { Rate } from "#server/core/media_time.ts";
import { Instant } from "#server/core/time.ts";

/** Raised with every change of shape: the last number for additions, the first when readers must change. */
export const SCHEMA_VERSION = "1.1.0";

export const DocumentKind = z.enum(["character", "video"]);
export type DocumentKind = z.infer<typeof DocumentKind>;

const Person = z.nullable(z.object({ id: id("user"), name: z.string() }));

const Likeness = z.nullable(z.object({
  model: z.object({ name: z.string(), sha256: z.string(), metric: z.string() }),
  median: z.nullable(z.number()),
  min: z.nullable(z.number()),
  coverage: z.number(),
}));

/** `character_metadata.json`: the subject, its seeds, where they came from and how they measure. */
export const CharacterMetadata = z.object({
  $schema: z.string(),
  schema_version: z.literal(SCHEMA_VERSION),
  document_version: z.int(),
  written_at: Instant,
  project: z.object({ id: id("project"), name: z.string() }),
  character: z.object({
    id: id("character"),
    name: z.string(),
    description: z.string(),
    status: z.string(),
    created_at: Instant,
  }),
  seeds: z.array(z.object({
    id: id("seed"),
    kind: z.enum(["portrait", "foundation"]),
    origin: z.string(),
    status: z.string(),
    sha256: ContentHash,
    media_type: z.string(),
    width_px: z.nullable(z.int()),
    height_px: z.nullable(z.int()),
    derived_from: z.nullable(id("seed")),
    random_seed: z.nullable(z.int()),
    stale_at: z.nullable(Instant),
    approved_at: z.nullable(Instant),
    likeness: z.nullable(z.number()),
    sharpness: z.nullable(z.number()),
    created_at: Instant,
  })),
});
export type CharacterMetadata = z.infer<typeof CharacterMetadata>;

/** `video_metadata.json`: technical facts, provenance of each segment, measures and the outcome of review. */
export const VideoMetadata = z.object({
  $schema: z.string(),
  schema_version: z.literal(SCHEMA_VERSION),
  document_version: z.int(),
  written_at: Instant,
  project: z.object({ id: id("project"), name: z.string() }),
  scene: z.object({ id: id("scene"), name: z.string() }),
  clip: z.object({ id: id("clip"), name: z.string(), prompt: z.string(), negative_prompt: z.string() }),
  character: z.object({ id: id("character"), name: z.string() }),
  cut: z.object({
    id: id("cut"),
    number: z.int(),
    sha256: ContentHash,
    size_bytes: z.int(),
    media_type: z.string(),
  }),
  technical: z.object({
    rate: Rate,
    frames: z.int(),
    duration_us: z.int(),
    start_timecode: z.string(),
    width_px: z.int(),
    height_px: z.int(),
    codec: z.nullable(z.string()),
    pixel_format: z.nullable(z.string()),
    color_primaries: z.nullable(z.string()),
    color_transfer: z.nullable(z.string()),
    color_matrix: z.nullable(z.string()),
    color_range: z.nullable(z.string()),
    conform: z.object({ rule: z.string(), native_rate: z.nullable(Rate) }),
  }),
  hero: z.object({ seed_id: z.nullable(id("seed")), sha256: z.nullable(ContentHash) }),
  portrait: z.object({ seed_id: z.nullable(id("seed")), sha256: z.nullable(ContentHash) }),
  segments: z.array(z.object({
    index: z.int(),
    take_id: id("take"),
    take_number: z.int(),
    /** Frames of the cut: first included, last included. */
    first_frame: z.int(),
    last_frame: z.int(),
    source_first_frame: z.int(),
    source_frame_count: z.int(),
    /** So many frames at the generated rate were made of the source's by motion; null: each is as it was made. */
    retimed_frame_count: z.nullable(z.int()),
    source_sha256: z.nullable(ContentHash),
    random_seed: z.int(),
    stability: z.nullable(z.number()),
    likeness: Likeness,
    gate: z.object({ verdict: z.nullable(z.string()), reasons: z.array(z.string()) }),
    starts_from_take_id: z.nullable(id("take")),
    start_sha256: ContentHash,
    provenance: z.nullable(z.object({
      workflow: z.nullable(z.object({ code: z.string(), version: z.int(), content_hash: z.string() })),
      worker: z.nullable(z.string()),
      software: z.string(),
      software_version: z.string(),
      graph: z.nullable(z.record(z.string(), z.unknown())),
      parameters: z.record(z.string(), z.unknown()),
      models: z.array(z.object({ folder: z.string(), name: z.string(), sha256: z.nullable(z.string()) })),
      inputs: z.record(z.string(), ContentHash),
      timings: z.record(z.string(), z.unknown()),
    })),
  })),
  quality: z.object({
    likeness: Likeness,
    /** What the gates said of the whole cut; `segment` (from 1) is the one they spoke of. Null: never judged. */
    gate: z.nullable(
      z.object({ verdict: z.string(), reasons: z.array(z.string()), segment: z.nullable(z.int()) }),
    ),
    seams: z.array(z.object({
      frame: z.int(),
      verdict: z.string(),
      jump: z.number(),
      reversal: z.nullable(z.number()),
      color_step: z.number(),
      luma_step: z.number(),
      sharpness_ratio: z.number(),
      reasons: z.array(z.string()),
    })),
  }),
  review: z.object({
    outcome: z.string(),
    decisions: z.array(
      z.object({
        decision: z.string(),
        by: Person,
        at: Instant,
        sha256: ContentHash,
        note: z.string(),
        undone_at: z.nullable(Instant),
      }),
    ),
  }),
});
export type VideoMetadata = z.infer<typeof VideoMetadata>;

export const getCharacterSchema = endpoint({
  method: "GET",
  path: "/schemas/character_metadata",
  can: "anyone",
  summary: "JSON Schema of character_metadata.json",
  reply: z.record(z.string(), z.unknown()),
});

export const getVideoSchema = endpoint({
  method: "GET",
  path: "/schemas/video_metadata",
  can: "anyone",
  summary: "JSON Schema of video_metadata.json",
  reply: z.record(z.string(), z.unknown()),
});

export const getCharacterMetadata = endpoint({
  method: "GET",
  path: "/characters/:characterId/metadata",
  can: "asset.read",
  summary: "The newest character_metadata.json",
  params: z.object({ characterId: id("character") }),
  raw: { reply: "application/json" },
});

export const getVideoMetadata = endpoint({
  method: "GET",
  path: "/cuts/:cutId/metadata",
  can: "asset.read",
  summary: "The newest video_metadata.json of a cut",
  params: z.object({ cutId: id("cut") }),
  raw: { reply: "application/json" },
});
