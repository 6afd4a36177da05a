import { assert, assertEquals, assertNotEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { until } from "#server/testing/until.ts";
import { keepProcess, type KeptProcess } from "./keep_process.ts";
import { descendants } from "./process_tree.ts";

const isLinux = Deno.build.os === "linux";

/** Starts a child that leaves its group, then waits: a worker with a helper of its own. */
const SCRIPT = `
  const child = new Deno.Command("setsid", { args: ["sleep", "600"] }).spawn();
  Deno.addSignalListener("SIGTERM", () => {});
  console.log("child " + child.pid);
  await new Promise(() => setInterval(() => {}, 1000));
`;

async function isAlive(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  return stat !== "" && !stat.includes(") Z ");
}

class Kept {
  readonly process: KeptProcess;
  #waiting: { holds: () => boolean; resolve: () => void } | undefined;

  constructor(args: string[], environment: string[] = []) {
    const onChange = () => this.#waiting?.holds() && this.#waiting.resolve();
    this.process = keepProcess({ args, folder: null, environment }, {
      log: silentLog,
      onChange,
      backoffMs: 1,
    });
  }

  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { holds, resolve };
    await promise;
  }
}

Deno.test({
  name: "keepProcess starts a killed process again, and stop() leaves none of its tree alive",
  ignore: !isLinux,
  fn: async () => {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, SCRIPT);
    const kept = new Kept([Deno.execPath(), "run", "-A", file]);
    const { process } = kept;
    await kept.until(() => process.starts === 1 && process.pid !== undefined);
    const first = process.pid ?? 0;
    Deno.kill(first, "SIGKILL");
    await kept.until(() => process.starts === 2);
    assertNotEquals(process.pid, first);
    assertEquals(process.lastEnd, "it was ended by SIGKILL");
    const second = process.pid ?? 0;
    // It has said so when its own child is there.
    const isChild = (line: string) => line.startsWith("child ") && !line.endsWith("0x");
    await until("its child", () => process.tail.some(isChild));
    const tree = [second, ...await descendants(second)];
    assert(tree.length >= 2, "the process has no child");
    const begun = Date.now();
    await process.stop();
    assert(Date.now() - begun < 60_000);
    for (const pid of tree) assertEquals(await isAlive(pid), false, `${pid} is still alive`);
    assertEquals(process.pid, undefined);
    await Deno.remove(file);
  },
});

Deno.test("keepProcess kill() and restart() give another process at once", async () => {
  const kept = new Kept([Deno.execPath(), "eval", "await new Promise(() => setInterval(() => {}, 1000))"]);
  const { process } = kept;
  await kept.until(() => process.starts === 1);
  const first = process.pid;
  await process.kill();
  await kept.until(() => process.starts === 2);
  const second = process.pid;
  await process.restart();
  await kept.until(() => process.starts === 3);
  assertEquals(new Set([first, second, process.pid]).size, 3);
  await process.stop();
});

Deno.test("keepProcess gives a process no variable of the studio's but its own, and says why one can't start", async () => {
  Deno.env.set("SEEDLOOP_TEST_SECRET", "x");
  const code =
    "console.log(Deno.env.get('SEEDLOOP_TEST_SECRET') + ' ' + Deno.env.get('GIVEN')); Deno.exit(3)";
  const kept = new Kept([Deno.execPath(), "eval", code], ["GIVEN=a=b; $HOME"]);
  await kept.until(() => kept.process.lastEnd !== undefined);
  assertEquals(kept.process.tail[0], "undefined a=b; $HOME");
  assertEquals(kept.process.lastEnd, "it ended with code 3");
  await kept.process.stop();
  Deno.env.delete("SEEDLOOP_TEST_SECRET");

  const missing = new Kept(["/nowhere/python", "main.py"]);
  await missing.until(() => missing.process.lastEnd !== undefined);
  assert(missing.process.lastEnd?.includes("/nowhere/python"), missing.process.lastEnd);
  await missing.process.stop();
});
