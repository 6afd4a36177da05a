import { join } from "node:path";
import process from "node:process";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";

/*
 * What a database server that nobody stopped leaves behind: itself, its backends, its lock and its sockets.
 */

/**
 * Ends a server that a killed studio left on this folder, and waits for the processes of one that was itself killed:
 * a second server beside them would destroy the database. PostgreSQL knows a stale lock by itself, but not when its
 * pid is another program's by now.
 */
export async function endLeftOver(dir: string, log: Log): Promise<void> {
  const pidFile = join(dir, "postmaster.pid");
  const pid = Number((await Deno.readTextFile(pidFile).catch(() => "")).split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const isThere = await isPostgresOf(pid, dir);
  if (isThere) {
    log.warn("database of a killed studio found, ending it", { pid });
    signal(pid, "SIGINT");
    for (let waited = 0; waited < 15_000 && await isPostgresOf(pid, dir); waited += 50) {
      if (waited === 8_000) signal(pid, "SIGQUIT");
      await delay(50);
    }
  }
  for (let waited = 0; waited < 10_000; waited += 50) {
    const left = await listBackends(dir);
    if (left.length === 0) break;
    // What is at work does not notice that its server is gone; nobody waits for its answer any more.
    if (waited === 500) { for (const one of left) signal(one, "SIGQUIT"); }
    if (waited === 5_000) { for (const one of left) signal(one, "SIGKILL"); }
    await delay(50);
  }
  if (isThere || !isAlive(pid)) return;
  log.warn("stale database lock removed", { pid });
  await Deno.remove(pidFile).catch(() => {});
}

/** Processes that work in the folder; PostgreSQL's own have no other. Linux only, elsewhere none are found. */
async function listBackends(dir: string): Promise<number[]> {
  if (Deno.build.os !== "linux") return [];
  const folder = await Deno.realPath(dir);
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await Deno.readLink(`/proc/${name}/cwd`).catch(() => "");
    const command = cwd === folder ? await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "") : "";
    if (command.includes("postgres")) found.push(Number(name));
  }
  return found;
}

/** A killed server leaves its socket, under the port it had. */
export async function removeSockets(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    if (name.startsWith(".s.PGSQL.")) await Deno.remove(join(dir, name));
  }
}

async function isPostgresOf(pid: number, dir: string): Promise<boolean> {
  if (Deno.build.os === "linux") {
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    return commandLine.includes("postgres") && commandLine.includes(dir);
  }
  return isAlive(pid);
}

/** Whether a process has this number. Asked of the system itself: a bare Debian has no program `kill`. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Sends a signal; a process that is gone needs none. */
export function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !/ESRCH|terminated/.test(errorMessage(error))) {
      throw error;
    }
  }
}
