import net from "node:net";
import postgres from "postgres";
import { runTransaction } from "./lost_transaction.ts";

/** Rows come back with camelCased columns; instants are ISO strings, 64-bit integers are numbers. */
export type Db = postgres.Sql<Types>;
/** A transaction. Everything that takes a `Db` takes it too, so that services compose. */
export type Tx = postgres.TransactionSql<Types>;
export type Queryable = Db | Tx;
/** A piece of a query, to be put into another. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;
/** A value that PostgreSQL stores as jsonb. */
export type Json = postgres.JSONValue;

type Types = { bigint: number; instant: string };

export interface ConnectOptions {
  readonly url: string;
  /** Connections at most. */
  readonly max?: number;
  readonly applicationName?: string;
  /** Longest statement; the migration runner asks for more. */
  readonly statementTimeoutMs?: number;
  /** Plan each statement once, for whatever parameters: for few, large and hot statements, whose planning costs most. */
  readonly isPlannedOnce?: boolean;
}

/**
 * A pool of connections with a deadline on everything: PostgreSQL cancels a statement or a lock wait that is
 * late, and a connection on which nothing has moved for longer than any statement may take is cut, since
 * postgres.js alone would wait for ever on a frozen server.
 */
export function connect(options: ConnectOptions): Db {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  const { url, socketPath } = readSocket(options.url);
  const settings = {
    max: options.max ?? 10,
    idle_timeout: 60,
    connect_timeout: 10,
    onnotice: () => {},
    connection: {
      application_name: options.applicationName ?? "seedloop",
      statement_timeout: statementTimeoutMs,
      lock_timeout: Math.min(statementTimeoutMs, 10_000),
      idle_in_transaction_session_timeout: 15_000,
      TimeZone: "UTC",
      // A studio's statements touch few rows. Compiled at each call, as a PostgreSQL with LLVM does with any that it
      // thinks costly, those that place jobs took a hundred times as long.
      jit: "off",
      // A plan is kept by its connection, and one that was made while a table was nearly empty would read all of it when
      // it is full: an index fits both.
      enable_seqscan: "off",
      ...(options.isPlannedOnce ? { plan_cache_mode: "force_generic_plan" } : {}),
    },
    // Columns only: postgres.camel would also rewrite keys inside jsonb and corrupt stored graphs.
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    types: {
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
      instant: {
        to: 1184,
        from: [1184],
        serialize: (value: unknown) => value instanceof Date ? value.toISOString() : String(value),
        parse: instantOf,
      },
    },
    ...(socketPath ? { path: socketPath } : {}),
    // One that never idles out only listens: silence is its nature.
    socket: ({ host, port, path, idle_timeout }: SocketTarget & { idle_timeout: number | null }) =>
      openSocket({ host, port, path }, idle_timeout === null ? 0 : statementTimeoutMs + 10_000),
  };
  // postgres.js types neither `socket` nor these parsers; what they give is what Types says.
  return postgres(
    url,
    settings as unknown as postgres.Options<Record<string, postgres.PostgresType>>,
  ) as unknown as Db;
}

const INSTANT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/;

/** PostgreSQL's text of an instant as ISO-8601 to the millisecond, cut and not rounded, as Date does it: but Date takes five times as long. */
function instantOf(text: string): string {
  const [, date, time, fraction = ""] = INSTANT.exec(text) ?? [];
  return date ? `${date}T${time}.${fraction.slice(0, 3).padEnd(3, "0")}Z` : new Date(text).toISOString();
}

/** libpq's `?host=/folder` names a socket file's folder; postgres.js would send it to the server as a setting. */
function readSocket(given: string): { url: string; socketPath: string | undefined } {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const folder = url?.searchParams.get("host");
  if (!url || !folder?.startsWith("/")) return { url: given, socketPath: undefined };
  url.searchParams.delete("host");
  return { url: url.href, socketPath: `${folder}/.s.PGSQL.${url.port || 5432}` };
}

interface SocketTarget {
  readonly host: string[];
  readonly port: number[];
  readonly path: string | false;
}

function openSocket(target: SocketTarget, quietMs: number): Promise<net.Socket> {
  return new Promise((resolve) => {
    const socket = target.path
      ? net.connect({ path: target.path })
      : net.connect({ host: target.host[0] ?? "127.0.0.1", port: target.port[0] ?? 5432 });
    socket.setNoDelay(true);
    const refuse = (error: Error) => resolve(brokenSocket(error));
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.off("error", refuse);
      resolve(socket);
    });
    socket.setTimeout(quietMs, () => {
      socket.destroy(Object.assign(new Error("Nothing was heard from PostgreSQL"), { code: "ETIMEDOUT" }));
    });
  });
}

/**
 * A socket that breaks as soon as it is looked at. postgres.js gives a connection back to its pool when its socket
 * closes, but keeps it for ever when the opening of the socket is refused: after as many refusals as the pool has
 * connections every query would wait without end.
 */
function brokenSocket(error: Error): net.Socket {
  const socket = new net.Socket();
  // It would say that it is closed; what counts is why it could not be opened.
  socket.write = () => true;
  setTimeout(() => socket.destroy(error));
  return socket;
}

/** Runs `work` in one transaction; it is rolled back when `work` throws, or its connection is lost. */
export async function transact<T>(db: Queryable, work: (tx: Tx) => Promise<T>): Promise<T> {
  if ("savepoint" in db) return await work(db as Tx);
  return await runTransaction(db as Db, work);
}

/**
 * A whole number written into the statement itself and not sent beside it: the plan that PostgreSQL keeps then knows
 * it. With a limit of any size it would plan the statement anew each time, which takes longer than to read a page.
 */
export function literal(db: Queryable, value: number): Fragment {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot write ${value} into a statement: it is no whole number`);
  }
  return db.unsafe(String(value));
}
