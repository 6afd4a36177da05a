import { silentLog } from "#server/core/log.ts";
import { connect, type Db } from "#server/db/db.ts";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { migrate } from "#server/db/migrate.ts";
import { pinProcess, TESTED_CORE } from "./children.ts";

/** PostgreSQL as the studio starts it, with its full durability, on the tested core. */
export interface BenchCluster extends AsyncDisposable {
  /** Makes an empty database of that name and gives its address. */
  create(name: string): Promise<string>;
  /** A database with the studio's schema. */
  createStudio(name: string): Promise<{ url: string; db: Db }>;
}

/** Starts the cluster in a folder of its own, which goes with it. */
export async function openCluster(): Promise<BenchCluster> {
  const root = await Deno.makeTempDir({ prefix: "seedloop_bench_" });
  // Under root the database runs as another user, who must be able to enter.
  await Deno.chmod(root, 0o755);
  const server = await startEmbeddedPostgres({ dir: `${root}/pg`, log: silentLog });
  const [pid] = (await Deno.readTextFile(`${root}/pg/postmaster.pid`)).split("\n");
  await pinProcess(Number(pid), TESTED_CORE);
  const open: Db[] = [];
  const create = async (name: string) => {
    const admin = connect({ url: server.url, max: 1 });
    // deno-lint-ignore house/no-unsafe-sql -- names can't be parameters; these are ours
    await admin.unsafe(`create database ${name}`);
    await admin.end();
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    create,
    createStudio: async (name) => {
      const url = await create(name);
      const db = connect({ url, max: 4, statementTimeoutMs: 120_000 });
      open.push(db);
      await migrate(db, silentLog);
      return { url, db };
    },
    async [Symbol.asyncDispose]() {
      for (const db of open) await db.end({ timeout: 1 });
      await server.stop();
      await Deno.remove(root, { recursive: true });
    },
  };
}
