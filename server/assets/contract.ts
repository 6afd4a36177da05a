import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { SpriteLayout } from "#server/core/sprite_layout.ts";
import { Instant } from "#server/core/time.ts";
import { MediaFacts } from "./job_kinds.ts";

export const AssetKind = z.enum([
  "upload",
  "portrait",
  "foundation",
  "take_raw",
  "take",
  "end_image",
  "cut",
  "cut_intermediate",
  "master",
  "sidecar",
  "metadata",
  "attachment",
  "generated",
]);
export type AssetKind = z.infer<typeof AssetKind>;

export const RetentionClass = z.enum(["protected", "keep", "reclaimable", "scratch"]);
export type RetentionClass = z.infer<typeof RetentionClass>;

/** What was computed from a file and can be computed again. */
export const DerivativeKind = z.enum(["working_image", "thumbnail", "poster", "proxy", "sprite", "waveform"]);
export type DerivativeKind = z.infer<typeof DerivativeKind>;

/** How far looking into an uploaded file is. */
export const InspectionStatus = z.enum(["waiting", "done", "failed"]);
export type InspectionStatus = z.infer<typeof InspectionStatus>;

export const Asset = z.object({
  id: id("asset"),
  projectId: z.nullable(id("project")),
  kind: AssetKind,
  retention: RetentionClass,
  name: z.string(),
  hash: ContentHash,
  sizeBytes: z.int(),
  mediaType: z.string(),
  /** Null until the file has been looked into. */
  facts: z.nullable(z.partial(MediaFacts)),
  /** Derivatives that are there: `/assets/:assetId/derivatives/:kind` serves them. */
  derivatives: z.array(DerivativeKind),
  /** Where the pictures of its hover sprite lie; null while it has none. */
  sprite: z.nullable(SpriteLayout),
  /** Of an uploaded picture or video, what became of looking into it; null for all others. */
  inspection: z.nullable(z.object({
    status: InspectionStatus,
    /** Why it can't be used, as a sentence. */
    failure: z.nullable(z.string()),
  })),
  createdAt: Instant,
});
export type Asset = z.infer<typeof Asset>;

const assetParams = z.object({ assetId: id("asset") });

export const uploadAsset = endpoint({
  method: "POST",
  path: "/projects/:projectId/assets",
  can: "asset.upload",
  summary:
    "Upload a file as the request's body, streamed. Browsers and large files use the resumable /uploads",
  params: z.object({ projectId: id("project") }),
  query: z.object({
    name: z.string().check(
      z.trim(),
      z.minLength(1),
      z.maxLength(255),
      z.regex(/^[^\p{Cc}/\\]*$/u, "must be a file name, no path"),
    ),
    /** SHA-256 that the content must have. */
    sha256: z.optional(ContentHash),
    id: z.optional(id("asset")),
  }),
  raw: { body: "application/octet-stream" },
  reply: Asset,
  status: 201,
});

export const listAssets = endpoint({
  method: "GET",
  path: "/projects/:projectId/assets",
  can: "asset.read",
  summary: "Assets of a project, newest first",
  params: z.object({ projectId: id("project") }),
  query: z.extend(IdPageQuery, { kind: z.optional(AssetKind) }),
  reply: page(Asset),
});

export const getAsset = endpoint({
  method: "GET",
  path: "/assets/:assetId",
  can: "asset.read",
  summary: "One asset",
  params: assetParams,
  reply: Asset,
});

export const getAssetContent = endpoint({
  method: "GET",
  path: "/assets/:assetId/content",
  can: "asset.read",
  summary: "The asset's bytes; ranges are served, the answer never changes",
  params: assetParams,
  raw: { reply: "application/octet-stream" },
});

export const getAssetDerivative = endpoint({
  method: "GET",
  path: "/assets/:assetId/derivatives/:kind",
  can: "asset.read",
  summary: "A thumbnail, poster, proxy, sprite or working image of the asset",
  params: z.object({ assetId: id("asset"), kind: DerivativeKind }),
  raw: { reply: "application/octet-stream" },
});

export const deleteAsset = endpoint({
  method: "DELETE",
  path: "/assets/:assetId",
  can: "asset.upload",
  summary: "Delete an asset that nothing uses. Protected assets and those in use are refused",
  params: assetParams,
});

/** Facts, derivatives or the look into it have changed. */
export const assetChanged = eventKind(
  "asset.changed",
  z.object({ assetId: z.string(), projectId: z.nullable(z.string()) }),
);
export const assetAdded = eventKind(
  "asset.added",
  z.object({ assetId: z.string(), projectId: z.nullable(z.string()) }),
);
