import { statfs } from "node:fs/promises";
import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { silentLog } from "#server/core/log.ts";
import { unpackOnce } from "#server/testing/browser.ts";

/** The longest test takes two minutes alone on one core: this long without any news, one hangs. */
const SILENCE_MS = 10 * 60_000;

/** What all databases that tests have at one time take, several times over. */
const ROOM_BYTES = 4 * 1024 ** 3;

// This file isn't called test.ts: `deno test` would take it for a test, and each run would start another.
/**
 * Runs the tests on one throw-away PostgreSQL and ends with «N passed, N failed».
 * Arguments are handed to `deno test`: files, folders, `--filter`.
 */
async function main(): Promise<number> {
  const root = await makeFolder("seedloop_test_");
  // Under root the database runs as another user, who must be able to enter.
  await Deno.chmod(root, 0o755);
  const given = Deno.env.get("SEEDLOOP_TEST_DATABASE_URL");
  const server = given
    ? undefined
    : await startEmbeddedPostgres({ dir: `${root}/pg`, log: silentLog, isThrowaway: true });
  try {
    return await runTests(given ?? server!.url);
  } finally {
    await server?.stop();
    await Deno.remove(root, { recursive: true });
  }
}

/**
 * A new folder, in memory where there is room: most tests have a database of their own, and making one copies some
 * 1,500 files, which on a disk took ten times as long.
 */
async function makeFolder(prefix: string): Promise<string> {
  const dir = "/dev/shm";
  try {
    const { bavail, bsize } = await statfs(dir);
    if (bavail * bsize >= ROOM_BYTES) return await Deno.makeTempDir({ dir, prefix });
  } catch {
    // There is none, or it can't be written.
  }
  return await Deno.makeTempDir({ prefix });
}

async function runTests(databaseUrl: string): Promise<number> {
  const targets = Deno.args.length > 0 ? Deno.args : ["server", "workers", "client", "tasks"];
  const run = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--parallel", ...targets],
    env: { SEEDLOOP_TEST_DATABASE_URL: databaseUrl, DENO_JOBS: "2", ...await unpackOnce() },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let tail = "";
  const giveUp = () => {
    console.error(`\nNo test ended in ${SILENCE_MS / 60_000} minutes: one of those not told above hangs`);
    run.kill("SIGKILL");
  };
  let silence = setTimeout(giveUp, SILENCE_MS);
  for await (const chunk of run.stdout) {
    clearTimeout(silence);
    silence = setTimeout(giveUp, SILENCE_MS);
    await Deno.stdout.write(chunk);
    tail = (tail + new TextDecoder().decode(chunk)).slice(-4000);
  }
  clearTimeout(silence);
  const { code } = await run.status;
  // deno-lint-ignore no-control-regex -- colours are stripped before reading the summary
  const summary = /(\d+) passed.*?\| (\d+) failed/.exec(tail.replaceAll(/\x1b\[\d+m/g, ""));
  const failed = summary ? Number(summary[2]) : 1;
  console.log(`\n${summary?.[1] ?? 0} passed, ${code === 0 ? failed : Math.max(1, failed)} failed`);
  return code;
}

Deno.exit(await main());
