import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import * as batches from "./batches.ts";
import * as contract from "./contract.ts";
import * as culling from "./culling.ts";
import * as service from "./service.ts";

export function seedRoutes(app: App, place: { db: Db; store: FileStore }): void {
  const { db } = place;
  serve(
    app,
    contract.listSeeds,
    ({ actor, params, query }) => service.listSeeds(db, actor, params.characterId, query),
  );
  serve(
    app,
    contract.addSeed,
    ({ actor, params, body }) => service.addSeed(db, actor, params.characterId, body),
  );
  serve(
    app,
    contract.deriveSeed,
    ({ actor, params, body }) => service.deriveSeed(db, actor, params.seedId, body),
  );
  serve(
    app,
    contract.createVariations,
    ({ actor, params, body }) => service.createVariations(db, actor, params.characterId, body),
  );
  serve(
    app,
    contract.listVariations,
    ({ actor, params, query }) => batches.listBatches(db, actor, params.characterId, query),
  );
  serve(
    app,
    contract.estimateVariations,
    ({ actor, params, query }) => batches.estimateBatch(db, actor, params.characterId, query),
  );
  serve(
    app,
    contract.cancelVariations,
    ({ actor, params }) => batches.cancelBatch(db, actor, params.batchId),
  );
  serve(
    app,
    contract.compareSeed,
    ({ actor, params, body }) => batches.compareSeed(db, actor, params.seedId, body.withSeedId),
  );
  serve(app, contract.getSeedUses, ({ actor, params }) => batches.openUses(db, actor, params.seedId));
  serve(app, contract.getVariations, ({ actor, params }) => service.openBatch(db, actor, params.batchId));
  serve(
    app,
    contract.getSeed,
    ({ actor, params }) => service.openSeed(db, actor, params.seedId, "asset.read"),
  );
  serve(
    app,
    contract.cullSeed,
    ({ actor, params, body }) => culling.cullSeed(place, actor, params.seedId, body),
  );
  serve(
    app,
    contract.chooseHero,
    ({ actor, params, body }) => culling.chooseHero(place, actor, params.seedId, body),
  );
  serve(app, contract.approveHero, ({ actor, params }) => culling.approveHero(place, actor, params.seedId));
  serve(
    app,
    contract.withdrawApproval,
    ({ actor, params }) => culling.withdrawApproval(place, actor, params.seedId),
  );
}
