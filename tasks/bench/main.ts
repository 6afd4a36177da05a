import type { Bench, Effort } from "./bench.ts";
import { assetsBench } from "./assets.ts";
import { bridgeBench } from "./bridge.ts";
import { canPin, LOAD_CORE, pinProcess } from "./children.ts";
import { clientBench } from "./client.ts";
import { concatBench } from "./concat.ts";
import { liveBench } from "./live.ts";
import { memoryBench } from "./queue_memory.ts";
import { millionBench } from "./queue_million.ts";
import type { Interval, Judgement } from "./method.ts";
import { queueBench } from "./queue.ts";

/** Whole-system benchmarks, each a ratio against a peer in the same run. Options: --quick, --only NAME, --json. */
const BENCHES: readonly Bench[] = [
  queueBench,
  concatBench,
  assetsBench,
  bridgeBench,
  clientBench,
  liveBench,
  millionBench,
  memoryBench,
];

const THOROUGH: Effort = { rounds: 9, doublings: 1, scale: 1 };
const QUICK: Effort = { rounds: 3, doublings: 0, scale: 0.5 };

async function main(args: readonly string[]): Promise<number> {
  const at = args.indexOf("--only");
  const only = at < 0 ? undefined : args[at + 1];
  const benches = BENCHES.filter(({ name }) => only === undefined || name === only);
  if (benches.length === 0) {
    console.error(`There is no bench "${only}": take ${BENCHES.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const isJson = args.includes("--json");
  const say = (line: string) => isJson ? console.error(line) : console.log(line);
  const isPinned = await canPin();
  if (isPinned) await pinProcess(Deno.pid, LOAD_CORE);
  say(
    `load of the last minute ${Deno.loadavg()[0]?.toFixed(1)} on ${navigator.hardwareConcurrency} cores; ${
      isPinned ? "tested on core 0, load from core 1" : "not pinned: no taskset here"
    }`,
  );
  const judged: Judgement[] = [];
  let broken = 0;
  for (const bench of benches) {
    say(`\n${bench.name}: ${bench.what}`);
    const begun = performance.now();
    const effort = args.includes("--quick") ? QUICK : THOROUGH;
    try {
      for await (const one of bench.run(effort, (line) => say(`  ${line}`))) {
        say(describe(one));
        judged.push(one);
      }
    } catch (error) {
      // The others can still be measured.
      console.error(`  ${bench.name} broke off:`, error);
      broken++;
    }
    say(`  (${((performance.now() - begun) / 1_000).toFixed(0)} s)`);
  }
  if (isJson) console.log(JSON.stringify(judged));
  const count = (verdict: string) => judged.filter((one) => one.verdict === verdict).length;
  say(`\n${count("holds")} hold, ${count("does not hold")} do not hold, ${count("UNSTABLE")} unstable`);
  return broken > 0 ? 1 : 0;
}

function describe({ goal, figure, guard, ours, peer, rounds, verdict }: Judgement): string {
  const { id, what, must, bar, as } = goal;
  const unit = as === "ratio" ? "×" : "";
  return [
    `  ${id.padEnd(4)} ${verdict.toUpperCase()}  ${show(figure, unit)}, must be ${must} ${bar}${unit}`,
    `       ${what}`,
    `       ours ${round(ours)}, ${goal.peer.side} ${round(peer)}; itself ${
      show(guard, "×")
    }; ${rounds} rounds`,
  ].join("\n");
}

function show({ low, median, high }: Interval, unit: string): string {
  return `${round(median)}${unit} [${round(low)}, ${round(high)}]`;
}

function round(value: number): string {
  if (Math.abs(value) >= 1_000) return String(Math.round(value));
  return value.toPrecision(3);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
