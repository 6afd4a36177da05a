import { assert, assertEquals } from "@std/assert/mod.js";
import { Retry, TryLater } from "#workers/kit/handle.ts";
import { BridgeUnderTest, QUICK } from "./testing/bridge.ts";
import type { Misdeed } from "./testing/fault_misdeed.ts";
import type { FakePrompt } from "./testing/fault_prompt.ts";
import { FaultServer } from "./testing/fault_server.ts";

/** How many scripted faults; limits.md R4 asks for 500, a few lanes of which run at once. */
const ROUNDS = Number(Deno.env.get("SEEDLOOP_FAULT_ROUNDS") ?? 60);
const LANES = 6;

/** Repeatable randomness: the seed is in the test's name. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * sides);
  };
}

const MISDEEDS: readonly Misdeed[] = [
  { answer: { status: 500, type: "text/plain", body: "500 Internal Server Error" } },
  { answer: { status: 200, type: "text/html", body: "<html>proxy</html>" } },
  { answer: { status: 200, type: "application/json", body: '{"broken": ' } },
  { answer: { status: 302, type: "text/plain", body: "" } },
  { truncateAt: 0 },
  { truncateAt: 10 },
  { loseAnswer: true },
  { stall: true },
  { cut: true },
];

const GARBAGE: readonly number[][] = [
  [0x82, 0],
  [0x82, 3, 1, 2, 3],
  [0x82, 7, 0, 0, 0, 4, 0, 0, 0],
  [0x81, 2, 0xff, 0xfe],
  [0x82, 127, 0, 0, 0, 0, 0x0c, 0, 0, 0],
  [0x81, 1, 0x7b],
  [0x88, 2, 3, 238],
];

/** Spoils the next prompt of `server` in one way, chosen by `roll`. */
function spoil(server: FaultServer, roll: (sides: number) => number): void {
  const steps = roll(4);
  const run = async (prompt: FakePrompt, then: () => void | Promise<void>) => {
    server.onPrompt = (later) => server.finish(later);
    await server.begin(prompt);
    for (let at = 0; at < steps; at++) {
      await server.tell(prompt, "progress", { node: "1", value: at, max: 4 });
    }
    await then();
  };
  const script = roll(6);
  server.onPrompt = (prompt) =>
    run(prompt, async () => {
      if (script === 0) return server.restart();
      if (script === 1) {
        server.endSilently(prompt);
        return server.restart();
      }
      if (script === 2) {
        server.dropSockets();
        return server.endSilently(prompt);
      }
      if (script === 3) {
        server.sockets.splice(0); // half-open: nothing more comes of it
        return server.endSilently(prompt);
      }
      if (script === 4) await server.sockets[0]?.raw(new Uint8Array(GARBAGE[roll(GARBAGE.length)]!));
      await server.end(prompt);
    });
  let left = roll(3);
  const skip = roll(8);
  let seen = 0;
  const misdeed = MISDEEDS[roll(MISDEEDS.length)];
  server.misbehave = () => seen++ >= skip && left-- > 0 ? misdeed : undefined;
}

async function runLane(bridge: BridgeUnderTest, rounds: number, seed: number): Promise<Set<string>> {
  await using server = new FaultServer();
  const roll = dice(seed);
  const hashes = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    server.file = crypto.getRandomValues(new Uint8Array(2_000));
    spoil(server, roll);
    const earlierPromptIds: string[] = [];
    for (let attempt = 1;; attempt++) {
      assert(attempt <= 12, `seed ${seed}, round ${round}: no end after ${attempt} attempts`);
      const promptId = crypto.randomUUID();
      try {
        const { outputs } = await bridge.run({ workerUrl: server.url, promptId, earlierPromptIds });
        assertEquals(outputs.map((output) => output.file.sizeBytes), [2_000]);
        hashes.add(outputs[0]!.file.hash);
        break;
      } catch (problem) {
        const known = problem instanceof Retry || problem instanceof TryLater;
        if (!known) {
          throw new Error(`Cannot accept this end of seed ${seed}, round ${round}`, { cause: problem });
        }
        assert(["worker_gone", "prompt_forgotten"].includes(problem.failureClass), problem.failureClass);
        earlierPromptIds.push(promptId);
      }
    }
  }
  return hashes;
}

Deno.test(`${ROUNDS} scripted faults: every job ends well, each file is stored once`, async () => {
  const timings = { ...QUICK, callMs: 200, stallMs: 150, goneAfterMs: 500, pollMs: 40, silentMs: 100 };
  await using bridge = await BridgeUnderTest.at("http://127.0.0.1:9", timings);
  const perLane = Math.ceil(ROUNDS / LANES);
  const lanes = Array.from({ length: LANES }, (_, lane) => runLane(bridge, perLane, 1000 + lane));
  await Promise.allSettled(lanes); // the others go on to their end before one's failure is told
  const hashes = new Set((await Promise.all(lanes)).flatMap((lane) => [...lane]));
  assertEquals(hashes.size, perLane * LANES);
  assertEquals(await bridge.filesStored(), perLane * LANES);
});
