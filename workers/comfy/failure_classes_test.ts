import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { AppError } from "#server/core/errors.ts";
import type { LocalStore } from "#server/files/local_store.ts";
import { saveOne } from "./testing/bridge.ts";
import { failureOf, type FakePrompt, historyOf } from "./testing/fault_prompt.ts";
import { FaultServer } from "./testing/fault_server.ts";
import { type JobRow, QueueBridge, type QueueBridgeOptions } from "#server/testing/queue_bridge.ts";

const GIB = 1024 ** 3;
const OOM = ["torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory."] as const;

/** One worker "A" of 8 GiB, the real bridge and the real queue. */
async function withQueue(
  work: (a: FaultServer, studio: QueueBridge) => Promise<void>,
  options: QueueBridgeOptions = {},
): Promise<void> {
  await using a = new FaultServer();
  await using studio = await QueueBridge.open(options);
  await studio.addWorker("A", a.url, 8 * GIB);
  await work(a, studio);
}

/** The worker fails prompts so from now on, the first `times` of them. */
function failPrompts(server: FaultServer, type: string, message: string, times = Infinity): void {
  server.onPrompt = (prompt) =>
    times-- > 0 ? server.end(prompt, failureOf(prompt, type, message)) : server.finish(prompt);
}

function facts({ status, failures, failureClass, runs }: JobRow) {
  return { status, failures, failureClass, runs };
}

Deno.test("out of memory: once more with empty memory, then parked when no worker is larger; retry takes it up", () =>
  withQueue(async (a, studio) => {
    await studio.addWorker("as large", "http://127.0.0.1:9", 8 * GIB, "offline");
    await studio.addWorker("on its way out", "http://127.0.0.1:9", 80 * GIB, "disabled");
    failPrompts(a, ...OOM);
    const id = await studio.submit();
    const parked = await studio.end(id);
    assertEquals(facts(parked), {
      status: "failed",
      failures: 1,
      failureClass: "out_of_memory",
      runs: ["A: out_of_memory", "A: out_of_memory"],
    });
    assertMatch(parked.error ?? "", /^Cannot finish the prompt: the worker ran out of memory; EmptyImage/);
    assertStringIncludes(
      parked.error ?? "",
      "no worker has more of it. Make it smaller or shorter, or register",
    );
    const [freed, again] = [a.requests.indexOf("POST /free"), a.requests.lastIndexOf("POST /prompt")];
    assertEquals(freed >= 0 && freed < again, true);
    failPrompts(a, ...OOM, 1); // a fresh budget: once more may go wrong
    await studio.retry(id);
    assertEquals((await studio.end(id)).runs.slice(2), ["A: out_of_memory", "A: done"]);
  }));

Deno.test("out of memory twice goes on only where there is more, however long that takes to come", () =>
  withQueue(async (a, studio) => {
    await using b = new FaultServer();
    const larger = await studio.addWorker("B", b.url, 24 * GIB, "offline");
    failPrompts(a, ...OOM);
    const id = await studio.submit();
    const waiting = await studio.until(id, ({ status, runs }) => status === "queued" && runs.length === 2);
    assertStringIncludes(waiting.error ?? "", "it goes on where there is more memory, as on B");
    const others = await studio.submit(); // what is behind it does not wait with it
    a.onPrompt = (prompt) => a.finish(prompt);
    assertEquals((await studio.end(others)).runs, ["A: done"]);
    assertMatch(await studio.explain(id) ?? "", /B is offline/);
    await studio.setWorkerStatus(larger, "online");
    const done = await studio.end(id);
    assertEquals(done.runs, ["A: out_of_memory", "A: out_of_memory", "B: done"]);
    assertEquals(a.count("POST /prompt"), 3);
  }));

Deno.test("a worker whose GPU is at fault is unhealthy until restarted; its job waits and has spent nothing", async () => {
  await using a = new FaultServer();
  await using studio = await QueueBridge.open({ isWatched: true });
  const workerId = await studio.addWorker("A", a.url, undefined, "unknown");
  failPrompts(a, "torch.AcceleratorError", "CUDA error: an illegal memory access was encountered", 1);
  const id = await studio.submit();
  const worker = await studio.untilWorker(workerId, ({ status }) => status === "unhealthy");
  assertMatch(worker.lastError ?? "", /^Cannot use the worker's GPU until ComfyUI is restarted; EmptyImage/);
  const waiting = await studio.until(id, ({ status }) => status === "queued");
  assertEquals([waiting.failures, waiting.runs[0]], [0, "A: worker_poisoned"]);
  assertEquals(a.count("POST /prompt"), 1);
  a.restart();
  const done = await studio.end(id);
  // Before its row said so, it may have been turned away, which costs nothing either.
  assertEquals(done.runs.filter((run) => run !== "A: worker_gone"), ["A: worker_poisoned", "A: done"]);
  assertEquals([done.failures, (await studio.findWorker(workerId)).status], [0, "online"]);
});

Deno.test("a job that spoils the GPU each time is parked in the end", () =>
  withQueue(async (a, studio) => {
    await studio.db`update failure_class set retries = 0 where code = 'worker_poisoned'`;
    failPrompts(a, "RuntimeError", "CUDA error: unspecified launch failure");
    const parked = await studio.end(await studio.submit());
    assertEquals([parked.status, parked.failureClass], ["failed", "worker_poisoned"]);
    assertStringIncludes(
      parked.error ?? "",
      "It happened each time, also after restarts: change what this job",
    );
  }));

Deno.test("all that is missing is said at once, and the parked job goes on once it is there", () =>
  withQueue(async (a, studio) => {
    const loader = (names: string[]) => ({
      name: "CheckpointLoaderSimple",
      input: { required: { ckpt_name: [names] } },
      output: ["MODEL", "CLIP", "VAE"],
      output_node: false,
    });
    const decode = {
      name: "VAEDecode",
      input: { required: { samples: ["LATENT"], vae: ["VAE"] } },
      output: ["IMAGE"],
      output_node: false,
    };
    const usual = a.objectInfo;
    a.objectInfo = { ...usual, CheckpointLoaderSimple: loader(["other.safetensors"]), VAEDecode: decode };
    const graph = saveOne();
    graph["2"]!.inputs.images = ["5", 0];
    graph["3"] = { class_type: "CheckpointLoaderSimple", inputs: { ckpt_name: "wanted.safetensors" } };
    graph["4"] = { class_type: "PackOneLatent", inputs: {} };
    graph["5"] = { class_type: "VAEDecode", inputs: { samples: ["4", 0], vae: ["3", 2] } };
    graph["6"] = { class_type: "PackTwoNode", inputs: {} };
    const id = await studio.submit({ graph });
    const parked = await studio.end(id);
    assertEquals(facts(parked), {
      status: "failed",
      failures: 0,
      failureClass: "missing_requirement",
      runs: ["A: missing_requirement"],
    });
    for (const missing of ["wanted.safetensors", "PackOneLatent (node 4)", "PackTwoNode (node 6)"]) {
      assertStringIncludes(parked.error ?? "", missing);
    }
    assertMatch(parked.error ?? "", /\. Install all that is missing on a worker, then retry it$/);
    assertEquals(a.count("POST /prompt"), 0);
    const latent = { input: { required: {} }, output: ["LATENT"], output_node: false };
    a.objectInfo = {
      ...a.objectInfo,
      CheckpointLoaderSimple: loader(["wanted.safetensors"]),
      PackOneLatent: latent,
      PackTwoNode: latent,
    };
    await studio.retry(id);
    assertEquals((await studio.end(id)).status, "done");
  }));

Deno.test("a worker that goes for good costs an attempt; back at another address, it is used", () =>
  withQueue(async (a, studio) => {
    await using b = new FaultServer();
    a.onPrompt = async () => {
      await studio.db`update workers set url = ${b.url}`;
      a[Symbol.asyncDispose]();
    };
    const done = await studio.end(await studio.submit());
    assertEquals(done.runs, ["A: worker_gone", "A: done"]);
    assertEquals([done.status, done.failures, b.prompts.size], ["done", 1, 1]);
  }));

Deno.test("a prompt that the restarted worker forgot is submitted anew, one that it has is never sent twice", () =>
  withQueue(async (a, studio) => {
    let restarts = 2;
    a.onPrompt = async (prompt) => {
      await a.begin(prompt);
      if (restarts-- > 0) return a.restart();
      await a.end(prompt);
    };
    // The answer to the last submit is lost: the prompt is there all the same.
    a.misbehave = ({ method, path }) =>
      restarts === 0 && method === "POST" && path === "/prompt" ? { loseAnswer: true } : undefined;
    const done = await studio.end(await studio.submit());
    assertEquals(done.runs, ["A: prompt_forgotten", "A: prompt_forgotten", "A: done"]);
    assertEquals([a.count("POST /prompt"), a.prompts.size], [3, 1]);
    await studio.db`update failure_class set retries = 0 where code = 'prompt_forgotten'`;
    a.misbehave = () => undefined;
    restarts = 1;
    const parked = await studio.end(await studio.submit());
    assertMatch(parked.error ?? "", /knows nothing of it any more.* See why the worker's ComfyUI restarts/);
  }));

Deno.test("success without a file is tried twice more under names of its own, then parked", () =>
  withQueue(async (a, studio) => {
    const prefixes = new Set<unknown>();
    a.onPrompt = async (prompt: FakePrompt) => {
      prefixes.add(prompt.graph["2"]?.inputs.filename_prefix);
      await a.end(prompt, historyOf(prompt, {}, "success", []));
    };
    const parked = await studio.end(await studio.submit());
    assertEquals(facts(parked), {
      status: "failed",
      failures: 2,
      failureClass: "output_missing",
      runs: ["A: output_missing", "A: output_missing", "A: output_missing"],
    });
    assertEquals(prefixes.size, 3);
    assertEquals(
      parked.error,
      "Cannot find the result: the prompt succeeded, but node 2 left no file. Look at the workflow's save node " +
        "and at the worker's output folder, then retry it",
    );
  }));

Deno.test("a graph that the worker refuses is parked at once with each reason", () =>
  withQueue(async (a, studio) => {
    const errors = [
      { message: "Value not in list", details: "a: 'x' not in []" },
      { message: "Custom validation failed", details: "image - Invalid image file" },
    ];
    a.submitAnswer = () => ({
      status: 400,
      body: {
        error: { type: "prompt_outputs_failed_validation", message: "Prompt outputs failed validation" },
        node_errors: { "1": { errors, class_type: "EmptyImage" } },
      },
    });
    const parked = await studio.end(await studio.submit());
    assertEquals([parked.status, parked.failureClass, parked.runs], ["failed", "rejected", ["A: rejected"]]);
    for (
      const said of ["not in []", "Invalid image file", ". Change the workflow or its values, or update"]
    ) {
      assertStringIncludes(parked.error ?? "", said);
    }
  }));

Deno.test("a worker whose disk is full is tried again later, or another is", () =>
  withQueue(async (a, studio) => {
    await using b = new FaultServer();
    failPrompts(a, "OSError", "[Errno 28] No space left on device: '/comfy/output/a.png'");
    const id = await studio.submit();
    await studio.until(id, ({ runs }) => runs.length >= 1);
    await studio.addWorker("B", b.url);
    assertEquals((await studio.end(id)).runs.at(-1), "B: done");
    await studio.db`update failure_class set retries = 0 where code = 'worker_storage_full'`;
    for (const server of [a, b]) {
      server.onPrompt = (prompt) => server.finish(prompt);
      server.misbehave = ({ path }) =>
        path === "/upload/image"
          ? {
            answer: { status: 500, type: "text/plain", body: "OSError: [Errno 28] No space left on device" },
          }
          : undefined;
    }
    const file = await studio.store.put(new Uint8Array([1, 2, 3]), "image/png");
    const graph = saveOne();
    graph["1"] = { class_type: "LoadImage", inputs: { image: "" } };
    const uploads = [{ file, extension: "png", places: [{ node: "1", input: "image" }] }];
    const parked = await studio.end(await studio.submit({ graph, uploads }));
    assertEquals([parked.status, parked.failureClass], ["failed", "worker_storage_full"]);
    assertMatch(
      parked.error ?? "",
      /its disk is full; .*\. As soon as there is space on the worker's disk it goes on by itself, within minutes$/,
    );
  }));

Deno.test("when the studio's disk is full the finished prompt waits for space and is not run again", async () => {
  // More often than attempts are looked back at.
  const tries = 25;
  let full = tries;
  const storeOf = (store: LocalStore) => ({
    put: (...given: Parameters<LocalStore["put"]>) =>
      full-- > 0
        ? Promise.reject(
          new AppError("storage_full", "Cannot store the file: the disk is full; free some space"),
        )
        : store.put(...given),
    openLocal: (hash: string) => store.openLocal(hash),
    size: (hash: string) => store.size(hash),
    read: (hash: string) => store.read(hash),
  });
  await withQueue(async (a, studio) => {
    await studio.db`update failure_class set backoff_ms = 0 where code = 'storage_full'`;
    const done = await studio.end(await studio.submit());
    assertEquals(done.runs, [...Array.from({ length: tries }, () => "A: storage_full"), "A: done"]);
    assertEquals(a.count("POST /prompt"), 1);
  }, { storeOf });
});
