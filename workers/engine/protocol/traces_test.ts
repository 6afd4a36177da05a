import { assertEquals } from "@std/assert/mod.js";
import {
  type GivenClient,
  type GivenEngine,
  givenEngine,
  type Message,
} from "#workers/engine/testing/given_engine.ts";
import { fromShared, skipWithoutShared } from "#workers/engine/testing/shared.ts";

interface Trace {
  readonly request: { readonly prompt: unknown; readonly client_id: string };
  readonly http: readonly [number, Record<string, unknown>];
  readonly ws: readonly Message[];
  readonly history: Record<string, unknown> | null;
}

async function readTrace(name: string): Promise<Trace> {
  return JSON.parse(await Deno.readTextFile(fromShared(`traces/${name}.json`)));
}

/** What differs from run to run, and what is told of Python itself, made alike. */
function normalise(value: unknown, promptId: string): unknown {
  const text = JSON.stringify(value, (key, item) => {
    if (key === "timestamp" || key === "number") return "(varies)";
    if (key === "traceback" || key === "current_inputs") return "(of the runtime)";
    if (key === "exception_message") return String(item).split("\n")[0];
    // Sets: Python's order is arbitrary.
    if (key === "executed" || key === "current_outputs") return [...item].sort();
    return item;
  });
  return JSON.parse(text.replaceAll(promptId, "(prompt)").replace(/_temp_[a-z]{5}_/g, "_temp_xxxxx_"));
}

async function replay(
  trace: Trace,
  engine: GivenEngine,
  client: GivenClient,
): Promise<{ id: string; ws: Message[] }> {
  const id = await engine.submit(trace.request.prompt, { client_id: client.id });
  return { id, ws: await client.untilDone(id) };
}

function recordedId(trace: Trace): string {
  return String(trace.http[1]["prompt_id"]);
}

function compare(trace: Trace, ws: readonly Message[], id: string): void {
  assertEquals(normalise(ws, id), normalise(trace.ws, recordedId(trace)));
}

async function compareHistory(trace: Trace, engine: GivenEngine, id: string): Promise<void> {
  const { json } = await engine.get(`/history/${id}`);
  const plain = (history: unknown, promptId: string) => {
    const entry = (normalise(history, promptId) as Record<string, { prompt: unknown[] }>)["(prompt)"];
    // The number of the prompt in its server's life, and the order of a set.
    entry?.prompt.splice(0, 1);
    (entry?.prompt.at(-1) as string[]).sort();
    return entry;
  };
  assertEquals(plain(json, id), plain(trace.history, recordedId(trace)));
}

Deno.test("messages and history are those recorded of the real server", async (t) => {
  if (skipWithoutShared("traces")) return;
  await using engine = await givenEngine();
  const client = await engine.connect("conf-client");
  for (
    const name of ["g1_image_fresh", "g1_image_cached", "g1_image_partial", "g2_video", "g4_runtime_error"]
  ) {
    await t.step(name, async () => {
      const trace = await readTrace(name);
      const { id, ws } = await replay(trace, engine, client);
      compare(trace, ws, id);
      await compareHistory(trace, engine, id);
    });
  }
});

Deno.test("validation errors are those recorded of the real server", async () => {
  if (skipWithoutShared("traces")) return;
  await using engine = await givenEngine();
  const trace = await readTrace("g3_validation");
  const { status, json } = await engine.post("/prompt", { ...trace.request });
  // The order of a node's errors is arbitrary there.
  const sorted = (answer: unknown) => {
    const copy = structuredClone(answer) as { node_errors: Record<string, { errors: { type: string }[] }> };
    for (const { errors } of Object.values(copy.node_errors)) errors.sort((a, b) => a.type < b.type ? -1 : 1);
    return copy;
  };
  assertEquals([status, sorted(json)], [trace.http[0], sorted(trace.http[1])]);
});

Deno.test("an interrupted chain and its second run are those recorded of the real server", async () => {
  if (skipWithoutShared("traces")) return;
  await using engine = await givenEngine();
  const client = await engine.connect("conf-client");
  const trace = await readTrace("g5_slow_chain_interrupted");
  const id = await engine.submit(trace.request.prompt, { client_id: client.id });
  const before = await client.until(({ type, data }) => type === "executing" && data.node === "10");
  // The recording was interrupted during the first blur too.
  await engine.post("/interrupt", { prompt_id: id });
  compare(trace, [...before, ...await client.untilDone(id)], id);
  await compareHistory(trace, engine, id);
  const second = await readTrace("g5_slow_chain_resumed");
  const resumed = await replay(second, engine, client);
  compare(second, resumed.ws, resumed.id);
});
