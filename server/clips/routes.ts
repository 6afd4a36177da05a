import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as segments from "./segments.ts";
import * as service from "./service.ts";
import type { ClipPlace } from "./service.ts";
import * as steering from "./steering.ts";

export function clipRoutes(app: App, place: ClipPlace): void {
  const { db } = place;
  serve(
    app,
    contract.listClips,
    ({ actor, params, query }) => service.listClips(db, actor, params.sceneId, query),
  );
  serve(
    app,
    contract.createClip,
    ({ actor, params, body }) => service.createClip(db, actor, params.sceneId, body),
  );
  serve(app, contract.getClip, ({ actor, params }) => service.openClipState(db, actor, params.clipId));
  serve(
    app,
    contract.changeClip,
    ({ actor, params, body }) => service.changeClip(place, actor, params.clipId, body),
  );
  serve(app, contract.planClip, ({ actor, params }) => service.planClip(db, actor, params.clipId));
  serve(app, contract.generateClip, ({ actor, params }) => steering.generateClip(db, actor, params.clipId));
  serve(app, contract.pauseClip, ({ actor, params }) => steering.pauseClip(db, actor, params.clipId));
  serve(app, contract.stitchClip, ({ actor, params }) => steering.stitchClip(db, actor, params.clipId));
  serve(
    app,
    contract.changeSegment,
    ({ actor, params, body }) => segments.changeSegment(db, actor, params.segmentId, body),
  );
  serve(
    app,
    contract.rerollSegment,
    ({ actor, params, body }) => segments.rerollSegment(db, actor, params.segmentId, body),
  );
  serve(
    app,
    contract.extendSegment,
    ({ actor, params, body }) => segments.extendSegment(db, actor, params.segmentId, body),
  );
  serve(app, contract.keepCut, ({ actor, params }) => steering.keepCut(db, actor, params.cutId));
  serve(app, contract.chooseTake, ({ actor, params }) => segments.chooseTake(db, actor, params.takeId));
  serve(
    app,
    contract.getTakeMeasures,
    ({ actor, params }) => service.openTakeMeasures(db, actor, params.takeId),
  );
  serve(
    app,
    contract.getCutMeasures,
    ({ actor, params }) => service.openCutMeasures(db, actor, params.cutId),
  );
}
