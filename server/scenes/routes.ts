import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";
import type { ScenePlace } from "./service.ts";

export function sceneRoutes(app: App, place: ScenePlace): void {
  const { db } = place;
  serve(
    app,
    contract.listScenes,
    ({ actor, params, query }) => service.listScenes(db, actor, params.projectId, query),
  );
  serve(
    app,
    contract.createScene,
    ({ actor, params, body }) => service.createScene(db, actor, params.projectId, body),
  );
  serve(
    app,
    contract.getScene,
    ({ actor, params }) => service.openScene(db, actor, params.sceneId, "project.read"),
  );
  serve(
    app,
    contract.changeScene,
    ({ actor, params, body }) => service.changeScene(place, actor, params.sceneId, body),
  );
  serve(
    app,
    contract.assembleScene,
    ({ actor, params, body }) => service.assembleScene(db, actor, params.sceneId, body),
  );
  serve(
    app,
    contract.listMasters,
    ({ actor, params, query }) => service.listMasters(db, actor, params.sceneId, query),
  );
  serve(
    app,
    contract.getMaster,
    ({ actor, params }) => service.openMaster(db, actor, params.masterId, "asset.read"),
  );
}
