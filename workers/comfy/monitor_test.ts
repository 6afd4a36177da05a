import { assert, assertEquals } from "@std/assert/mod.js";
import { watchWorker, type WorkerState } from "./monitor.ts";
import { QUICK } from "./testing/bridge.ts";
import { FaultServer } from "./testing/fault_server.ts";

/** Watches, and resolves when a state was told for which `holds`. */
function watch(url: string) {
  let waiting: { holds: (state: WorkerState) => boolean; resolve: () => void } | undefined;
  const states: WorkerState[] = [];
  const watcher = watchWorker(url, (state) => {
    states.push(state);
    if (waiting?.holds(state)) waiting.resolve();
  }, { timings: QUICK });
  const until = async (holds: (state: WorkerState) => boolean) => {
    if (holds(watcher.state)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = { holds, resolve };
    await promise;
  };
  return { watcher, states, until };
}

Deno.test("watchWorker tells version, queue and connection, and goes on over a break", async () => {
  await using server = new FaultServer();
  const { watcher, until } = watch(server.url);
  await until((state) => state.reachable && state.hasEvents);
  assertEquals([watcher.state.software, watcher.state.version], ["ComfyUI", "0.3.64"]);
  server.misbehave = () => ({ answer: { status: 500, type: "text/plain", body: "" } });
  await until((state) => !state.reachable);
  assert(watcher.state.problem?.includes("500"));
  server.misbehave = () => undefined;
  server.dropSockets();
  await until((state) => state.reachable && state.hasEvents);
  assertEquals(watcher.state.problem, undefined);
  await watcher.close();
});

Deno.test("watchWorker tells a moved queue at once by the socket", async () => {
  await using server = new FaultServer();
  // Calls say 0, the event says 7.
  const { watcher, states, until } = watch(server.url);
  await until((state) => state.reachable && state.hasEvents);
  await server.sockets[0]?.event("status", { status: { exec_info: { queue_remaining: 7 } } });
  await until(() => states.some((state) => state.queueRemaining === 7));
  await watcher.close();
});

Deno.test("watchWorker of nobody says why and can be closed", async () => {
  const { watcher, until } = watch("http://127.0.0.1:9");
  await until((state) => state.problem !== undefined);
  assertEquals(watcher.state.reachable, false);
  await watcher.close();
});
