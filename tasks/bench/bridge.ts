import { LOAD_CORE, openDenoChild, pinnedCommand } from "./children.ts";
import { openCluster } from "./database.ts";
import type { Bench } from "./bench.ts";
import { type Goal, measure, median } from "./method.ts";

/** What the studio adds to a prompt: from submitting the job to its output stored and its rows committed. */
export const bridgeBench: Bench = {
  name: "bridge",
  goals: ["B1"],
  what: "one prompt through queue, bridge, store and rows, against a direct client of the same CPU engine",
  async *run({ rounds, doublings, scale }) {
    await using cluster = await openCluster();
    const studio = await cluster.createStudio("studio");
    await using engine = await openEngine();
    await using child = await openDenoChild(new URL("./bridge_child.ts", import.meta.url), [
      studio.url,
      engine.url,
    ]);
    const count = Math.round(20 * scale);
    const side = (t: "ours" | "direct") => async () => {
      const times = await child.ask<number[]>({ t, count });
      return { ms: median(times) };
    };
    const sides = { ours: side("ours"), direct: side("direct") };
    // Both once: sockets opened, statements prepared.
    for (const run of Object.values(sides)) await run();
    const goal: Goal = {
      id: "B1",
      what: `ms more than the direct client, from submit to stored and committed, median of ${count} prompts`,
      ours: { side: "ours", figure: "ms" },
      peer: { side: "direct", figure: "ms" },
      as: "difference",
      must: "at most",
      bar: 6,
    };
    yield* await measure(sides, [goal], { rounds, doublings });
  },
};

/** The engine in its own process, as the studio runs it, but on the other core: both sides only ask it. */
async function openEngine(): Promise<AsyncDisposable & { readonly url: string }> {
  const base = await Deno.makeTempDir({ prefix: "seedloop_bench_" });
  const args = [
    "run",
    "-A",
    "--no-prompt",
    new URL(import.meta.resolve("#workers/engine/child.ts")).pathname,
  ];
  const options = { stdin: "piped", stdout: "piped", stderr: "null" } as const;
  const command = await pinnedCommand(LOAD_CORE, Deno.execPath(), [...args, "--base", base], options);
  const process = command.spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("Cannot start the engine: it ended before it was ready");
    text += value;
  }
  return {
    url: (JSON.parse(text) as { url: string }).url,
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      await reader.cancel();
      await process.status;
      await Deno.remove(base, { recursive: true });
    },
  };
}
