import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import sharp from "sharp";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { GiveUp } from "#workers/kit/handle.ts";
import { startEngine } from "#workers/comfy/conformance/engine_process.ts";
import { oneImage, slowChain, video } from "#workers/comfy/conformance/graphs.ts";
import { BridgeUnderTest, type Told } from "./testing/bridge.ts";
import { TIMINGS } from "./timings.ts";

const PREFIX = "%SEEDLOOP_PREFIX%/a";

function nothingTold(): Told {
  return { ratios: [], notes: [], previews: [] };
}

/** A colour that no earlier run has left in a cache. */
function freshColor(): number {
  return Math.floor(Math.random() * 0xffffff);
}

Deno.test("the bridge works with the CPU engine", async (t) => {
  await using engine = await startEngine();
  await runAll(t, engine.url);
});

const comfyUrl = Deno.env.get("COMFYUI_URL");

Deno.test({
  name: comfyUrl === undefined
    ? "the bridge works with a ComfyUI: skipped, COMFYUI_URL is not set"
    : `the bridge works with the ComfyUI at ${comfyUrl}`,
  ignore: comfyUrl === undefined,
  fn: (t) => runAll(t, comfyUrl ?? ""),
});

async function runAll(t: Deno.TestContext, url: string): Promise<void> {
  await using bridge = await BridgeUnderTest.at(url, TIMINGS);
  const step = (name: string, run: (bridge: BridgeUnderTest) => Promise<void>) =>
    t.step(name, () => run(bridge));
  await step("an image is made, fetched and described", image);
  await step("the same job again runs only what must leave a file", again);
  await step("a finished prompt is adopted", adopt);
  await step("an input goes over and is read", upload);
  await step("a video is fetched as a video", movie);
  await step("a graph that can't run is refused before it is sent", refuse);
  await step("a cancelled prompt stops and another one runs on", cancel);
  await step("eight prompts at once come back each with its own picture", many);
}

async function image(bridge: BridgeUnderTest): Promise<void> {
  const told = nothingTold();
  const result = await bridge.run({ graph: oneImage(PREFIX, 0x336699, 32) }, told);
  assertEquals(result.outputs.map((one) => [one.node, one.file.mediaType]), [["2", "image/png"]]);
  const bytes = await new Response(await bridge.store.read(result.outputs[0]!.file.hash)).bytes();
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  assertEquals([info.width, info.height, ...data.subarray(0, 3)], [32, 32, 0x33, 0x66, 0x99]);
  assertEquals(told.ratios.at(-1), 1);
  assert(result.software.version.length > 0 && result.timings.startedAt !== null);
}

async function again(bridge: BridgeUnderTest): Promise<void> {
  const graph = oneImage(PREFIX, freshColor());
  await bridge.run({ graph });
  const second = await bridge.run({ graph });
  assertEquals(second.timings.cachedNodes, ["1"]);
  assertEquals(Object.keys(second.timings.nodesMs), ["2"]);
}

async function adopt(bridge: BridgeUnderTest): Promise<void> {
  const first = await bridge.run({ graph: oneImage(PREFIX, freshColor()) });
  const second = await bridge.run({
    graph: oneImage(PREFIX, freshColor()),
    earlierPromptIds: [first.promptId],
  });
  assertEquals([second.adopted, second.outputs, second.graph], [true, first.outputs, first.graph]);
}

async function upload(bridge: BridgeUnderTest): Promise<void> {
  const raw = {
    create: {
      width: 21,
      height: 13,
      channels: 3 as const,
      background: { r: freshColor() & 255, g: 7, b: 99 },
    },
  };
  const file = await bridge.store.put(new Uint8Array(await sharp(raw).png().toBuffer()), "image/png");
  const graph: ApiGraph = {
    "1": { class_type: "LoadImage", inputs: { image: "" } },
    "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: PREFIX } },
  };
  const uploads = [{ file, extension: "png", places: [{ node: "1", input: "image" }] }];
  const { outputs } = await bridge.run({ graph, uploads });
  const bytes = await new Response(await bridge.store.read(outputs[0]!.file.hash)).bytes();
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  assertEquals([info.width, info.height, ...data.subarray(1, 3)], [21, 13, 7, 99]);
}

async function movie(bridge: BridgeUnderTest): Promise<void> {
  const { outputs } = await bridge.run({ graph: video(PREFIX, freshColor()), outputNodes: ["5"] });
  assertEquals(outputs.map((one) => one.file.mediaType), ["video/mp4"]);
}

async function refuse(bridge: BridgeUnderTest): Promise<void> {
  const graph = oneImage(PREFIX, 1);
  graph["1"]!.inputs.width = 0;
  graph["5"] = { class_type: "NoSuchNode", inputs: {} };
  const failure = await assertRejects(() => bridge.run({ graph }), GiveUp);
  assertEquals(failure.failureClass, "missing_requirement");
  assert(failure.message.includes("NoSuchNode") && failure.message.includes("width is 0"));
}

async function cancel(bridge: BridgeUnderTest): Promise<void> {
  const abort = new AbortController();
  const started = Promise.withResolvers<void>();
  const told = nothingTold();
  told.notes.push = (note: string) => {
    if (note === "ImageBlur") started.resolve();
    return 0;
  };
  const slow = bridge.run(
    { graph: slowChain(freshColor(), 6), outputNodes: ["99"], signal: abort.signal },
    told,
  );
  await started.promise;
  const next = bridge.run({ graph: oneImage(PREFIX, freshColor()) });
  abort.abort(new DOMException("The job was cancelled", "AbortError"));
  const abortedAt = performance.now();
  await assertRejects(() => slow, DOMException);
  assert(performance.now() - abortedAt < 2_000);
  assertEquals((await next).outputs.length, 1);
}

async function many(bridge: BridgeUnderTest): Promise<void> {
  const runs = Array.from({ length: 8 }, () => bridge.run({ graph: oneImage(PREFIX, freshColor()) }));
  const results = await Promise.all(runs);
  assertEquals(new Set(results.map((one) => one.outputs[0]?.file.hash)).size, 8);
}
