import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import type { Db } from "#server/db/db.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function searchRoutes(app: App, { db }: { db: Db }): void {
  serve(app, contract.search, ({ actor, query }) => service.search(db, actor, query));
  serve(app, contract.readSearchIndex, ({ actor, query }) => service.readIndex(db, actor, query));
}
