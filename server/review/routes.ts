import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function reviewRoutes(app: App, place: { db: Db; store: FileStore }): void {
  const { db } = place;
  serve(app, contract.listDecisions, ({ actor, params }) => service.listDecisions(db, actor, params.cutId));
  serve(
    app,
    contract.approveCut,
    ({ actor, params, body }) => service.approveCut(place, actor, params.cutId, body),
  );
  serve(
    app,
    contract.rejectCut,
    ({ actor, params, body }) => service.rejectCut(place, actor, params.cutId, body),
  );
  serve(
    app,
    contract.finalizeCut,
    ({ actor, params, body }) => service.finalizeCut(place, actor, params.cutId, body),
  );
  serve(
    app,
    contract.undoDecision,
    ({ actor, params }) => service.undoDecision(place, actor, params.decisionId),
  );
}
