import { silentLog } from "#server/core/log.ts";
import { dumpSchema } from "#server/db/catalog.ts";
import { connect } from "#server/db/db.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { migrate } from "#server/db/migrate.ts";

const SCHEMA = new URL("../sql/schema.sql", import.meta.url);

/** Writes `sql/schema.sql` from a fresh, migrated database; a test compares the two. */
async function main(): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "seedloop_schema_" });
  // Under root the database runs as another user, who must be able to enter.
  await Deno.chmod(root, 0o755);
  const server = await startEmbeddedPostgres({ dir: `${root}/pg`, log: silentLog, isThrowaway: true });
  try {
    const db = connect({ url: server.url, max: 2 });
    await migrate(db, silentLog);
    const schema = await dumpSchema(db);
    await db.end();
    const before = await Deno.readTextFile(SCHEMA).catch(() => "");
    await Deno.writeTextFile(SCHEMA, schema);
    console.log(before === schema ? "sql/schema.sql was up to date" : "sql/schema.sql was renewed");
  } finally {
    await server.stop();
    await Deno.remove(root, { recursive: true });
  }
}

await main();
