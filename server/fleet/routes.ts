import type { Db } from "#server/db/db.ts";
import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function fleetRoutes(app: App, { db }: { db: Db }): void {
  serve(app, contract.listWorkers, () => service.listWorkers(db));
  serve(app, contract.testWorker, ({ body, signal }) => service.testWorker(db, body.url, signal));
  serve(app, contract.getWorker, ({ params }) => service.getWorker(db, params.workerId));
  serve(app, contract.getWorkerImpact, ({ params }) => service.getImpact(db, params.workerId));
  serve(app, contract.addWorker, ({ actor, body }) => service.addWorker(db, actor, body));
  serve(
    app,
    contract.changeWorker,
    ({ actor, params, body }) => service.changeWorker(db, actor, params.workerId, body),
  );
  serve(
    app,
    contract.enableWorker,
    ({ actor, params }) => service.setWorkerStatus(db, actor, params.workerId, "unknown"),
  );
  serve(
    app,
    contract.drainWorker,
    ({ actor, params }) => service.setWorkerStatus(db, actor, params.workerId, "draining"),
  );
  serve(
    app,
    contract.disableWorker,
    ({ actor, params }) => service.setWorkerStatus(db, actor, params.workerId, "disabled"),
  );
  serve(app, contract.removeWorker, ({ actor, params }) => service.removeWorker(db, actor, params.workerId));
}
