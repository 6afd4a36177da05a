import { assertEquals } from "@std/assert/mod.js";
import { QueueBridge } from "#server/testing/queue_bridge.ts";
import { startEngine } from "#workers/comfy/conformance/engine_process.ts";
import { expectParked, type RealBench, still } from "./real_comfy_bench.ts";
import { REAL_CASES } from "./real_comfy_cases.ts";
import { runRow } from "./real_comfy_rows.ts";
import { TcpGate } from "./tcp_gate.ts";

/** The CPU engine in the place of a ComfyUI: it can't be killed here, and its folders are not known. */
async function withEngine(work: (bench: RealBench) => Promise<void>): Promise<void> {
  await using engine = await startEngine();
  await using gate = new TcpGate(engine.url);
  await using studio = await QueueBridge.open();
  const workerId = await studio.addWorker("real", gate.url);
  await studio.db`update workers set max_parallel = 2`;
  await work({
    comfy: undefined,
    url: engine.url,
    gate,
    studio,
    workerId,
    base: undefined,
    random: () => 0.5,
  });
}

Deno.test("a row of prompts through a gate whose lines break: each done once, each in the history once", () =>
  withEngine(async (bench) => {
    let requests = 0;
    bench.gate.onRequest = () => {
      requests++;
      if (requests % 37 === 0) bench.gate.cut();
      else if (requests % 53 === 0) bench.gate.freeze();
    };
    const row = await runRow(bench, 6);
    assertEquals([row.done, row.doneTwice, row.filesStored, row.inHistory], [6, 0, 6, 6]);
  }));

Deno.test("the cases that need no ComfyUI of their own hold for the CPU engine", () =>
  withEngine(async (bench) => {
    for (const name of ["a graph that the worker refuses", "an input that is no picture"]) {
      await REAL_CASES.find((one) => one.name === name)?.run(bench);
    }
    const graph = still();
    graph["3"] = { class_type: "NoSuchPackNode", inputs: {} };
    const row = await bench.studio.end(await bench.studio.submit({ graph }));
    expectParked(row, "missing_requirement", "NoSuchPackNode");
  }));
