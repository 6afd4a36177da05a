import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";

export const DeliveryStatus = z.enum(["assembling", "ready", "failed"]);
export const DeliveryFileKind = z.enum([
  "master",
  "csv",
  "xml",
  "character_metadata",
  "video_metadata",
  "manifest",
  "readme",
]);

export const Delivery = z.object({
  id: id("delivery"),
  sceneId: id("scene"),
  masterId: id("master"),
  projectId: id("project"),
  number: z.int(),
  status: DeliveryStatus,
  files: z.array(z.object({
    name: z.string(),
    kind: DeliveryFileKind,
    assetId: id("asset"),
    hash: ContentHash,
    sizeBytes: z.int(),
    mediaType: z.string(),
  })),
  createdAt: Instant,
});
export type Delivery = z.infer<typeof Delivery>;

export const createDelivery = endpoint({
  method: "POST",
  path: "/masters/:masterId/deliveries",
  can: "delivery.create",
  summary: "Put a master with its sidecars (CSV, XML, metadata, checksums) together as a delivery",
  params: z.object({ masterId: id("master") }),
  body: z.object({ id: z.optional(id("delivery")) }),
  reply: Delivery,
  status: 201,
});

export const listDeliveries = endpoint({
  method: "GET",
  path: "/masters/:masterId/deliveries",
  can: "asset.read",
  summary: "Deliveries of a master, newest first",
  params: z.object({ masterId: id("master") }),
  query: IdPageQuery,
  reply: page(Delivery),
});

export const getDelivery = endpoint({
  method: "GET",
  path: "/deliveries/:deliveryId",
  can: "asset.read",
  summary: "A delivery with its files",
  params: z.object({ deliveryId: id("delivery") }),
  reply: Delivery,
});

export const getDeliveryFile = endpoint({
  method: "GET",
  path: "/deliveries/:deliveryId/files/:name",
  can: "asset.read",
  summary: "One file of a delivery",
  params: z.object({
    deliveryId: id("delivery"),
    name: z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,120}$/)),
  }),
  raw: { reply: "application/octet-stream" },
});

export const deliveryChanged = eventKind(
  "delivery.changed",
  z.object({ deliveryId: z.string(), masterId: z.string() }),
);
