import { assert, assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import type { WorkerVitals } from "#server/fleet/contract.ts";
import { until } from "#server/testing/until.ts";
import { type AgentReport, serveAgent } from "./agent.ts";
import { type AgentWatch, watchAgent } from "./agent_watch.ts";
import { FaultServer } from "./testing/fault_server.ts";
import { QUICK } from "./testing/bridge.ts";
import { WatchedWorker } from "./watched_worker.ts";
import { WorkerLink } from "./worker_link.ts";

const REPORT: AgentReport = {
  agent: "seedloop",
  version: "0",
  gpus: [{
    index: 0,
    name: "NVIDIA L40S",
    gpuPercent: 93,
    vramUsedBytes: 40e9,
    vramTotalBytes: 48e9,
    celsius: 88,
    watts: 310,
    fanPercent: null,
    clockMhz: 2_100,
  }],
  host: {
    at: "2026-01-01T00:00:00.000Z",
    cpuPercent: 12,
    memoryUsedBytes: 8e9,
    memoryTotalBytes: 64e9,
    diskUsedBytes: 3e11,
    diskTotalBytes: 1e12,
    receivedBytesPerSecond: 1_000,
    sentBytesPerSecond: 0,
  },
};

const onThisPort = (port: number) =>
  watchAgent("http://127.0.0.1:8188", { log: silentLog, port, everyMs: 5, againMs: 5, staleMs: 200 });

function openAgent(port = 0) {
  const hostname = "127.0.0.1";
  return serveAgent({ hostname, port, folder: ".", version: "1.2.3", log: silentLog });
}

/** A server in the place of an agent. */
async function withAnswer(
  answer: () => Response | Promise<Response>,
  act: (watch: AgentWatch, asked: () => number) => Promise<void>,
) {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    return answer();
  });
  const watch = onThisPort(server.addr.port);
  try {
    await act(watch, () => asked);
  } finally {
    await watch.close();
    await server.shutdown();
  }
}

Deno.test("an agent tells how its machine is", async () => {
  const agent = await openAgent();
  const watch = onThisPort(agent.port);
  await until("the report", () => watch.report !== undefined);
  const { version, host } = watch.report!;
  assertEquals(version, "1.2.3");
  assert((host.memoryTotalBytes ?? 0) > 0 && (host.diskTotalBytes ?? 0) > (host.diskUsedBytes ?? 0));
  await watch.close();
  await agent.close();
});

Deno.test("an agent takes no orders and gives nothing else", async () => {
  const agent = await openAgent();
  const answer = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${agent.port}${path}`, { method });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await answer("/vitals"), 200);
  for (const method of ["POST", "PUT", "DELETE"]) assertEquals(await answer("/vitals", method), 405);
  for (const path of ["/", "/vitals/", "/..%2fetc/passwd", "/vitals%00"]) {
    assertEquals(await answer(path), 404, path);
  }
  await agent.close();
});

Deno.test("what an agent said is no data once it is gone, and it is found again", async () => {
  const agent = await openAgent();
  const watch = onThisPort(agent.port);
  await until("the report", () => watch.report !== undefined);
  await agent.close();
  await until("no data", () => watch.report === undefined);
  const again = await openAgent(agent.port);
  await until("the report of the next", () => watch.report !== undefined);
  await watch.close();
  await again.close();
});

for (
  const [name, answer] of [
    ["a page", () => new Response("<html>It works!</html>")],
    ["an error", () => Response.json(REPORT, { status: 500 })],
    ["another's JSON", () => Response.json({ system: {}, devices: [] })],
    ["words for numbers", () => Response.json({ ...REPORT, gpus: [{ ...REPORT.gpus[0], celsius: "hot" }] })],
    ["too many cards", () => Response.json({ ...REPORT, gpus: Array(65).fill(REPORT.gpus[0]) })],
    ["a flood", () => new Response("[".repeat(200_000))],
    ["another address", () => Response.redirect("http://127.0.0.1:1/vitals")],
    ["half of it", () => new Response(JSON.stringify(REPORT).slice(0, 100))],
  ] as const
) {
  Deno.test(`${name} in the place of an agent is no data`, () =>
    withAnswer(answer, async (watch, asked) => {
      await until("several questions", () => asked() > 6);
      assertEquals(watch.report, undefined);
    }));
}

Deno.test("a number beyond all measure is no data, and the rest counts", () => {
  const text = JSON.stringify({ ...REPORT, gpus: [{ ...REPORT.gpus[0], watts: 0.5 }] }).replace(
    "0.5",
    "1e308",
  );
  return withAnswer(() => new Response(text), async (watch) => {
    await until("the report", () => watch.report !== undefined);
    const [gpu] = watch.report!.gpus;
    assertEquals([gpu?.watts, gpu?.celsius], [null, 88]);
  });
});

Deno.test("a worker on another machine has the vitals of its agent, and its guards act on them", async () => {
  await using server = new FaultServer();
  server.devices = [{ name: "cuda:0 NVIDIA L40S : native", type: "cuda", vram_total: 48e9, vram_free: 30e9 }];
  // The same machine by a name that nobody takes for this one.
  const url = server.url.replace("127.0.0.1", "0.0.0.0");
  const vitals: WorkerVitals[] = [];
  const health: string[] = [];
  let said: AgentReport | undefined = REPORT;
  const link = new WorkerLink(url, QUICK);
  const rules = {
    watchUpTo: "kill",
    pauseAtCelsius: 85,
    resumeAtCelsius: 70,
    minFreeVramBytes: null,
  } as const;
  const watched = new WatchedWorker({ id: "w", url, rules, start: null, restart: null }, {
    link,
    log: silentLog,
    tell: (about, data) => about === "seen" && health.push((data as { health: string }).health),
    onVitals: (one) => vitals.push(one),
    readings: () => [{ ...REPORT.gpus[0]!, celsius: 20 }],
    askAgent: () => ({
      get report() {
        return said;
      },
      close: () => Promise.resolve(),
    }),
    onNews: () => {},
    now: () => performance.now(),
    wait: () => Promise.resolve(),
  });
  await until("the guard", () => health.at(-1) === "resting");
  const { celsius, watts, cpuPercent, sentBytesPerSecond, vramUsedBytes } = vitals.at(-1)!;
  assertEquals([celsius, watts, cpuPercent, sentBytesPerSecond, vramUsedBytes], [88, 310, 12, 0, 40e9]);
  // Without the agent nothing of it is kept, and this machine's own cards are not the worker's.
  said = undefined;
  await until("no data", () => vitals.at(-1)?.celsius === null);
  assertEquals([vitals.at(-1)?.cpuPercent, vitals.at(-1)?.vramUsedBytes], [null, 18e9]);
  await until("work again", () => health.at(-1) === "well");
  await watched.close();
  await link.close();
});
