import postgres from "postgres";
import { encodeHex } from "@std/encoding/hex.js";
import { AppError } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { type Db, transact, type Tx } from "./db.ts";

export interface SqlFile {
  /** "migrations/0001_lookups.sql" */
  readonly name: string;
  readonly text: string;
}

const FOLDERS = ["migrations", "lookups", "functions", "views"] as const;
const LOCK = 7_335_567;

/** All SQL files of the project in the order in which they are run. */
export async function readSqlFiles(): Promise<SqlFile[]> {
  const root = new URL(import.meta.resolve("#sql/"));
  const files: SqlFile[] = [];
  for (const folder of FOLDERS) {
    const names: string[] = [];
    try {
      for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
        if (entry.isFile && entry.name.endsWith(".sql")) names.push(entry.name);
      }
    } catch (error) {
      // Git keeps no empty folders: a kind of which there is none yet is not there.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    for (const name of names.sort()) {
      files.push({
        name: `${folder}/${name}`,
        text: await Deno.readTextFile(new URL(`${folder}/${name}`, root)),
      });
    }
  }
  return files;
}

/**
 * Brings the database to the newest schema. Migrations run once each, in order, one transaction a file;
 * the rest is run again when its text has changed. An advisory lock lets one process do it at a time.
 * Refuses a database that is newer than this program, and a migration that was edited after it ran.
 */
export async function migrate(db: Db, log: Log, files?: readonly SqlFile[]): Promise<void> {
  const wanted = files ?? await readSqlFiles();
  // Not a reserved one of the pool: to ask on that when it is lost ends the process.
  const connection = openOne(db);
  try {
    // Another process may be in the middle of a long migration: it is waited for.
    await connection`select pg_advisory_lock(${LOCK})`;
    await connection`
      create table if not exists schema_files (
        name text primary key,
        content_hash text not null,
        run_at timestamptz not null default now()
      )`;
    const rows = await connection<
      { name: string; contentHash: string }[]
    >`select name, content_hash from schema_files`;
    const ran = new Map(rows.map((row) => [row.name, row.contentHash]));
    refuseNewer(wanted, ran);
    for (const file of wanted) await runFile(db, file, ran.get(file.name), log);
  } finally {
    // The lock goes with it.
    await connection.end({ timeout: 1 });
  }
}

function openOne(db: Db): Db {
  const late = 600_000;
  const connection = { ...db.options.connection, statement_timeout: late, lock_timeout: late };
  // postgres.js takes parsed options, though it doesn't type that.
  const settings = { ...db.options, max: 1, idle_timeout: null, max_lifetime: null, connection };
  return postgres(
    settings as unknown as postgres.Options<Record<string, postgres.PostgresType>>,
  ) as unknown as Db;
}

async function runFile(db: Db, file: SqlFile, ranHash: string | undefined, log: Log): Promise<void> {
  const hash = await hashText(file.text);
  if (ranHash === hash) return;
  if (ranHash !== undefined && file.name.startsWith("migrations/")) {
    throw new AppError(
      "conflict",
      `Cannot migrate: ${file.name} was changed after it ran here. Undo the edit and add a new migration`,
    );
  }
  await transact(db, async (tx: Tx) => {
    // First, so that a second runner clashes here instead of running the file twice.
    await tx`
      insert into schema_files (name, content_hash) values (${file.name}, ${hash})
      on conflict (name) do update set content_hash = excluded.content_hash, run_at = now()`;
    await tx`set local statement_timeout = '10min'`;
    await tx`set local lock_timeout = '1min'`;
    await tx.unsafe(file.text);
  });
  log.info("schema file ran", { file: file.name });
}

function refuseNewer(wanted: readonly SqlFile[], ran: ReadonlyMap<string, string>): void {
  const known = new Set(wanted.map((file) => file.name));
  const unknown = [...ran.keys()].filter((name) => name.startsWith("migrations/") && !known.has(name));
  if (unknown.length === 0) return;
  throw new AppError(
    "conflict",
    `Cannot start: the database was made by a newer Seedloop (it knows ${
      unknown.join(", ")
    }). Update this installation, or restore a backup made with it`,
  );
}

async function hashText(text: string): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
