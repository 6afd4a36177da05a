import type { Db } from "#server/db/db.ts";
import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import { templateJsonSchema } from "./manifest.ts";
import * as service from "./service.ts";

export function workflowRoutes(app: App, { db }: { db: Db }): void {
  serve(app, contract.listWorkflows, ({ query }) => service.listWorkflows(db, query));
  serve(app, contract.getWorkflowVersion, ({ params }) => service.openVersion(db, params.versionId));
  serve(app, contract.importWorkflow, ({ actor, body }) => service.importWorkflow(db, actor, body));
  serve(
    app,
    contract.changeWorkflow,
    ({ actor, params, body }) => service.changeWorkflow(db, actor, params.workflowId, body.status),
  );
  serve(app, contract.getTemplateSchema, () => templateJsonSchema());
}
