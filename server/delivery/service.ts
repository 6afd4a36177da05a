import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import { formatRate } from "#server/core/media_time.ts";
import { addAsset } from "#server/assets/service.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact, type Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { announce } from "#server/live/announce.ts";
import { VideoMetadata } from "#server/metadata/contract.ts";
import { writeCharacterDocument, writeVideoDocument } from "#server/metadata/service.ts";
import { cutPage, requireAccess } from "#server/projects/service.ts";
import { fileName, lockScene, openMaster } from "#server/scenes/service.ts";
import { type Delivery, deliveryChanged } from "./contract.ts";
import * as queries from "./queries.ts";
import { type SidecarHeader, type SidecarItem, writeCsv, writeXml } from "./sidecars.ts";

interface Place {
  readonly db: Db;
  readonly store: FileStore;
}

export async function openDelivery(db: Db, actor: Actor, deliveryId: string): Promise<Delivery> {
  const delivery = await queries.findDelivery(db, deliveryId);
  await requireAccess(db, actor, delivery?.projectId, "asset.read", "delivery");
  if (!delivery) throw notFound("delivery");
  return delivery;
}

export async function listDeliveries(
  db: Db,
  actor: Actor,
  masterId: string,
  query: PageQuery,
): Promise<{ items: Delivery[]; next?: string }> {
  await openMaster(db, actor, masterId, "asset.read");
  return cutPage(await queries.listDeliveries(db, masterId, query), query.limit);
}

/** Master, CSV, XML, the metadata of each cut and character, README and checksums, under names that every system takes. */
export async function createDelivery(
  { db, store }: Place,
  actor: Actor,
  masterId: string,
  input: { id?: string | undefined },
): Promise<Delivery> {
  const master = await openMaster(db, actor, masterId, "delivery.create");
  if (master.status !== "ready") {
    throw new AppError("conflict", `The master is ${master.status}: deliver it when it is ready`);
  }
  const deliveryId = input.id ?? newId<"delivery">();
  await transact(db, async (tx) => {
    await lockScene(tx, master.sceneId);
    if (!await queries.insertDelivery(tx, { id: deliveryId, sceneId: master.sceneId, masterId }, actor)) {
      const there = await queries.findDelivery(tx, deliveryId);
      if (there?.masterId === masterId) return;
      throw new AppError("conflict", "Cannot deliver: the id belongs to another delivery. Use a new id");
    }
    const builder = new DeliveryBuilder(tx, store, deliveryId, actor, master.projectId);
    await fill(builder, tx, store, masterId);
    await audit(tx, actor, "delivery.create", {
      projectId: master.projectId,
      subject: ["delivery", deliveryId],
      facts: { masterId },
    });
    await announce(tx, deliveryChanged, `project:${master.projectId}`, { deliveryId, masterId });
  });
  return await openDelivery(db, actor, deliveryId);
}

/** Collects the files of one delivery and the lines of its checksum list. */
class DeliveryBuilder {
  readonly #checksums: string[] = [];

  constructor(
    readonly tx: Tx,
    readonly store: FileStore,
    readonly deliveryId: string,
    readonly actor: Actor,
    readonly projectId: string,
  ) {}

  async addFile(name: string, kind: string, asset: { assetId: string; hash: string }): Promise<void> {
    await queries.protectAsset(this.tx, asset.assetId);
    await queries.insertDeliveryFile(this.tx, {
      deliveryId: this.deliveryId,
      name,
      kind,
      assetId: asset.assetId,
    });
    this.#checksums.push(`${asset.hash}  ${name}\n`);
  }

  async addText(name: string, kind: string, mediaType: string, text: string): Promise<void> {
    const file = await this.store.put(new TextEncoder().encode(text), mediaType);
    const shared = {
      projectId: this.projectId,
      retention: "protected" as const,
      createdById: this.actor.userId,
    };
    const assetId = await addAsset(this.tx, { ...shared, file, kind: "sidecar", name });
    await this.addFile(name, kind, { assetId, hash: file.hash });
  }

  /** In the form that `sha256sum -c` reads. Added last, it lists all before it. */
  async addChecksums(): Promise<void> {
    await this.addText("MANIFEST.sha256", "manifest", "text/plain", this.#checksums.join(""));
  }
}

async function fill(builder: DeliveryBuilder, tx: Tx, store: FileStore, masterId: string): Promise<void> {
  const facts = await queries.findMasterFacts(tx, masterId);
  if (!facts?.assetId || !facts.file) {
    throw new AppError("conflict", "The master has no file: assemble it again");
  }
  const base = `${fileName(facts.projectName)}_${fileName(facts.sceneName)}_v${
    String(facts.number).padStart(3, "0")
  }`;
  const masterFile = `${base}.mp4`;
  const header: SidecarHeader = {
    title: `${facts.projectName} ${facts.sceneName}`,
    rate: facts.rate,
    startFrame: facts.startFrame,
    masterFile,
    masterSha256: facts.file.hash,
    frames: facts.frames,
  };
  await builder.addFile(masterFile, "master", { assetId: facts.assetId, hash: facts.file.hash });
  const items = await queries.listItemFacts(tx, masterId);
  const rows: SidecarItem[] = [];
  for (const item of items) {
    const { document, asset } = await readVideoDocument(tx, store, item.cutId);
    await builder.addFile(
      `${base}_${String(item.position).padStart(3, "0")}_video_metadata.json`,
      "video_metadata",
      asset,
    );
    rows.push(toSidecarItem(facts, item, document));
  }
  const characters = [...new Set(items.map((item) => item.characterId))];
  for (const [index, characterId] of characters.entries()) {
    const asset = await writeCharacterDocument({ db: tx, store }, characterId);
    if (asset) {
      await builder.addFile(`${base}_character_${index + 1}_metadata.json`, "character_metadata", asset);
    }
  }
  await builder.addText(`${base}.csv`, "csv", "text/csv", writeCsv(header, rows));
  await builder.addText(`${base}.xml`, "xml", "application/xml", writeXml(header, rows));
  await builder.addText("README.txt", "readme", "text/plain", readme(facts, header));
  await builder.addChecksums();
}

async function readVideoDocument(
  tx: Tx,
  store: FileStore,
  cutId: string,
): Promise<{ document: VideoMetadata; asset: FileRef & { assetId: string } }> {
  // Brought up to date first: a clip or project may have been renamed since it was finalized.
  const asset = await writeVideoDocument({ db: tx, store }, cutId);
  if (!asset) {
    throw new AppError("conflict", "A clip's video_metadata could not be written: finalize the clip again");
  }
  const text = await new Response(await store.read(asset.hash)).text();
  return { document: VideoMetadata.parse(JSON.parse(text)), asset };
}

function toSidecarItem(
  facts: queries.MasterFacts,
  item: queries.ItemFacts,
  video: VideoMetadata,
): SidecarItem {
  const { technical, quality, segments, review } = video;
  const final = review.decisions.findLast((decision) =>
    decision.decision === "finalize" && decision.undone_at === null
  );
  const provenance = segments.map((segment) => segment.provenance);
  const worst =
    ["fail", "warn", "pass"].find((verdict) => quality.seams.some((seam) => seam.verdict === verdict)) ?? "";
  return {
    scene: facts.sceneName,
    item: item.position,
    clip: item.clipName,
    version: item.cutNumber,
    reel: `S${facts.number}C${String(item.position).padStart(3, "0")}`.slice(0, 8),
    recordInFrame: item.firstFrame,
    frameCount: item.frameCount,
    widthPx: technical.width_px,
    heightPx: technical.height_px,
    pixelFormat: technical.pixel_format ?? "",
    colorPrimaries: technical.color_primaries ?? "",
    colorTransfer: technical.color_transfer ?? "",
    colorMatrix: technical.color_matrix ?? "",
    colorRange: technical.color_range ?? "",
    seed: segments.map((segment) => segment.random_seed).join(" "),
    workflow: unique(
      provenance.map((made) => made?.workflow ? `${made.workflow.code} v${made.workflow.version}` : ""),
    ),
    workflowHash: unique(provenance.map((made) => made?.workflow?.content_hash ?? "")),
    models: unique(provenance.flatMap((made) => made?.models.map((model) => model.name) ?? [])),
    prompt: video.clip.prompt,
    likenessMedian: quality.likeness?.median?.toFixed(4) ?? "",
    likenessMin: quality.likeness?.min?.toFixed(4) ?? "",
    seamWorst: worst,
    approvedBy: final?.by?.name ?? "",
    approvedAt: final?.at ?? "",
    sha256: video.cut.sha256,
    file: `${fileName(item.clipName)}_v${String(item.cutNumber).padStart(3, "0")}.mp4`,
  };
}

function unique(values: readonly string[]): string {
  return [...new Set(values.filter((value) => value !== ""))].join(" ");
}

function readme(facts: queries.MasterFacts, header: SidecarHeader): string {
  return [
    `${header.title}, master ${facts.number}`,
    "",
    `${header.masterFile}: ${facts.frames} frames at ${formatRate(facts.rate)}`,
    "MANIFEST.sha256: check with sha256sum -c",
    "CSV and XML: one row per clip; out points are exclusive; frames count from 0 at the master's start timecode.",
    "*_metadata.json: where everything came from; their JSON Schemas are served by the studio under /api/schemas/.",
    "",
  ].join("\n");
}
