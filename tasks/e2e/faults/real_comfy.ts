import { join } from "node:path";
import { parseArgs } from "node:util";
import { QueueBridge } from "#server/testing/queue_bridge.ts";
import { freePort } from "#tasks/e2e/studio_process.ts";
import { TIMINGS } from "#workers/comfy/timings.ts";
import { ComfyProcess, cpuCommand } from "./comfy_process.ts";
import { mulberry32 } from "./kill_studio.ts";
import type { RealBench } from "./real_comfy_bench.ts";
import { REAL_CASES, type RealCase, SKIPPED } from "./real_comfy_cases.ts";
import { runRow } from "./real_comfy_rows.ts";
import { TcpGate } from "./tcp_gate.ts";

const HELP =
  `Runs the fault list, one-prompt cancel and rows of prompts against a real ComfyUI without a model.

  real_comfy.ts --comfyui FOLDER [--python FILE]   starts it on the CPU, with its data in a folder of its own
  real_comfy.ts --url URL [-- COMMAND ARGS…]       takes the one there; with a command it starts and kills it itself

  --prompts N   in a row, and once more with a restart in the middle (200)
  --seed N      of the moment of that restart (the clock)
  --only WORDS  only cases whose name has these words; "row" is the rows
  --base FOLDER of its data, instead of one that goes away afterwards
Ends with 1 when something was lost, done twice or told wrongly.`;

interface Line {
  readonly name: string;
  readonly outcome: "ok" | "BREACH" | "skipped";
  readonly note: string;
  readonly seconds: number;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      comfyui: { type: "string" },
      python: { type: "string" },
      url: { type: "string" },
      prompts: { type: "string", default: "200" },
      seed: { type: "string" },
      only: { type: "string", default: "" },
      base: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const prompts = Number(values.prompts);
  const isWrong = (values.comfyui === undefined) === (values.url === undefined) || !(prompts >= 1);
  if (values.help || isWrong) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const base = values.base ?? await Deno.makeTempDir({ prefix: "seedloop_real_comfy_" });
  const comfy = await makeProcess(values, positionals, base);
  console.log(`ComfyUI ${comfy?.url ?? values.url}, data and log in ${base}, seed ${seed}`);
  try {
    await comfy?.start();
    const url = comfy?.url ?? String(values.url).replace(/\/+$/, "");
    const folder = values.comfyui === undefined ? undefined : base;
    return await runAll({ comfy, url, base: folder, random: mulberry32(seed) }, prompts, values.only);
  } finally {
    await comfy?.[Symbol.asyncDispose]();
    if (values.base === undefined) await Deno.remove(base, { recursive: true });
  }
}

async function makeProcess(
  values: { comfyui?: string | undefined; python?: string | undefined; url?: string | undefined },
  command: readonly string[],
  base: string,
): Promise<ComfyProcess | undefined> {
  const log = join(base, "comfyui.log");
  if (values.comfyui === undefined) {
    if (command.length === 0) return undefined;
    return new ComfyProcess({ url: String(values.url), command, log });
  }
  const python = values.python ?? join(values.comfyui, "../venv/bin/python");
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const own = await cpuCommand(values.comfyui, python, port, base);
  return new ComfyProcess({ url, command: own, folder: values.comfyui, log });
}

async function runAll(
  given: Pick<RealBench, "comfy" | "url" | "base" | "random">,
  prompts: number,
  only: string,
): Promise<number> {
  await using gate = new TcpGate(given.url);
  await using studio = await QueueBridge.open({
    timings: TIMINGS,
    isPatient: true,
    isWatched: true,
    untilMs: 300_000,
  });
  const workerId = await studio.addWorker("real", gate.url);
  await studio.db`update workers set max_parallel = 2`;
  const bench: RealBench = { ...given, gate, studio, workerId };
  const lines: Line[] = [];
  for (const one of [...REAL_CASES, ...rows(bench, prompts)]) {
    if (!one.name.includes(only)) continue;
    const line = await runCase(bench, one);
    lines.push(line);
    const seconds = line.seconds.toFixed(1).padStart(6);
    console.log(`${line.outcome.padEnd(8)}${seconds} s  ${line.name.padEnd(48)}  ${line.note}`);
  }
  const count = (outcome: Line["outcome"]) => lines.filter((line) => line.outcome === outcome).length;
  const starts = given.comfy === undefined ? "" : `; ComfyUI was started ${given.comfy.starts} times`;
  console.log(`${count("ok")} ok, ${count("BREACH")} breaches, ${count("skipped")} skipped${starts}`);
  return count("BREACH") > 0 ? 1 : 0;
}

function rows(bench: RealBench, prompts: number): RealCase[] {
  const tell = (row: object) => JSON.stringify(row).replaceAll('"', "").slice(1, -1).replaceAll(",", ", ");
  const killAfter = Math.floor(prompts * (0.35 + 0.3 * bench.random()));
  return [
    { name: `a row of ${prompts} prompts`, run: async () => tell(await runRow(bench, prompts)) },
    {
      name: `a row of ${prompts}, killed after ${killAfter} were done`,
      needs: "restart",
      run: async () => tell(await runRow(bench, prompts, killAfter)),
    },
  ];
}

async function runCase(bench: RealBench, one: RealCase): Promise<Line> {
  const startedAt = Date.now();
  const end = (outcome: Line["outcome"], note: string): Line => {
    return { name: one.name, outcome, note, seconds: (Date.now() - startedAt) / 1000 };
  };
  if (one.needs === "restart" && !bench.comfy) return end("skipped", "nobody said how it is started");
  if (one.needs === "folder" && bench.base === undefined) return end("skipped", "its folders are not known");
  try {
    const note = await one.run(bench);
    return note.startsWith(SKIPPED) ? end("skipped", note.slice(SKIPPED.length)) : end("ok", note);
  } catch (error) {
    return end("BREACH", error instanceof Error ? error.message : String(error));
  }
}

if (import.meta.main) Deno.exit(await main());
