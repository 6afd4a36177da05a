import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert/mod.js";
import { AppError } from "#server/core/errors.ts";
import { GiveUp, Retry, TryLater } from "#workers/kit/handle.ts";
import { BridgeUnderTest, QUICK, saveOne, TRUSTING } from "./testing/bridge.ts";
import { failureOf as errorHistory, type FakePrompt, historyOf, successOf } from "./testing/fault_prompt.ts";
import { FaultServer } from "./testing/fault_server.ts";

/** Runs `work` against a stand-in; afterwards a plain job must still work: the thread lives. */
async function withFaults(
  work: (server: FaultServer, bridge: BridgeUnderTest) => Promise<void>,
  timings = QUICK,
): Promise<void> {
  await using server = new FaultServer();
  await using bridge = await BridgeUnderTest.at(server.url, timings);
  await work(server, bridge);
  server.misbehave = () => undefined;
  server.onPrompt = (prompt) => server.finish(prompt);
  server.onSocket = () => {};
  server.submitAnswer = () => undefined;
  assertEquals((await bridge.run()).outputs.length, 1);
}

async function failureOf(run: Promise<unknown>): Promise<Retry | GiveUp | TryLater> {
  const failure = await assertRejects(() => run);
  assert(
    failure instanceof Retry || failure instanceof GiveUp || failure instanceof TryLater,
    String(failure),
  );
  return failure;
}

Deno.test("a job whose socket is dropped mid-run ends by the history", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      server.dropSockets();
      server.endSilently(prompt);
    };
    const { outputs } = await bridge.run();
    assertEquals(outputs.map((output) => output.node), ["2"]);
    await server.until(() => server.connections >= 2);
  }));

Deno.test("a half-open socket is found out, and the job ends without it", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      // Not another frame, not even for the close: as behind a dead router.
      server.sockets.splice(0);
      await server.until(() => server.connections >= 2);
      server.endSilently(prompt);
    };
    await bridge.run();
    assert(server.connections >= 2);
  }));

Deno.test("garbage frames change nothing", () =>
  withFaults(async (server, bridge) => {
    const told = { ratios: [] as number[], notes: [], previews: [] };
    server.onPrompt = async (prompt) => {
      const socket = server.sockets[0]!;
      for (const size of [0, 3, 7, 8]) await socket.binary(new Uint8Array(size).fill(255));
      await socket.binary(new Uint8Array([0, 0, 0, 4, 255, 255, 255, 255, 1, 2]));
      await socket.binary(new Uint8Array([0, 0, 0, 4, 0, 0, 0, 2, 0x7b, 0x7b, 1]));
      for (const text of ["", "[]", "null", '"x"', "{", '{"type":7}', '{"type":"progress"}']) {
        await socket.text(text);
      }
      await socket.text(
        `{"type":"progress","data":{"prompt_id":"${prompt.promptId}","node":"1","value":NaN,"max":Infinity}}`,
      );
      await socket.event("executing", { node: null, prompt_id: "x".repeat(1_000_000) });
      await socket.event("progress_state", { prompt_id: prompt.promptId, nodes: { "1": 5, "2": null } });
      await server.finish(prompt);
    };
    await bridge.run({}, told);
    assertEquals(server.connections, 1);
    assert(told.ratios.every((ratio) => ratio >= 0 && ratio <= 1));
  }, TRUSTING));

Deno.test("frames that break the WebSocket protocol cost the socket, not the job", () =>
  withFaults(async (server, bridge) => {
    const frames: [string, number[]][] = [
      ["invalid UTF-8", [0x81, 2, 0xff, 0xfe]],
      ["200 MB announced", [0x82, 127, 0, 0, 0, 0, 0x0c, 0, 0, 0, 1, 2]],
      ["reserved opcode", [0x83, 0]],
      ["masked by the server", [0x81, 0x81, 0, 0, 0, 0, 65]],
    ];
    for (const [name, bytes] of frames) {
      server.onPrompt = async (prompt) => {
        await server.begin(prompt);
        await server.sockets[0]?.raw(new Uint8Array(bytes));
        server.endSilently(prompt);
      };
      assertEquals((await bridge.run()).outputs.length, 1, name);
    }
  }));

Deno.test("a completion that no event tells is found by asking", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = (prompt) => server.endSilently(prompt);
    assertEquals((await bridge.run()).adopted, false);
  }));

Deno.test("an event of the end is not believed: history decides", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      await server.tell(prompt, "execution_success", {});
      await server.tell(prompt, "executing", { node: null });
      await server.until(() => server.count("GET /history") >= 4);
      server.endSilently(prompt, errorHistory(prompt, "TypeError", "no"));
    };
    const failure = await failureOf(bridge.run());
    assertEquals(failure.failureClass, "internal");
    assertStringIncludes(failure.message, "EmptyImage (node 1) failed: TypeError: no");
  }));

Deno.test("HTML and 500 answers are passed over; for ever, they mean that the worker is gone", () =>
  withFaults(async (server, bridge) => {
    let left = 0;
    const html = { answer: { status: 200, type: "text/html", body: "<h1>Bad gateway</h1>" } };
    const broken = { answer: { status: 500, type: "text/plain", body: "500 Internal Server Error" } };
    server.misbehave = ({ path }) =>
      path.startsWith("/history") && left-- > 0 ? (left % 2 ? html : broken) : undefined;
    server.onPrompt = (prompt) => {
      left = 5;
      server.endSilently(prompt);
    };
    await bridge.run();
    server.onPrompt = () => void (left = Infinity);
    const failure = await failureOf(bridge.run());
    assertEquals([failure.name, failure.failureClass], ["Retry", "worker_gone"]);
  }));

Deno.test("a worker that forgot the prompt is prompt_forgotten", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      server.restart();
    };
    const failure = await failureOf(bridge.run());
    assertEquals([failure.name, failure.failureClass], ["Retry", "prompt_forgotten"]);
    assertStringIncludes(failure.message, "knows nothing of it any more");
  }));

Deno.test("success without a file is output_missing, a blocked branch says why", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = async (prompt) => {
      await server.begin(prompt);
      const blocked = {
        prompt_id: prompt.promptId,
        exception_type: "ExecutionBlocked",
        exception_message: "no face",
      };
      await server.tell(prompt, "execution_error", blocked);
      await server.end(prompt, historyOf(prompt, {}, "success", [["execution_success", { timestamp: 1 }]]));
    };
    const failure = await failureOf(bridge.run());
    assertEquals([failure.name, failure.failureClass], ["Retry", "output_missing"]);
    assertStringIncludes(failure.message, "no face");
    assertEquals(await bridge.filesStored(), 0);
  }));

Deno.test("a file that the worker names but doesn't have is output_missing", () =>
  withFaults(async (server, bridge) => {
    server.misbehave = ({ path }) =>
      path === "/view" ? { answer: { status: 404, type: "text/plain", body: "" } } : undefined;
    assertEquals((await failureOf(bridge.run())).failureClass, "output_missing");
  }));

Deno.test("a truncated file is fetched again and stored once", () =>
  withFaults(async (server, bridge) => {
    let left = 2;
    server.misbehave = ({ path }) => path === "/view" && left-- > 0 ? { truncateAt: 100 } : undefined;
    const { outputs } = await bridge.run();
    assertEquals(outputs[0]?.file.sizeBytes, server.file.length);
    assertEquals(await bridge.filesStored(), 1);
  }));

Deno.test("a file that stays truncated leaves nothing in the store", () =>
  withFaults(async (server, bridge) => {
    server.misbehave = ({ path }) => path === "/view" ? { truncateAt: 100 } : undefined;
    const failure = await failureOf(bridge.run());
    assertEquals([failure.name, failure.failureClass], ["Retry", "worker_gone"]);
    assertEquals(await bridge.filesStored(), 0);
  }));

Deno.test("a full store is storage_full, and the next run fetches the same prompt's file", () =>
  withFaults(async (server, bridge) => {
    const full = {
      put: () => Promise.reject(new AppError("storage_full", "Cannot store the file: the disk is full")),
      openLocal: () => Promise.resolve(""),
      size: () => Promise.resolve(undefined),
      read: (hash: string) => bridge.store.read(hash),
    };
    const promptId = crypto.randomUUID();
    const failure = await failureOf(bridge.run({ promptId, jobStore: full }));
    assertEquals([failure.name, failure.failureClass], ["Retry", "storage_full"]);
    const again = await bridge.run({ earlierPromptIds: [promptId] });
    assertEquals([again.adopted, again.promptId, server.count("POST /prompt")], [true, promptId, 1]);
  }));

Deno.test("a worker that dies for good mid-run is worker_gone", async () => {
  const server = new FaultServer();
  await using bridge = await BridgeUnderTest.at(server.url);
  let dying: Promise<void> | undefined;
  server.onPrompt = () => void (dying = server[Symbol.asyncDispose]());
  const failure = await failureOf(bridge.run());
  assertEquals([failure.name, failure.failureClass], ["Retry", "worker_gone"]);
  await dying;
});

Deno.test("a worker that can't be reached, redirects or is no ComfyUI costs no attempt", () =>
  withFaults(async (server, bridge) => {
    const away = await failureOf(bridge.run({ workerUrl: "http://127.0.0.1:9" }));
    assertEquals([away.name, away.failureClass], ["TryLater", "worker_gone"]);
    server.misbehave = () => ({ answer: { status: 302, type: "text/plain", body: "" } });
    assertEquals((await failureOf(bridge.run())).name, "TryLater");
    server.misbehave = () => ({ answer: { status: 200, type: "text/html", body: "<html>" } });
    assertEquals((await failureOf(bridge.run())).name, "TryLater");
    server.misbehave = () => ({ stall: true });
    assertEquals((await failureOf(bridge.run())).name, "TryLater");
    assertEquals(server.count("POST /prompt"), 0);
  }));

Deno.test("a prompt whose answer was lost is found and not sent twice", () =>
  withFaults(async (server, bridge) => {
    server.misbehave = ({ method, path }) =>
      method === "POST" && path === "/prompt" ? { truncateAt: 0 } : undefined;
    await bridge.run();
    assertEquals(server.prompts.size, 1);
    assertEquals(await bridge.filesStored(), 1);
  }));

Deno.test("answers that never end are given up by their deadline", () =>
  withFaults(async (server, bridge) => {
    let stalls = 0;
    server.onPrompt = (prompt) => {
      stalls = 1;
      server.endSilently(prompt);
    };
    for (const route of ["/history", "/view"]) {
      server.misbehave = ({ path }) => path.startsWith(route) && stalls-- > 0 ? { stall: true } : undefined;
      stalls = 0;
      await bridge.run();
      assert(stalls < 0, route);
    }
  }));

Deno.test("a refused graph fails at once with every reason", () =>
  withFaults(async (server, bridge) => {
    const errors = [
      { type: "value_not_in_list", message: "Value not in list", details: "a: 'x' not in []" },
      { type: "custom_validation_failed", message: "Custom validation failed", details: "b" },
    ];
    const node_errors = { "1": { errors, dependent_outputs: ["2"], class_type: "EmptyImage" } };
    const error = {
      type: "prompt_outputs_failed_validation",
      message: "Prompt outputs failed validation",
      details: "",
    };
    server.submitAnswer = () => ({ status: 400, body: { error, node_errors } });
    const failure = await failureOf(bridge.run());
    assertEquals([failure.name, failure.failureClass], ["GiveUp", "rejected"]);
    assertStringIncludes(failure.message, "Value not in list: a: 'x' not in []");
    assertStringIncludes(failure.message, "Custom validation failed: b");
  }));

Deno.test("a graph of which the worker would run a part is cancelled and rejected", () =>
  withFaults(async (server, bridge) => {
    server.onPrompt = () => {};
    server.submitAnswer = (prompt) => ({
      status: 200,
      body: { prompt_id: prompt.promptId, number: 0, node_errors: { "9": { errors: [], class_type: "X" } } },
    });
    const failure = await failureOf(bridge.run());
    assertEquals([failure.name, failure.failureClass], ["GiveUp", "rejected"]);
    assertEquals(server.prompts.size, 0);
  }));

Deno.test("all that the worker lacks is said before anything is sent", () =>
  withFaults(async (server, bridge) => {
    const graph = saveOne();
    graph["3"] = { class_type: "NoSuchNode", inputs: {} };
    graph["4"] = { class_type: "NorThis", inputs: {} };
    graph["1"]!.inputs.color = -1;
    const failure = await failureOf(bridge.run({ graph }));
    assertEquals([failure.name, failure.failureClass], ["GiveUp", "missing_requirement"]);
    for (const said of ["NoSuchNode (node 3)", "NorThis (node 4)", "color is -1"]) {
      assertStringIncludes(failure.message, said);
    }
    assertEquals(server.count("POST /prompt"), 0);
  }));

Deno.test("running out of memory frees the worker and is retried as such", () =>
  withFaults(async (server, bridge) => {
    for (const type of ["torch.OutOfMemoryError", "torch.cuda.OutOfMemoryError", "RuntimeError"]) {
      const before = server.count("POST /free");
      server.onPrompt = (prompt) =>
        server.end(prompt, errorHistory(prompt, type, "Allocation on device 0 failed"));
      const failure = await failureOf(bridge.run());
      assertEquals([failure.name, failure.failureClass], ["Retry", "out_of_memory"]);
      assertEquals(server.count("POST /free"), before + 1);
    }
  }));

Deno.test("a full disk, a broken model and a broken picture have classes of their own", () =>
  withFaults(async (server, bridge) => {
    const cases = [
      ["safetensors._safetensors_rust.SafetensorError", "header", "GiveUp", "missing_requirement"],
      ["torch.AcceleratorError", "CUDA error: no kernel image is available", "GiveUp", "missing_requirement"],
      [
        "FileNotFoundError",
        "Model in folder 'vae' with filename 'a.pt' not found.",
        "GiveUp",
        "missing_requirement",
      ],
      ["OSError", "[Errno 28] No space left on device", "Retry", "worker_storage_full"],
      [
        "SafetensorError",
        'IoError(Os { code: 28, kind: StorageFull, message: "No space" })',
        "Retry",
        "worker_storage_full",
      ],
      ["PIL.UnidentifiedImageError", "cannot identify image file", "GiveUp", "bad_input"],
    ] as const;
    for (const [type, message, name, failureClass] of cases) {
      server.onPrompt = (prompt) => server.end(prompt, errorHistory(prompt, type, message));
      const failure = await failureOf(bridge.run());
      assertEquals([failure.name, failure.failureClass], [name, failureClass]);
    }
  }));

Deno.test("a worker whose GPU is at fault gets nothing more until its process was started anew", () =>
  withFaults(async (server, bridge) => {
    const told: string[] = [];
    let mended = Promise.withResolvers<void>();
    bridge.links.to(server.url).watch({
      onQueue: () => {},
      onConnection: () => {},
      onPoison: (reason) => {
        told.push(reason ?? "well");
        if (reason === undefined) mended.resolve();
      },
    });
    for (
      const said of ["CUDA error: an illegal memory access was encountered", "unspecified launch failure"]
    ) {
      server.onPrompt = (prompt) => server.end(prompt, errorHistory(prompt, "torch.AcceleratorError", said));
      const failure = await failureOf(bridge.run());
      assertEquals([failure.name, failure.failureClass], ["Retry", "worker_poisoned"]);
      const sent = server.count("POST /prompt");
      const refusal = await failureOf(bridge.run());
      assertEquals([refusal.name, refusal.failureClass], ["TryLater", "worker_gone"]);
      assertStringIncludes(refusal.message, "until ComfyUI is restarted");
      assertEquals(server.count("POST /prompt"), sent);
      // Only the line was cut: the process still knows the prompt.
      const before = server.count("GET /history");
      server.dropSockets();
      await server.until(() => server.count("GET /history") > before);
      assertEquals((await failureOf(bridge.run())).name, "TryLater");
      server.onPrompt = (prompt) => server.finish(prompt);
      server.restart();
      await mended.promise;
      mended = Promise.withResolvers<void>();
      assertEquals((await bridge.run()).outputs.length, 1);
    }
    assertEquals(told.map((reason) => reason === "well"), [false, true, false, true]);
  }));

Deno.test("an upload that the worker can't keep is worker_storage_full, another 500 is not", () =>
  withFaults(async (server, bridge) => {
    const file = await bridge.store.put(new Uint8Array([1, 2, 3]), "image/png");
    const graph = saveOne();
    graph["1"] = { class_type: "LoadImage", inputs: { image: "" } };
    const uploads = [{ file, extension: "png", places: [{ node: "1", input: "image" }] }];
    const answers = [
      [500, "OSError: [Errno 28] No space left on device", "Retry", "worker_storage_full"],
      [507, "Insufficient Storage", "Retry", "worker_storage_full"],
      [500, "500 Internal Server Error\n\nServer got itself in trouble", "Retry", "worker_storage_full"],
      [502, "Bad Gateway", "TryLater", "worker_gone"],
    ] as const;
    for (const [status, body, name, failureClass] of answers) {
      server.misbehave = ({ path }) =>
        path === "/upload/image" ? { answer: { status, type: "text/plain", body } } : undefined;
      const failure = await failureOf(bridge.run({ graph, uploads }));
      assertEquals([failure.name, failure.failureClass], [name, failureClass], body);
    }
    assertEquals(server.count("POST /prompt"), 0);
  }));

Deno.test("a prompt of an earlier attempt is adopted: done, running or pending", () =>
  withFaults(async (server, bridge) => {
    for (const state of ["done", "running", "pending"] as const) {
      const promptId = crypto.randomUUID();
      const prompt: FakePrompt = {
        promptId,
        clientId: "dead",
        graph: saveOne() as FakePrompt["graph"],
        state,
        history: undefined,
      };
      if (state === "done") prompt.history = successOf(prompt);
      server.prompts.set(promptId, prompt);
      const before = server.count("POST /prompt");
      const running = bridge.run({ earlierPromptIds: [crypto.randomUUID(), promptId] });
      if (state !== "done") {
        const seen = server.count("GET /history");
        await server.until(() => server.count("GET /history") >= seen + 5);
        server.endSilently(prompt);
      }
      const result = await running;
      assertEquals([result.adopted, result.promptId], [true, promptId], state);
      assertEquals(server.count("POST /prompt"), before, state);
    }
  }));

Deno.test("of two live earlier prompts one is cancelled", () =>
  withFaults(async (server, bridge) => {
    const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
    const graph = saveOne() as FakePrompt["graph"];
    const running: FakePrompt = {
      promptId: a,
      clientId: "dead",
      graph,
      state: "running",
      history: undefined,
    };
    server.prompts.set(a, running);
    server.prompts.set(b, { promptId: b, clientId: "dead", graph, state: "pending", history: undefined });
    const result = bridge.run({ earlierPromptIds: [a, b] });
    await server.until(() => !server.prompts.has(b));
    server.endSilently(running);
    assertEquals((await result).promptId, a);
    assertEquals(server.interrupted, []);
  }));

Deno.test("an earlier prompt that failed, or whose file is gone, is not taken: the job runs anew", () =>
  withFaults(async (server, bridge) => {
    const graph = saveOne() as FakePrompt["graph"];
    const failed: FakePrompt = {
      promptId: crypto.randomUUID(),
      clientId: "",
      graph,
      state: "done",
      history: undefined,
    };
    failed.history = errorHistory(failed, "TypeError", "no");
    server.prompts.set(failed.promptId, failed);
    assertEquals((await bridge.run({ earlierPromptIds: [failed.promptId] })).adopted, false);
    const gone: FakePrompt = {
      promptId: crypto.randomUUID(),
      clientId: "",
      graph,
      state: "done",
      history: undefined,
    };
    gone.history = successOf(gone);
    server.prompts.set(gone.promptId, gone);
    server.misbehave = ({ path, query }) =>
      path === "/view" && query.get("filename")?.startsWith(gone.promptId)
        ? { answer: { status: 404, type: "text/plain", body: "" } }
        : undefined;
    assertEquals((await bridge.run({ earlierPromptIds: [gone.promptId] })).adopted, false);
  }));
