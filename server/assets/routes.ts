import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import type { App } from "#server/http/http_env.ts";
import { serveFile } from "#server/http/range.ts";
import { serve } from "#server/http/serve.ts";
import { storeBody } from "#server/http/sniff_stream.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function assetRoutes(app: App, { db, store }: { db: Db; store: FileStore }): void {
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
