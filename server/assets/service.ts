import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import { type JsonText, pageText } from "#server/core/json_text.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import type { SettledJob } from "#server/jobs/settle.ts";
import { announceStep, news } from "#server/live/announce.ts";
import { type Access, judgeAccess, requireAccess, selectAccess } from "#server/projects/service.ts";
import {
  type Asset,
  assetAdded,
  type AssetKind,
  type DerivativeKind,
  type RetentionClass,
} from "./contract.ts";
import { beginInspection, recordInspection } from "./inspection.ts";
import * as queries from "./queries.ts";

/** The asset, if the actor may do `permission` in its project. */
export async function openAsset(
  db: Queryable,
  actor: Actor,
  assetId: string,
  permission: Permission,
): Promise<Asset> {
  const asset = await queries.findAsset(db, assetId);
  await requireAccess(db, actor, asset?.projectId, permission, "asset");
  if (!asset) throw notFound("asset");
  return asset;
}

export interface NewAsset {
  readonly id?: string | undefined;
  readonly projectId: string;
  readonly file: FileRef;
  readonly kind: AssetKind;
  readonly retention: RetentionClass;
  readonly name: string;
  readonly createdById?: string | null;
}

/** Registers a stored file as an asset, in the caller's transaction. The same id twice is the same asset. */
export async function addAsset(tx: Tx, asset: NewAsset): Promise<string> {
  const id = asset.id ?? newId<"asset">();
  await insertAsset(tx, { ...asset, id });
  return id;
}

async function insertAsset(tx: Tx, asset: NewAsset & { id: string }): Promise<boolean> {
  const { id, projectId } = asset;
  const told = news(assetAdded, `project:${projectId}`, { assetId: id, projectId });
  const row = { ...asset, createdById: asset.createdById ?? null };
  return await queries.insertAsset(tx, row, announceStep(tx, told, tx`made`));
}

/**
 * Registers the first file that a generation made, with all that making it again needs (SPEC rule 5). Undefined when
 * it made none.
 */
export async function addGenerated(
  tx: Tx,
  job: SettledJob<z.output<typeof generate["input"]>>,
  made: z.output<typeof generate["output"]>,
  asset: Pick<NewAsset, "kind" | "retention"> & { projectId: string; randomSeed: number | null },
): Promise<{ assetId: string; file: FileRef; fileName: string } | undefined> {
  const [first] = made.outputs;
  if (!first) return undefined;
  const { projectId, kind, retention, randomSeed } = asset;
  const shared = { projectId, kind, retention, createdById: job.userId };
  const assetId = newId<"asset">();
  const inputs = job.input.uploads.map(({ parameter, file }, index) =>
    [parameter ?? `upload_${index + 1}`, file.hash] as const
  );
  const provenance = {
    jobId: job.id,
    workflowVersionId: job.workflowVersionId,
    workerId: job.workerId,
    software: made.software.name,
    softwareVersion: made.software.version,
    randomSeed,
    graph: made.graph,
    parameters: job.input.values,
    timings: made.timings,
    inputs: Object.fromEntries(inputs),
  };
  // Sent together: neither needs the other's answer, and the connection keeps their order.
  await Promise.all([
    addAsset(tx, { ...shared, id: assetId, file: first.file, name: first.fileName }),
    queries.insertProvenance(tx, assetId, provenance),
  ]);
  return { assetId, file: first.file, fileName: first.fileName };
}

/** Throws unless the actor may upload to the project: asked before a byte is read. */
export async function requireUpload(db: Queryable, actor: Actor, projectId: string): Promise<void> {
  await requireAccess(db, actor, projectId, "asset.upload");
}

/** Takes in an upload that is already durable in the store. The same id with the same content again is the same asset. */
export async function acceptUpload(
  db: Db,
  actor: Actor,
  projectId: string,
  upload: { file: FileRef; name: string; id?: string | undefined },
): Promise<Asset> {
  await requireAccess(db, actor, projectId, "asset.upload");
  const id = upload.id ?? newId<"asset">();
  await transact(db, async (tx) => {
    const asset = { ...upload, id, projectId, kind: "upload", retention: "keep" } as const;
    if (!await insertAsset(tx, { ...asset, createdById: actor.userId })) {
      const there = await queries.findAsset(tx, id);
      if (there?.hash === upload.file.hash && there.projectId === projectId) return;
      throw new AppError(
        "conflict",
        "Cannot take this upload: its id belongs to another asset. Use a new id",
      );
    }
    await beginInspection(tx, { file: upload.file, name: upload.name, projectId, userId: actor.userId });
    await audit(tx, actor, "asset.upload", {
      projectId,
      subject: ["asset", id],
      facts: { name: upload.name, hash: upload.file.hash },
    });
  });
  return await openAsset(db, actor, id, "asset.read");
}

export async function listAssets(
  db: Db,
  actor: Actor,
  projectId: string,
  query: PageQuery & { kind?: AssetKind | undefined },
): Promise<JsonText<{ items: Asset[]; next?: string }>> {
  const access = selectAccess(db, actor, projectId, "asset.read");
  const found = await queries.listAssetTexts<Access>(db, access, projectId, query);
  judgeAccess(found.access, actor, "asset.read");
  return pageText<Asset>(found.items, found.next);
}

/** The derivative's file, to be served. */
export async function openDerivative(
  db: Db,
  actor: Actor,
  assetId: string,
  kind: DerivativeKind,
): Promise<FileRef> {
  const asset = await openAsset(db, actor, assetId, "asset.read");
  const file = await queries.findDerivative(db, asset.hash, kind);
  if (!file) {
    throw new AppError(
      "not_found",
      `This asset has no ${kind.replace("_", " ")} yet: it is made when the file has been looked into`,
    );
  }
  return file;
}

export async function deleteAsset(db: Db, actor: Actor, assetId: string): Promise<void> {
  const asset = await openAsset(db, actor, assetId, "asset.upload");
  const uses = await queries.listUses(db, assetId);
  if (asset.retention === "protected" || uses.length > 0) {
    throw new AppError(
      "conflict",
      uses.length > 0
        ? `Cannot delete this asset: it is used as ${uses.join("; ")}`
        : "Cannot delete this asset: it is protected",
      { details: { uses } },
    );
  }
  await transact(db, async (tx) => {
    await queries.deleteAsset(tx, assetId);
    await audit(tx, actor, "asset.delete", {
      ...(asset.projectId ? { projectId: asset.projectId } : {}),
      subject: ["asset", assetId],
      facts: { asset },
    });
  });
}

export const { findFile, findDerivative, insertDerivative, insertFile, spriteOf } = queries;
export { recordInspection };
