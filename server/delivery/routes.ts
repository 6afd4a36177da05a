import { notFound } from "#server/core/errors.ts";
import type { App } from "#server/http/http_env.ts";
import { serveFile } from "#server/http/range.ts";
import { serve } from "#server/http/serve.ts";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function deliveryRoutes(app: App, place: { db: Db; store: FileStore }): void {
  const { db, store } = place;
  serve(
    app,
    contract.createDelivery,
    ({ actor, params, body }) => service.createDelivery(place, actor, params.masterId, body),
  );
  serve(
    app,
    contract.listDeliveries,
    ({ actor, params, query }) => service.listDeliveries(db, actor, params.masterId, query),
  );
  serve(app, contract.getDelivery, ({ actor, params }) => service.openDelivery(db, actor, params.deliveryId));
  serve(app, contract.getDeliveryFile, async ({ actor, params, context }) => {
    const delivery = await service.openDelivery(db, actor, params.deliveryId);
    const file = delivery.files.find((each) => each.name === params.name);
    if (!file) throw notFound("file in this delivery");
    return await serveFile(context.req.raw, store, { ...file, fileName: file.name, asDownload: true });
  });
}
