import * as z from "zod/mini";
import { FileRef } from "#server/core/file_ref.ts";
import { jobKind } from "#server/core/job_kind.ts";
import { Rate } from "#server/core/media_time.ts";
import { SpriteLayout } from "#server/core/sprite_layout.ts";

/** What is known of a media file after looking inside it. Sizes are as displayed (rotation applied). */
export const MediaFacts = z.object({
  kind: z.enum(["image", "video", "audio", "document"]),
  mediaType: z.string(),
  container: z.string(),
  codec: z.optional(z.string()),
  widthPx: z.optional(z.int()),
  heightPx: z.optional(z.int()),
  rotationDeg: z.optional(z.int()),
  pixelFormat: z.optional(z.string()),
  bitDepth: z.optional(z.int()),
  hasAlpha: z.optional(z.boolean()),
  rate: z.optional(Rate),
  isConstantRate: z.optional(z.boolean()),
  frameCount: z.optional(z.int()),
  durationUs: z.optional(z.int()),
  colorPrimaries: z.optional(z.string()),
  colorTransfer: z.optional(z.string()),
  colorMatrix: z.optional(z.string()),
  colorRange: z.optional(z.string()),
  hasAudio: z.optional(z.boolean()),
});
export type MediaFacts = z.infer<typeof MediaFacts>;

/**
 * Looks inside a file. A still also gets its working image: upright, sRGB, 8 bit, no alpha (flattened on
 * mid grey), PNG, at most 4096 px a side; that is what generation and faces read. Bad media: GiveUp with the reason.
 */
export const inspectMedia = jobKind({
  code: "media.inspect",
  lane: "cpu",
  thread: "media",
  timeoutMs: 120_000,
  standsAlone: true,
  input: z.object({ file: FileRef, fileName: z.optional(z.string()) }),
  output: z.object({ facts: MediaFacts, working: z.optional(FileRef), thumbnail: z.optional(FileRef) }),
});

/** Review proxy (constant rate, short closed GOP, no B-frames; its frame n is the source's frame n), poster, hover sprite. */
export const makeProxy = jobKind({
  code: "media.proxy",
  lane: "cpu",
  thread: "media",
  timeoutMs: 600_000,
  standsAlone: true,
  input: z.object({ file: FileRef, rate: Rate, frameCount: z.int(), heightPx: z.optional(z.int()) }),
  output: z.object({ proxy: FileRef, poster: FileRef, sprite: FileRef, spriteLayout: SpriteLayout }),
});
