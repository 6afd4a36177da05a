import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, errorMessage } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { Log } from "#server/core/log.ts";
import { type Config, isLoopback } from "#server/config.ts";
import { type AppParts, openApp } from "#server/app.ts";
import { Passwords } from "#server/auth/passwords.ts";
import { createLink, hasAdmin } from "#server/auth/service.ts";
import { AccessTokens } from "#server/auth/tokens.ts";
import { VERSION } from "#server/core/version.ts";
import { connect, type Db } from "#server/db/db.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "#server/db/embedded.ts";
import { migrate } from "#server/db/migrate.ts";
import { persist } from "#server/db/persist.ts";
import { openUploadFolder } from "#server/http/upload_folder.ts";
import { emptyWork, lockFolder, prepareFolder } from "#server/files/data_folder.ts";
import { openStudioStore } from "#server/files/open_store.ts";
import { VitalsBoard } from "#server/fleet/vitals_board.ts";
import { saveMinute } from "#server/fleet/vitals_history.ts";
import { listen } from "#server/listen.ts";
import { LiveHub } from "#server/live/hub.ts";
import { sweepOrphans } from "#server/storage/service.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import { syncBundled } from "#server/workflows/service.ts";
import { startThreads, type Threads } from "#server/threads.ts";

/** Where `deno task build` puts the client. */
const CLIENT_FOLDER = fileURLToPath(import.meta.resolve("#client/dist"));

export interface Studio {
  /** Where it answers: "http://127.0.0.1:7420". */
  readonly url: string;
  /** The one-time link that makes the first admin; undefined once there is one. */
  readonly firstAdminUrl: string | undefined;
  readonly threads: Threads;
  /** Stops in order: no new requests, running jobs handed back, threads, database. */
  stop(): Promise<void>;
}

/**
 * The composition root, and the only file that wires: folder → database → threads → live hub → listen. Throws
 * AppError with a sentence that says what to do; then everything that was started has been stopped again.
 */
export async function startStudio(config: Config, log: Log): Promise<Studio> {
  const undo: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) {
      await Promise.resolve(step()).catch((error) =>
        log.warn("a part did not stop cleanly", { reason: errorMessage(error) })
      );
    }
  };
  try {
    return await start(config, log, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** On connections of its own: what serves requests gives a statement up long before a large migration ends. */
async function bringUpToDate(url: string, log: Log): Promise<void> {
  const db = connect({ url, max: 2, applicationName: "seedloop-migration", statementTimeoutMs: 600_000 });
  try {
    await migrate(db, log);
  } finally {
    await db.end({ timeout: 2 });
  }
}

async function start(
  config: Config,
  log: Log,
  undo: (() => Promise<void> | void)[],
  stop: () => Promise<void>,
): Promise<Studio> {
  await prepareFolder(config.data);
  const lock = await lockFolder(config.data);
  undo.push(() => lock.release());
  await emptyWork(config.data);

  const postgres = await openPostgres(config, log);
  if (postgres) undo.push(() => postgres.stop());
  const databaseUrl = postgres?.url ?? config.databaseUrl ?? "";
  const db = connect({ url: databaseUrl, max: 12, applicationName: "seedloop-server" });
  undo.push(() => db.end({ timeout: 2 }));
  // The embedded database comes back by itself when it is killed; of another nobody knows whether it is there at all.
  const surely = <T>(work: () => Promise<T>) => postgres ? persist(work, log) : work();
  await surely(() => bringUpToDate(databaseUrl, log));
  await surely(() => syncBundled(db, BUNDLED_TEMPLATES));
  await surely(() => refuseOpenWithoutAdmin(db, config));

  const store = await openStudioStore(config.store, config.data);
  const passwords = new Passwords();
  undo.push(() => passwords.close());
  const tokens = new AccessTokens(db);
  const uploads = await openUploadFolder(join(config.data, "uploads"));
  // Given to the app before what they tell of is there: it says meanwhile what is still starting.
  const running: { hub?: LiveHub; threads?: Threads } = {};
  const board = new VitalsBoard((subject, minute) => {
    void saveMinute(db, hostname(), subject, minute).catch((error) =>
      log.warn("vitals were not kept", { subject, reason: errorMessage(error) })
    );
  });
  const parts: AppParts = {
    db,
    store,
    board,
    auth: { db, passwords, tokens },
    uploads,
    log,
    version: VERSION,
    vitals: {
      version: VERSION,
      startedAt: new Date().toISOString(),
      isDatabaseEmbedded: postgres !== undefined,
      dataFolder: config.data,
      threads: () => running.threads?.states() ?? [],
      engineUrl: () => running.threads?.engineUrl(),
      mediaBackend: () => running.threads?.mediaBackend(),
      socketCount: () => running.hub?.socketCount ?? 0,
    },
    checkReplies: false,
    clientFolder: CLIENT_FOLDER,
  };
  const { app, actors } = openApp(parts);
  const nodeId = newId<"server node">();
  const hub = running.hub = await surely(() => LiveHub.open({ db, actors, log, nodeId }));
  undo.push(() => hub.close());
  // Listening comes before the threads: they take longer, and the page can say what is still starting.
  const server = await listen({ app, config, hub, log });
  undo.push(() => server.stop());
  const threads = running.threads = startThreads({
    config,
    databaseUrl,
    node: { id: nodeId, version: VERSION },
    log,
    hub,
    onVitals: (subject, vitals) => {
      board.take(subject, vitals);
      hub.vitals({ subject, vitals });
    },
  });
  undo.push(() => threads.stop());

  void sweepOrphans(db, store, log).catch((error) =>
    log.warn("orphan files were not swept", { reason: errorMessage(error) })
  );
  const first = await surely(async () =>
    await hasAdmin(db) ? undefined : await createLink(db, { kind: "first_admin" })
  );
  return {
    url: server.url,
    firstAdminUrl: first ? `${server.url}/setup#${first.token}` : undefined,
    threads,
    stop,
  };
}

async function openPostgres(config: Config, log: Log): Promise<EmbeddedPostgres | undefined> {
  if (config.databaseUrl) return undefined;
  return await startEmbeddedPostgres({ dir: join(config.data, "pg"), log });
}

async function refuseOpenWithoutAdmin(db: Db, config: Config): Promise<void> {
  if (isLoopback(config.host) || await hasAdmin(db)) return;
  throw new AppError(
    "forbidden",
    `Cannot listen on ${config.host}: there is no admin yet, and whoever comes first would be it. Start without --host, open the link that is printed, make the admin, then start with --host again`,
  );
}
