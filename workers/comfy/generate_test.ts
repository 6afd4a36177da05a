import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import type { FileRef } from "#server/core/file_ref.ts";
import { HandedBack } from "#workers/kit/handle.ts";
import { BridgeUnderTest, saveOne, type Told, TRUSTING } from "./testing/bridge.ts";
import type { FakePrompt } from "./testing/fault_prompt.ts";
import { FaultServer } from "./testing/fault_server.ts";

async function withWorker(
  work: (server: FaultServer, bridge: BridgeUnderTest) => Promise<void>,
): Promise<void> {
  await using server = new FaultServer();
  await using bridge = await BridgeUnderTest.at(server.url, TRUSTING);
  await work(server, bridge);
}

function nothingTold(): Told {
  return { ratios: [], notes: [], previews: [] };
}

/** A LoadImage whose file comes from the store. */
function loading(file: FileRef) {
  const graph = saveOne();
  graph["1"] = { class_type: "LoadImage", inputs: { image: "replaced.png" } };
  return { graph, uploads: [{ file, extension: "png", places: [{ node: "1", input: "image" }] }] };
}

Deno.test("generate puts a prefix of its own into the graph and says how it was sent", () =>
  withWorker(async (server, bridge) => {
    const promptId = crypto.randomUUID();
    const result = await bridge.run({ promptId });
    const sent = server.prompts.get(promptId)?.graph;
    assertEquals(sent?.["2"]?.inputs.filename_prefix, `seedloop/${promptId}/a`);
    assertEquals(result.graph, sent);
    assertEquals(result.software.version, "0.3.64");
    assertEquals(Object.keys(result.timings.nodesMs), ["1", "2"]);
    const span = Date.parse(result.timings.finishedAt) - Date.parse(result.timings.startedAt ?? "");
    assertEquals(span, 500); // as long as the worker's own clock says
  }));

Deno.test("generate's progress only rises, ends at 1 and tells the step of a node", () =>
  withWorker(async (server, bridge) => {
    const told = nothingTold();
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      await server.tell(prompt, "executing", { node: "1" });
      for (const value of [1, 2, 3, 1, 2]) {
        await server.tell(prompt, "progress", { node: "1", value, max: 4 });
      }
      await server.tell(prompt, "executing", { node: "2" });
      await server.end(prompt);
    };
    await bridge.run({}, told);
    assertEquals(told.ratios, told.ratios.toSorted((a, b) => a - b));
    assertEquals(told.ratios.at(-1), 1);
    assert(told.notes.includes("EmptyImage 3/4"), told.notes.join());
  }));

Deno.test("generate passes repeated progress_state on as what changed", () =>
  withWorker(async (server, bridge) => {
    const told = nothingTold();
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      const nodes = { "1": { value: 1, max: 4, state: "running", node_id: "1", display_node_id: "1" } };
      for (let at = 0; at < 50; at++) await server.tell(prompt, "progress_state", { nodes });
      await server.end(prompt);
    };
    await bridge.run({}, told);
    assertEquals(told.notes.filter((note) => note === "EmptyImage 1/4").length, 1);
  }));

Deno.test("generate forwards previews of its own prompt, of both kinds, byte for byte", () =>
  withWorker(async (server, bridge) => {
    const told = nothingTold();
    const image = [0xff, 0xd8, 1, 2, 3];
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      const meta = (prompt_id: string) =>
        new TextEncoder().encode(JSON.stringify({ prompt_id, node_id: "1", image_type: "image/png" }));
      for (const id of [crypto.randomUUID(), prompt.promptId]) {
        await server.sockets[0]?.binary(
          new Uint8Array([0, 0, 0, 4, 0, 0, 0, meta(id).length, ...meta(id), ...image]),
        );
      }
      await server.sockets[0]?.binary(new Uint8Array([0, 0, 0, 1, 0, 0, 0, 1, ...image]));
      await server.end(prompt);
    };
    await bridge.run({}, told);
    assertEquals(told.previews.map((one) => one.mediaType), ["image/png", "image/jpeg"]);
    assertEquals([...told.previews[0]!.bytes], image);
    assertEquals([...told.previews[1]!.bytes], image);
  }));

Deno.test("several prompts of several workers run at once over one socket each", async () => {
  await using a = new FaultServer();
  await using b = new FaultServer();
  await using bridge = await BridgeUnderTest.at(a.url, TRUSTING);
  const held: (() => Promise<void>)[] = [];
  for (const server of [a, b]) server.onPrompt = (prompt) => void held.push(() => server.finish(prompt));
  const runs = [a, b].flatMap((
    { url },
  ) => [bridge.run({ workerUrl: url }), bridge.run({ workerUrl: `${url}/` })]);
  await a.until(() => a.prompts.size === 2);
  await b.until(() => b.prompts.size === 2);
  for (const finish of held.toReversed()) await finish();
  const results = await Promise.all(runs);
  assertEquals(new Set(results.map((result) => result.promptId)).size, 4);
  for (const result of results) assertEquals(result.outputs[0]?.fileName, `${result.promptId}.png`);
  assertEquals([a.connections, b.connections], [1, 1]);
});

Deno.test("inputs are uploaded once by hash, and again when the worker lost them", () =>
  withWorker(async (server, bridge) => {
    const bytes = new TextEncoder().encode("a picture of some length ".repeat(10_000));
    const file = await bridge.store.put(bytes, "image/png");
    const [first, second] = await Promise.all([bridge.run(loading(file)), bridge.run(loading(file))]);
    assertEquals(first.graph["1"]?.inputs.image, `seedloop/${file.hash}.png`);
    assertEquals(second.graph["1"]?.inputs.image, `seedloop/${file.hash}.png`);
    assertEquals(server.count("POST /upload/image"), 1);
    assertEquals(server.uploads.get(`seedloop/${file.hash}.png`), bytes);
    server.uploads.clear();
    server.restart();
    await server.until(() => server.connections === 2);
    await bridge.run(loading(file));
    assertEquals(server.count("POST /upload/image"), 2);
    await bridge.run(loading(file));
    assertEquals(server.count("POST /upload/image"), 2);
  }));

Deno.test("a file that the worker has from before is not sent again, unless its size is wrong", () =>
  withWorker(async (server, bridge) => {
    const file = await bridge.store.put(new Uint8Array([1, 2, 3]), "image/png");
    server.uploads.set(`seedloop/${file.hash}.png`, new Uint8Array([1, 2, 3]));
    await bridge.run(loading(file));
    assertEquals(server.count("POST /upload/image"), 0);
    const other = await bridge.store.put(new Uint8Array([4, 5, 6]), "image/png");
    server.uploads.set(`seedloop/${other.hash}.png`, new Uint8Array([4]));
    await bridge.run(loading(other));
    assertEquals(server.count("POST /upload/image"), 1);
  }));

Deno.test("an input that the worker says is missing is sent again and the prompt repeated once", () =>
  withWorker(async (server, bridge) => {
    const file = await bridge.store.put(new Uint8Array([1, 2, 3]), "image/png");
    await bridge.run(loading(file));
    let refusals = 1;
    const errors = [{
      type: "custom_validation_failed",
      message: "Custom validation failed",
      details: "image",
    }];
    const body = {
      error: { type: "x", message: "x" },
      node_errors: { "1": { errors, class_type: "LoadImage" } },
    };
    server.submitAnswer = () => refusals-- > 0 ? { status: 400, body } : undefined;
    server.uploads.clear();
    await bridge.run(loading(file));
    assertEquals(server.count("POST /upload/image"), 2);
  }));

async function abortWhen(
  server: FaultServer,
  bridge: BridgeUnderTest,
  holds: () => boolean,
  reason?: unknown,
) {
  const abort = new AbortController();
  const run = bridge.run({ signal: abort.signal });
  await server.until(holds);
  abort.abort(reason ?? new DOMException("The job was cancelled", "AbortError"));
  const startedAt = performance.now();
  await assertRejects(() => run);
  assert(performance.now() - startedAt < 2_000);
}

/** A prompt of somebody else that runs. */
function foreign(server: FaultServer): FakePrompt {
  const graph = saveOne() as FakePrompt["graph"];
  const prompt: FakePrompt = {
    promptId: crypto.randomUUID(),
    clientId: "x",
    graph,
    state: "running",
    history: undefined,
  };
  server.prompts.set(prompt.promptId, prompt);
  return prompt;
}

Deno.test("cancel takes a pending prompt out of the queue and leaves the running one alone", () =>
  withWorker(async (server, bridge) => {
    const other = foreign(server);
    server.onPrompt = () => {};
    await abortWhen(server, bridge, () => server.prompts.size === 2);
    assertEquals([...server.prompts.keys()], [other.promptId]);
    assertEquals([other.state, server.interrupted], ["running", []]);
  }));

Deno.test("cancel interrupts a running prompt, again until it stops, also after the job has ended", () =>
  withWorker(async (server, bridge) => {
    let ignored = 6;
    server.onInterrupt = (id) => ignored-- > 0 ? undefined : server.interruptRunning(id);
    server.onPrompt = (prompt) => server.begin(prompt);
    await abortWhen(
      server,
      bridge,
      () => [...server.prompts.values()].some((one) => one.state === "running"),
    );
    await server.until(() => server.interrupted.length === 1);
    assertEquals(server.interrupted, [...server.prompts.keys()]);
  }));

Deno.test("on a server that can't interrupt by id, only the own running prompt is interrupted", () =>
  withWorker(async (server, bridge) => {
    server.version = "0.3.40";
    const other = foreign(server);
    server.onPrompt = () => {};
    await abortWhen(server, bridge, () => server.prompts.size === 2);
    assertEquals([other.state, server.count("POST /interrupt")], ["running", 0]);
    server.endSilently(other);
    server.onPrompt = (prompt) => server.begin(prompt);
    await abortWhen(
      server,
      bridge,
      () => [...server.prompts.values()].some((one) => one.state === "running"),
    );
    assertEquals(server.interrupted.length, 1);
  }));

Deno.test("a job that is handed back leaves its prompt to the next run", () =>
  withWorker(async (server, bridge) => {
    server.onPrompt = (prompt) => server.begin(prompt);
    const reason = new HandedBack("The job is run by another process now");
    await abortWhen(
      server,
      bridge,
      () => [...server.prompts.values()].some((one) => one.state === "running"),
      reason,
    );
    const [prompt] = [...server.prompts.values()];
    assertEquals([prompt?.state, server.count("POST /interrupt")], ["running", 0]);
    const next = bridge.run({ earlierPromptIds: [prompt!.promptId] });
    await server.end(prompt!);
    assertEquals((await next).adopted, true);
  }));
