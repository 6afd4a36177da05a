import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { join } from "node:path";

/** A studio in a process of its own, started as README says. */
interface RunningStudio {
  readonly process: Deno.ChildProcess;
  readonly url: string;
  readonly output: string;
}

Deno.test("start keeps its folder to itself, says so, and stops in order on SIGTERM", async () => {
  const data = await makeFolder();
  const studio = await start(data);
  const health = await fetch(`${studio.url}/api/auth/me`);
  assertEquals(health.status, 401);
  await health.body?.cancel();
  assertStringIncludes(studio.output, "/setup#sll_");

  assertStringIncludes(await failToStart(["--data", data, "--port", "0"]), "another studio");
  const port = new URL(studio.url).port;
  assertStringIncludes(
    await failToStart(["--data", await makeFolder(), "--port", port]),
    `port ${port} is taken`,
  );

  studio.process.kill("SIGTERM");
  assertEquals((await studio.process.status).code, 0);
  assertEquals(await processesOf(data), []);
});

Deno.test("start works again on a folder whose studio was killed", async () => {
  const data = await makeFolder();
  const first = await start(data);
  first.process.kill("SIGKILL");
  await first.process.status;
  const second = await start(data);
  const link = /setup#(\S+)/.exec(second.output)?.[1];
  assertEquals(typeof link, "string", "there is still no admin, so there is a link again");
  second.process.kill("SIGINT");
  assertEquals((await second.process.status).code, 0);
});

Deno.test("start refuses to listen beyond this machine before there is an admin", async () => {
  const message = await failToStart(["--data", await makeFolder(), "--port", "0", "--host", "0.0.0.0"]);
  assertStringIncludes(message, "there is no admin yet");
});

Deno.test("start names every wrong option and touches nothing", async () => {
  const message = await failToStart(["--port", "many", "--colour", "blue"]);
  assertStringIncludes(message, "--colour");
  assertStringIncludes(message, "SEEDLOOP_PORT");
});

async function makeFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_start_" });
  await Deno.chmod(folder, 0o755);
  return join(folder, "data");
}

function command(args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL(import.meta.resolve("#tasks/start.ts")).pathname, ...args],
    env: { DATABASE_URL: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function start(data: string): Promise<RunningStudio> {
  const process = command(["--data", data, "--port", "0", "--log-level", "error"]).spawn();
  void process.stderr.pipeTo(new WritableStream());
  let output = "";
  const reader = process.stdout.pipeThrough(
    new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
  ).getReader();
  while (!output.includes("Ctrl-C stops it")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The studio ended before it was ready: ${output}`);
    output += value;
  }
  void (async () => {
    while (!(await reader.read()).done);
  })();
  return { process, url: /Seedloop is at (\S+)/.exec(output)?.[1] ?? "", output };
}

async function failToStart(args: string[]): Promise<string> {
  const { code, stderr } = await command(args).output();
  assertEquals(code === 0, false, "it started");
  return new TextDecoder().decode(stderr);
}

/** Command lines of processes that have to do with the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  if (Deno.build.os !== "linux") return found;
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name) || entry.name === String(Deno.pid)) continue;
    const text = await Deno.readTextFile(`/proc/${entry.name}/cmdline`).catch(() => "");
    if (text.includes(folder)) found.push(text.replaceAll("\0", " "));
  }
  return found;
}
