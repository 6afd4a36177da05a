import type { App } from "#server/http/http_env.ts";
import { createApp } from "#server/http/create_app.ts";
import { serveApiDocs } from "#server/http/api_docs.ts";
import { serveClient } from "#server/http/static.ts";
import { readSession } from "#server/http/session.ts";
import type { UploadFolder } from "#server/http/upload_folder.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { fromSqlError } from "#server/db/sql_error.ts";
import type { FileStore } from "#server/files/store.ts";
import { assetRoutes } from "#server/assets/routes.ts";
import { auditRoutes } from "#server/audit/routes.ts";
import { authRoutes } from "#server/auth/routes.ts";
import type { Auth } from "#server/auth/service.ts";
import { ActorReader } from "#server/auth/actor_reader.ts";
import { characterRoutes } from "#server/characters/routes.ts";
import { clipRoutes } from "#server/clips/routes.ts";
import { generateClip } from "#server/clips/steering.ts";
import { deliveryRoutes } from "#server/delivery/routes.ts";
import { firstRunRoutes } from "#server/first_run/routes.ts";
import { fleetRoutes } from "#server/fleet/routes.ts";
import type { VitalsBoard } from "#server/fleet/vitals_board.ts";
import { healthRoutes, meterRequests } from "#server/health/routes.ts";
import type { Vitals } from "#server/health/service.ts";
import { jobRoutes } from "#server/jobs/routes.ts";
import { metadataRoutes } from "#server/metadata/routes.ts";
import { renewDocuments } from "#server/metadata/service.ts";
import { projectRoutes } from "#server/projects/routes.ts";
import { reviewRoutes } from "#server/review/routes.ts";
import { sceneRoutes } from "#server/scenes/routes.ts";
import { chooseHero } from "#server/seeds/culling.ts";
import { searchRoutes } from "#server/search/routes.ts";
import { seedRoutes } from "#server/seeds/routes.ts";
import { allSettlements } from "#server/settlements.ts";
import { settingsRoutes } from "#server/settings/routes.ts";
import { userRoutes } from "#server/users/routes.ts";
import { workflowRoutes } from "#server/workflows/routes.ts";
import { workspaceRoutes } from "#server/workspace/routes.ts";

export interface AppParts {
  readonly db: Db;
  readonly store: FileStore;
  readonly auth: Auth;
  /** Where resumable uploads lie until they are whole. */
  readonly uploads?: UploadFolder;
  /** What the running process measures of its workers and its machine. */
  readonly board?: VitalsBoard;
  /** What only the running process knows; without it `/healthz` and its like are not there. */
  readonly vitals?: Vitals;
  readonly log: Log;
  readonly version: string;
  /** Check replies against their schemas: in development and tests. */
  readonly checkReplies: boolean;
  /** Where the built client lies; without it there is the API only. */
  readonly clientFolder?: string;
}

/** The table of contents: every slice, mounted, one line each. */
export function openApp(parts: AppParts): { app: App; actors: ActorReader } {
  const { db, store, auth } = parts;
  const actors = new ActorReader(db, auth.tokens);
  const app = createApp({
    log: parts.log,
    checkReplies: parts.checkReplies,
    translateError: (error) => fromSqlError(error) ?? error,
  });
  const meter = meterRequests(app);
  readSession(app, (token) => actors.read(token));
  authRoutes(app, auth);
  userRoutes(app, { db });
  auditRoutes(app, { db });
  projectRoutes(app, {
    db,
    renewDocuments: (tx, projectId) => renewDocuments({ db: tx, store }, { projectId }),
  });
  assetRoutes(app, { db, store, uploads: parts.uploads });
  characterRoutes(app, { db, store });
  seedRoutes(app, { db, store });
  sceneRoutes(app, { db, store });
  clipRoutes(app, { db, store });
  reviewRoutes(app, { db, store });
  deliveryRoutes(app, { db, store });
  metadataRoutes(app, { db, store });
  searchRoutes(app, { db });
  workspaceRoutes(app, { db });
  settingsRoutes(app, { db });
  workflowRoutes(app, { db });
  fleetRoutes(app, { db, board: parts.board });
  jobRoutes(app, { db, settlements: allSettlements(store) });
  firstRunRoutes(app, {
    db,
    store,
    chooseHero: (actor, seedId, input) => chooseHero({ db, store }, actor, seedId, input),
    generateClip: (actor, clipId) => generateClip(db, actor, clipId),
  });
  if (parts.vitals) healthRoutes(app, { db, vitals: parts.vitals, meter });
  serveApiDocs(app, parts.version);
  // Last: it answers every address that nothing else does.
  if (parts.clientFolder) serveClient(app, parts.clientFolder);
  return { app, actors };
}
