import { startEmbeddedPostgres } from "#server/db/embedded.ts";
import { silentLog } from "#server/core/log.ts";

/**
 * Runs the tests on one throw-away PostgreSQL and ends with «N passed, N failed».
 * Arguments are handed to `deno test`: files, folders, `--filter`.
 */
async function main(): Promise<number> {
  const root = await Deno.makeTempDir({ prefix: "seedloop_test_" });
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

async function runTests(databaseUrl: string): Promise<number> {
  const targets = Deno.args.length > 0 ? Deno.args : ["server", "workers", "client", "tasks"];
  const run = new Deno.Command(Deno.execPath(), {
    // By its name this file looks like a test: run as one it would run them all again, for ever.
    args: ["test", "-A", "--no-check", "--parallel", "--ignore=tasks/test.ts", ...targets],
    env: { SEEDLOOP_TEST_DATABASE_URL: databaseUrl, DENO_JOBS: "2" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let tail = "";
  for await (const chunk of run.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + new TextDecoder().decode(chunk)).slice(-4000);
  }
  const { code } = await run.status;
  // deno-lint-ignore no-control-regex -- colours are stripped before reading the summary
  const summary = /(\d+) passed.*?\| (\d+) failed/.exec(tail.replaceAll(/\x1b\[\d+m/g, ""));
  const failed = summary ? Number(summary[2]) : 1;
  console.log(`\n${summary?.[1] ?? 0} passed, ${code === 0 ? failed : Math.max(1, failed)} failed`);
  return code;
}

Deno.exit(await main());
