import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { connect, type Db } from "#server/db/db.ts";
import { migrate, readSqlFiles } from "#server/db/migrate.ts";
import { silentLog } from "#server/core/log.ts";

/** A database of its own for one test: a copy of the migrated template, dropped at the end. */
export interface TestDatabase extends AsyncDisposable {
  readonly db: Db;
  readonly url: string;
}

let cluster: Promise<{ url: string; template: string }> | undefined;

/**
 * Copies the migrated template (20–110 ms). The cluster is the one of `SEEDLOOP_TEST_DATABASE_URL`, which the
 * test task starts once for all files, or a throw-away one that ends with this process.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const { url, template } = await (cluster ??= openCluster());
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await withAdmin(url, async (admin) => {
    await admin.unsafe(`create database ${name} template ${template} strategy file_copy`);
  });
  const ownUrl = databaseUrl(url, name);
  const db = connect({ url: ownUrl, max: 6 });
  return {
    db,
    url: ownUrl,
    [Symbol.asyncDispose]: async () => {
      await db.end({ timeout: 1 });
      await withAdmin(url, async (admin) => {
        await admin.unsafe(`drop database if exists ${name} with (force)`);
      });
    },
  };
}

async function openCluster(): Promise<{ url: string; template: string }> {
  const given = Deno.env.get("SEEDLOOP_TEST_DATABASE_URL");
  const url = given ?? await startThrowaway();
  const files = await readSqlFiles();
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(files.map((file) => file.text).join("\0")),
  );
  const template = `template_${
    [...new Uint8Array(digest).slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  }`;
  await withAdmin(url, async (admin) => {
    // Test files run in threads of one process and share the cluster: one of them makes the template, however long
    // that takes on a busy machine.
    await admin`set lock_timeout = '10min'`;
    await admin`select pg_advisory_lock(4711)`;
    const [made] = await admin`select 1 from pg_database where datname = ${template} and not datallowconn`;
    if (made) return;
    await admin.unsafe(`drop database if exists ${template} with (force)`);
    await admin.unsafe(`create database ${template}`);
    const db = connect({ url: databaseUrl(url, template), max: 2 });
    await migrate(db, silentLog, files);
    await db.end();
    await admin.unsafe(`alter database ${template} with allow_connections false`);
  });
  return { url, template };
}

async function startThrowaway(): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "seedloop_pg_" });
  await Deno.chmod(root, 0o755);
  const server = await startEmbeddedPostgres({ dir: `${root}/pg`, log: silentLog, isThrowaway: true });
  globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
  return server.url;
}

async function withAdmin(url: string, work: (admin: Db) => Promise<void>): Promise<void> {
  const admin = connect({ url, max: 1, statementTimeoutMs: 600_000 });
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.href;
}
