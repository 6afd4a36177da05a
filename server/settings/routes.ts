import type { Db } from "#server/db/db.ts";
import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function settingsRoutes(app: App, { db }: { db: Db }): void {
  serve(app, contract.getStudioTokens, () => service.openStudioTokens(db));
  serve(app, contract.saveStudioTokens, ({ actor, body }) => service.saveStudioTokens(db, actor, body));
}
