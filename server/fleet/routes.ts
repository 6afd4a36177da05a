import type { Db } from "#server/db/db.ts";
import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as care from "./care.ts";
import { listCommands, removeCommand, saveCommand } from "./commands.ts";
import { listOrders } from "./orders.ts";
import { findProfile } from "./profile.ts";
import * as service from "./service.ts";
import type { VitalsBoard } from "./vitals_board.ts";

/** `board` holds the vitals that this process measures; without it there is only what was kept by the minute. */
export function fleetRoutes(
  app: App,
  { db, board }: { db: Db; board?: VitalsBoard | undefined },
): void {
  careRoutes(app, db, board);
  serve(app, contract.listWorkers, () => service.listWorkers(db));
  serve(app, contract.testWorker, ({ body, signal }) => service.testWorker(db, body.url, signal));
  serve(app, contract.getWorker, ({ params }) => service.getWorker(db, params.workerId));
  serve(
    app,
    contract.getWorkerImpact,
    async ({ params, query }) =>
      care.findImpact(db, await service.openWorker(db, params.workerId), query.order, board),
  );
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

function careRoutes(app: App, db: Db, board: VitalsBoard | undefined): void {
  const open = (workerId: string) => service.openWorker(db, workerId);
  serve(
    app,
    contract.orderWorker,
    async ({ actor, params, body }) =>
      care.orderWorker(db, actor, await open(params.workerId), body.order, body.id),
  );
  serve(
    app,
    contract.listWorkerOrders,
    async ({ params }) => ({ items: await listOrders(db, (await open(params.workerId)).id) }),
  );
  serve(app, contract.setWorkerRules, async ({ actor, params, body }) => {
    await open(params.workerId);
    await care.setRules(db, actor, params.workerId, body);
    return await service.getWorker(db, params.workerId);
  });
  serve(
    app,
    contract.listWorkerCommands,
    async ({ params }) => ({ items: await listCommands(db, (await open(params.workerId)).id) }),
  );
  serve(
    app,
    contract.setWorkerCommand,
    async ({ actor, params, body }) =>
      await saveCommand(db, actor, await open(params.workerId), params.kind, body),
  );
  serve(
    app,
    contract.removeWorkerCommand,
    async ({ actor, params }) =>
      await removeCommand(db, actor, (await open(params.workerId)).id, params.kind),
  );
  serve(
    app,
    contract.getWorkerVitals,
    async ({ params }) => await care.readWorkerVitals(db, (await open(params.workerId)).id, board),
  );
  serve(app, contract.getHostVitals, () => care.readHostVitals(db, board));
  serve(
    app,
    contract.getWorkerProfile,
    async ({ params }) => await findProfile(db, (await open(params.workerId)).id),
  );
}
