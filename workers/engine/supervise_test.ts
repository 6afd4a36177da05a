import { assert, assertEquals, assertNotEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { superviseEngine } from "./supervise.ts";

Deno.test("superviseEngine starts another engine when the process is killed, and ends it on stop", async () => {
  const base = await Deno.makeTempDir();
  const urls: string[] = [];
  const lost: string[] = [];
  let told = Promise.withResolvers<string>();
  const supervisor = superviseEngine({
    base,
    log: silentLog,
    backoffMs: 1,
    ready: (url) => {
      urls.push(url);
      told.resolve(url);
    },
    lost: (reason) => lost.push(reason),
  });
  try {
    const first = await told.promise;
    assertEquals((await fetchStats(first))["seedloop"], "cpu-preview");
    told = Promise.withResolvers();
    const { pid } = supervisor;
    if (pid === undefined) throw new Error("The engine has no process");
    Deno.kill(pid, "SIGKILL");
    const second = await told.promise;
    assertEquals(lost, ["it was ended by SIGKILL"]);
    assertNotEquals(supervisor.pid, pid);
    assertEquals((await fetchStats(second))["seedloop"], "cpu-preview");
  } finally {
    const began = Date.now();
    await supervisor.stop();
    assert(Date.now() - began < 2500, "stopping took too long");
    assertEquals(supervisor.pid, undefined);
    await Deno.remove(base, { recursive: true });
  }
});

async function fetchStats(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/api/system_stats`);
  const { system } = await response.json();
  return system;
}
