import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import type { Db } from "#server/db/db.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function workspaceRoutes(app: App, { db }: { db: Db }): void {
  serve(app, contract.listWorkspaces, ({ actor }) => service.listWorkspaces(db, actor));
  serve(app, contract.createWorkspace, ({ actor, body }) => service.createWorkspace(db, actor, body));
  serve(
    app,
    contract.changeWorkspace,
    ({ actor, params, body }) => service.changeWorkspace(db, actor, params.workspaceId, body),
  );
  serve(
    app,
    contract.readDocuments,
    ({ actor, params, query }) => service.readDocuments(db, actor, params.workspaceId, query.after),
  );
  serve(
    app,
    contract.saveDocuments,
    ({ actor, params, body }) => service.saveDocuments(db, actor, params.workspaceId, body),
  );
  serve(
    app,
    contract.listBranches,
    ({ actor, params, query }) => service.listBranches(db, actor, params.workspaceId, query.name),
  );
  serve(
    app,
    contract.readBranch,
    ({ actor, params }) => service.readBranch(db, actor, params.workspaceId, params.branchId),
  );
}
