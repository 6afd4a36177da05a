import type { Db } from "#server/db/db.ts";
import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function userRoutes(app: App, { db }: { db: Db }): void {
  serve(app, contract.listUsers, ({ query }) => service.listUsers(db, query));
  serve(app, contract.getUser, ({ params }) => service.openUser(db, params.userId));
  serve(app, contract.inviteUser, ({ actor, body }) => service.inviteUser(db, actor, body));
  serve(
    app,
    contract.changeUser,
    ({ actor, params, body }) => service.changeUser(db, actor, params.userId, body),
  );
  serve(
    app,
    contract.createUserLink,
    ({ actor, params }) => service.createUserLink(db, actor, params.userId),
  );
  serve(app, contract.listRoles, () => service.listRoles(db));
}
