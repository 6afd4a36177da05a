import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { delay } from "#server/core/time.ts";
import { listDescendants, listNaming, listSurvivors } from "./processes.ts";

function demo(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(import.meta.resolve("#tasks/demo.ts")), ...args],
    env: { SEEDLOOP_LOG_LEVEL: "info" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("Ctrl-C in the middle of a demo stops it in order and leaves no process", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_stop_" });
  await Deno.chmod(folder, 0o755);
  const data = join(folder, "data");
  const running = demo("--seconds", "4", "--size", "384x256", "--data", data, "--out", join(folder, "out"));
  try {
    let said = "";
    const reader = running.stderr.pipeThrough(new TextDecoderStream()).getReader();
    const read = async () => {
      const { value, done } = await reader.read();
      said += value ?? "";
      return !done;
    };
    // Its token is made when the studio answers; the portrait is the first work, and the engine takes some more.
    while (!said.includes("worker changed its state")) assert(await read(), said);
    await delay(500);
    const children = await listDescendants(running.pid);
    assert(children.length > 5, "the studio works in several processes");
    const askedAt = Date.now();
    running.kill("SIGINT");
    while (await read());
    const { code } = await running.status;
    assertEquals(code, 130, said);
    assert(Date.now() - askedAt < 20_000, "it stops soon");
    assertStringIncludes(said, "running work is handed back");
    assertEquals(await listSurvivors(children), []);
    assertEquals(await listNaming(data), []);
  } finally {
    await running.stdout.cancel();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a demo of a portrait that is none says why and leaves nothing behind", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_stop_" });
  await Deno.chmod(folder, 0o755);
  try {
    const portrait = join(folder, "letter.png");
    await Deno.writeTextFile(portrait, "no picture at all");
    const { code, stderr, stdout } = await demo(
      "--portrait",
      portrait,
      "--json",
      "--data",
      join(folder, "data"),
    )
      .output();
    assertEquals(code, 1);
    assertEquals(new TextDecoder().decode(stdout), "");
    assertStringIncludes(new TextDecoder().decode(stderr), "a picture, video or sound was expected");
    assertEquals(await listNaming(folder), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
