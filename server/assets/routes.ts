import { AppError } from "#server/core/errors.ts";
import { isId } from "#server/core/id.ts";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import type { App } from "#server/http/http_env.ts";
import { serveFile } from "#server/http/range.ts";
import { serve } from "#server/http/serve.ts";
import { serveUploads } from "#server/http/upload.ts";
import type { UploadFolder } from "#server/http/upload_folder.ts";
import { storeBody } from "#server/http/sniff_stream.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export interface AssetPlace {
  readonly db: Db;
  readonly store: FileStore;
  /** Where resumable uploads lie until they are whole; none are taken without it. */
  readonly uploads?: UploadFolder | undefined;
}

export function assetRoutes(app: App, { db, store, uploads }: AssetPlace): void {
  if (uploads) serveResumable(app, { db, store, uploads });
  serve(app, contract.uploadAsset, async ({ actor, params, query, context }) => {
    // Before the body: a stranger's bytes never reach the disk.
    await service.requireUpload(db, actor, params.projectId);
    const file = await storeBody(context.req.raw, store, { sha256: query.sha256 });
    return await service.acceptUpload(db, actor, params.projectId, { file, name: query.name, id: query.id });
  });
  serve(
    app,
    contract.listAssets,
    ({ actor, params, query }) => service.listAssets(db, actor, params.projectId, query),
  );
  serve(
    app,
    contract.getAsset,
    ({ actor, params }) => service.openAsset(db, actor, params.assetId, "asset.read"),
  );
  serve(app, contract.deleteAsset, ({ actor, params }) => service.deleteAsset(db, actor, params.assetId));
  serve(app, contract.getAssetContent, async ({ actor, params, context }) => {
    const asset = await service.openAsset(db, actor, params.assetId, "asset.read");
    return await serveFile(context.req.raw, store, { ...asset, fileName: asset.name });
  });
  serve(app, contract.getAssetDerivative, async ({ actor, params, context }) => {
    const file = await service.openDerivative(db, actor, params.assetId, params.kind);
    return await serveFile(context.req.raw, store, file);
  });
}

/** tus: the project is named in the upload's metadata, and asked about before a byte is taken. */
function serveResumable(
  app: App,
  { db, store, uploads }: Required<AssetPlace> & { uploads: UploadFolder },
): void {
  const projectOf = (metadata: Readonly<Record<string, string>>): string => {
    const projectId = metadata.projectId ?? "";
    if (isId(projectId)) return projectId;
    throw new AppError("invalid", "Cannot start the upload: it names no project", {
      fields: [{ field: "/headers/upload-metadata/projectId", message: "must be the UUID of a project" }],
    });
  };
  serveUploads(app, {
    uploads,
    store,
    onStarted: ({ actor, metadata }) => service.requireUpload(db, actor, projectOf(metadata)),
    onFinished: async ({ actor, metadata, uploadId, file, name }) => {
      await service.acceptUpload(db, actor, projectOf(metadata), { file, name, id: uploadId });
    },
  });
}
