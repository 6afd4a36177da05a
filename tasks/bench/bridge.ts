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
    // Sockets opened, statements prepared.
    for (const t of ["ours", "direct"]) await child.ask({ t, count: 5, edge: SMALL });
    const side = (t: "ours" | "direct", count: number, edge: number) => async () => {
      return { ms: median(await child.ask<number[]>({ t, count, edge })) };
    };
    const compare = (count: number, edge: number, goal: Pick<Goal, "id" | "what" | "as" | "bar">) => {
      const sides = { ours: side("ours", count, edge), direct: side("direct", count, edge) };
      const figures = { ours: { side: "ours", figure: "ms" }, peer: { side: "direct", figure: "ms" } };
      return measure(sides, [{ ...goal, ...figures, must: "at most" }], { rounds, doublings });
    };
    const count = Math.round(20 * scale);
    yield* await compare(count, SMALL, {
      id: "B1a",
      what: `ms more than the direct client, from submit to stored and committed, median of ${count} prompts`,
      as: "difference",
      bar: 6,
    });
    const edge = await findEdge(async (edge) =>
      median(await child.ask<number[]>({ t: "direct", count: 3, edge }))
    );
    const few = Math.max(2, Math.round(4 * scale));
    yield* await compare(few, edge, {
      id: "B1b",
      what: `ms for a prompt of some ${SLOW_MS} ms, median of ${few}`,
      as: "ratio",
      bar: 1.02,
    });
  },
};

const SMALL = 64;
const SLOW_MS = 1_000;

/**
 * The edge of a picture that the engine takes about SLOW_MS to make. What it takes grows with the area, but not quite:
 * the second guess is made from what the first one took.
 */
async function findEdge(time: (edge: number) => Promise<number>): Promise<number> {
  let edge = 2_048;
  for (let guess = 0; guess < 2; guess++) {
    edge = 8 * Math.round(edge * Math.sqrt(SLOW_MS / await time(edge)) / 8);
  }
  return edge;
}

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
