import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function characterRoutes(app: App, place: { db: Db; store: FileStore }): void {
  const { db } = place;
  serve(
    app,
    contract.listCharacters,
    ({ actor, params, query }) => service.listCharacters(db, actor, params.projectId, query),
  );
  serve(
    app,
    contract.createCharacter,
    ({ actor, params, body }) => service.createCharacter(place, actor, params.projectId, body),
  );
  serve(
    app,
    contract.getCharacter,
    ({ actor, params }) => service.openCharacter(db, actor, params.characterId, "project.read"),
  );
  serve(
    app,
    contract.changeCharacter,
    ({ actor, params, body }) => service.changeCharacter(place, actor, params.characterId, body),
  );
}
