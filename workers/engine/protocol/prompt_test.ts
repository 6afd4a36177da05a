import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { readPngTexts } from "#workers/engine/png_text.ts";
import { givenEngine, type Message } from "#workers/engine/testing/given_engine.ts";
import { G1, G2, G3, G4, picture } from "#workers/engine/testing/graphs.ts";
import sharp from "sharp";

/** Events by name and node, without the ones that repeat the state of all nodes. */
function steps(messages: readonly Message[]): string[] {
  return messages.filter(({ type }) => type !== "progress_state")
    .map(({ type, data }) => data.node === undefined ? type : `${type} ${data.node}`);
}

Deno.test("a fresh prompt is announced in ComfyUI's order and its files hold the graph", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const id = await engine.submit(G1, { client_id: client.id });
  const messages = await client.untilDone(id);
  assertEquals(steps(messages), [
    ...["status", "status", "execution_start", "execution_cached"],
    ...["executing 1", "executing 4", "executed 4", "executing 2", "executing 3", "executed 3"],
    ...["execution_success", "status", "executing null"],
  ]);
  const remaining = messages.filter(({ type }) => type === "status")
    .map(({ data }) => data.status.exec_info.queue_remaining);
  assertEquals(remaining, [1, 1, 0]);
  const { outputs, status } = await engine.history(id);
  assertEquals(status.status_str, "success");
  assertEquals(outputs["3"], {
    images: [1, 2].map((n) => ({ filename: `g1_0000${n}_.png`, subfolder: "conf", type: "output" })),
  });
  const png = await Deno.readFile(engine.path("output/conf/g1_00001_.png"));
  assertEquals(JSON.parse(readPngTexts(png)["prompt"] ?? ""), JSON.parse(JSON.stringify(G1)));
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  assertEquals([info.width, info.height, ...data.subarray(0, 3)], [64, 48, 0, 255, 255]);
});

Deno.test("progress_state names every node so far, running and then finished", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const id = await engine.submit(picture(5), { client_id: client.id });
  const states = (await client.untilDone(id)).filter(({ type }) => type === "progress_state")
    .map(({ data }) =>
      Object.entries<{ state: string }>(data.nodes).map(([node, { state }]) => `${node} ${state}`)
    );
  assertEquals(states, [
    ["1 running"],
    ["1 finished"],
    ["1 finished", "2 running"],
    ["1 finished", "2 finished"],
  ]);
});

Deno.test("the same prompt again runs nothing and shows the same files; renumbered it is still known", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const first = await engine.submit(G1, { client_id: client.id });
  await client.untilDone(first);
  const again = await engine.submit(G1, { client_id: client.id });
  const messages = await client.untilDone(again);
  assertEquals(messages.find(({ type }) => type === "execution_cached")?.data.nodes, ["1", "2", "3", "4"]);
  assertEquals(steps(messages).slice(4), [
    ...["executed 3", "executed 4", "execution_success", "status", "executing null"],
  ]);
  assertEquals((await engine.history(again)).outputs, (await engine.history(first)).outputs);

  const renumbered = JSON.parse(JSON.stringify(G1).replace(/"([1-4])"/g, '"x$1"'));
  const third = await engine.submit(renumbered, { client_id: client.id });
  const cached = (await client.untilDone(third)).find(({ type }) => type === "execution_cached");
  assertEquals(cached?.data.nodes, ["x1", "x2", "x3", "x4"]);
});

Deno.test("a changed saver runs alone", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  await client.untilDone(await engine.submit(G1, { client_id: client.id }));
  const changed = { ...G1, 3: { ...G1[3], inputs: { images: ["2", 0], filename_prefix: "conf/g1b" } } };
  const messages = await client.untilDone(await engine.submit(changed, { client_id: client.id }));
  assertEquals(messages.find(({ type }) => type === "execution_cached")?.data.nodes, ["1", "2", "4"]);
  assertEquals(steps(messages).filter((step) => step.startsWith("exec")).slice(2, 5), [
    ...["executing 3", "executed 3", "executed 4"],
  ]);
});

Deno.test("free_memory forgets results", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  await client.untilDone(await engine.submit(picture(1), { client_id: client.id }));
  assertEquals((await engine.post("/free", { free_memory: true })).text, "");
  const messages = await client.untilDone(await engine.submit(picture(1), { client_id: client.id }));
  assertEquals(messages.find(({ type }) => type === "execution_cached")?.data.nodes, []);
});

Deno.test("videos and animations are saved with their graphs", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const id = await engine.submit(G2, { client_id: client.id });
  const order = steps(await client.untilDone(id)).filter((step) => step.startsWith("executing"));
  assertEquals(order, ["2", "1", "3", "6", "4", "5", "null"].map((node) => `executing ${node}`));
  const { outputs } = await engine.history(id);
  assertEquals(outputs["5"], {
    images: [{ filename: "g2_00001_.mp4", subfolder: "conf", type: "output" }],
    animated: [true],
  });
  const video = await fetch(`${engine.url}/view?filename=g2_00001_.mp4&subfolder=conf`, {
    headers: { range: "bytes=0-99" },
  });
  assertEquals([video.status, video.headers.get("content-type")], [206, "video/mp4"]);
  assertEquals((await video.bytes()).length, 100);
  const mp4 = new TextDecoder("latin1").decode(await Deno.readFile(engine.path("output/conf/g2_00001_.mp4")));
  assertStringIncludes(mp4, '{"1":{"class_type":"EmptyImage"');
  const webp = await sharp(engine.path("output/conf/g2w_00001_.webp"), { pages: -1 }).metadata();
  // Equal frames are joined: nine and eight of 125 ms.
  assertEquals([webp.width, webp.pageHeight, webp.delay], [64, 48, [1125, 1000]]);
  assertStringIncludes(new TextDecoder("latin1").decode(webp.exif), 'prompt:{"1":{"class_type":"EmptyImage"');
});

Deno.test("a video's frames come back as they were saved, at its rate", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  await client.untilDone(await engine.submit(G2, { client_id: client.id }));
  const graph = {
    1: { class_type: "LoadVideo", inputs: { file: "conf/g2_00001_.mp4 [output]" } },
    2: { class_type: "GetVideoComponents", inputs: { video: ["1", 0] } },
    3: { class_type: "GetImageSize", inputs: { image: ["2", 0] } },
    4: { class_type: "PreviewAny", inputs: { source: ["3", 2] } },
    5: { class_type: "PreviewAny", inputs: { source: ["2", 2] } },
    6: {
      class_type: "SaveVideo",
      inputs: { video: ["1", 0], filename_prefix: "copy", format: "auto", codec: "auto" },
    },
  };
  const id = await engine.submit(graph, { client_id: client.id });
  await client.untilDone(id);
  const { outputs } = await engine.history(id);
  assertEquals([outputs["4"], outputs["5"]], [{ text: ["17"] }, { text: ["16"] }]);
  const text = client.binary.map((frame) => new TextDecoder().decode(frame.subarray(9)));
  assertEquals(text, ["width: 64, height: 48\n batch size: 17"]);
  const copy = await Deno.readFile(engine.path("output/copy_00001_.mp4"));
  assertStringIncludes(new TextDecoder("latin1").decode(copy), '"class_type":"LoadVideo"');
});

Deno.test("a video is saved and loaded where there is no ffmpeg but the built-in one", async () => {
  await using engine = await givenEngine([], "wasm");
  const client = await engine.connect();
  const { 5: saver, 6: _, ...rest } = G2;
  await client.untilDone(await engine.submit({ ...rest, 5: saver }, { client_id: client.id }));
  const graph = {
    1: { class_type: "LoadVideo", inputs: { file: "conf/g2_00001_.mp4 [output]" } },
    2: { class_type: "GetVideoComponents", inputs: { video: ["1", 0] } },
    3: { class_type: "ImageFromBatch", inputs: { image: ["2", 0], batch_index: 16, length: 1 } },
    4: { class_type: "SaveImage", inputs: { images: ["3", 0], filename_prefix: "last" } },
  };
  await client.untilDone(await engine.submit(graph, { client_id: client.id }));
  const [red = 0, green = 0, blue = 0] = await sharp(engine.path("output/last_00001_.png")).raw().toBuffer();
  assert(red < 6 && green > 249 && blue < 6, `the last frame is ${red},${green},${blue}, not green`);
});

Deno.test("animated PNGs and WebMs are saved, and pictures with several frames come as batches", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const { 1: one, 2: two, 3: both } = G2;
  const apng = {
    class_type: "SaveAnimatedPNG",
    inputs: { images: ["3", 0], filename_prefix: "a", fps: 8, compress_level: 4 },
  };
  const webm = {
    class_type: "SaveWEBM",
    inputs: { images: ["3", 0], filename_prefix: "w", codec: "vp9", fps: 24, crf: 40 },
  };
  const webp = {
    class_type: "SaveAnimatedWEBP",
    inputs: { ...G2[6].inputs, images: ["3", 0], lossless: true },
  };
  const id = await engine.submit({ 1: one, 2: two, 3: both, 4: apng, 5: webm, 6: webp }, {
    client_id: client.id,
  });
  await client.untilDone(id);
  assertEquals((await engine.history(id)).status.status_str, "success");
  const png = new TextDecoder("latin1").decode(await Deno.readFile(engine.path("output/a_00001_.png")));
  assertEquals(png.match(/fcTL/g)?.length, 17);
  assertStringIncludes(png, 'comfprompt\0{"1"');
  const still = await sharp(engine.path("output/a_00001_.png")).raw().toBuffer();
  assertEquals([...still.subarray(0, 3)], [0, 0, 255]);
  const head = new TextDecoder("latin1").decode(
    (await Deno.readFile(engine.path("output/w_00001_.webm"))).subarray(0, 64),
  );
  assertStringIncludes(head, "webm");
  const graph = {
    1: { class_type: "LoadImage", inputs: { image: "conf/g2w_00001_.webp [output]" } },
    2: { class_type: "GetImageSize", inputs: { image: ["1", 0] } },
    3: { class_type: "PreviewAny", inputs: { source: ["2", 2] } },
  };
  const loaded = await engine.submit(graph, { client_id: client.id });
  await client.untilDone(loaded);
  assertEquals((await engine.history(loaded)).outputs["3"], { text: ["2"] });
});

Deno.test("latents go through files, and pixels through the VAE that needs no model", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const graph = {
    1: { class_type: "EmptyImage", inputs: { width: 8, height: 8, batch_size: 2, color: 0xff00ff } },
    2: { class_type: "VAELoader", inputs: { vae_name: "pixel_space" } },
    3: { class_type: "VAEEncode", inputs: { pixels: ["1", 0], vae: ["2", 0] } },
    4: { class_type: "SaveLatent", inputs: { samples: ["3", 0], filename_prefix: "l" } },
  };
  const saved = await engine.submit(graph, { client_id: client.id });
  await client.untilDone(saved);
  const file = { filename: "l_00001_.latent", subfolder: "", type: "output" };
  assertEquals((await engine.history(saved)).outputs["4"], { latents: [file] });
  const back = {
    1: { class_type: "LoadLatent", inputs: { latent: "l_00001_.latent [output]" } },
    2: graph[2],
    3: { class_type: "VAEDecode", inputs: { samples: ["1", 0], vae: ["2", 0] } },
    4: { class_type: "SaveImage", inputs: { images: ["3", 0], filename_prefix: "back" } },
  };
  await client.untilDone(await engine.submit(back, { client_id: client.id }));
  const pixels = await sharp(engine.path("output/back_00002_.png")).raw().toBuffer();
  assertEquals([...pixels.subarray(0, 3)], [255, 0, 255]);
});

Deno.test("a prompt with nothing right is refused with every node's errors, and nothing is announced", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const { status, json } = await engine.post("/prompt", { prompt: G3, client_id: client.id });
  // deno-lint-ignore no-explicit-any
  const answer = json as any;
  assertEquals(status, 400);
  assertEquals(answer.error, {
    type: "prompt_outputs_failed_validation",
    message: "Prompt outputs failed validation",
    details: "",
    extra_info: {},
  });
  const found = answer.node_errors["1"].errors.map((each: { type: string; details: string }) =>
    `${each.type} ${each.details}`
  );
  assertEquals(
    new Set(found),
    new Set([
      "invalid_input_type height, abc, invalid literal for int() with base 10: 'abc'",
      "required_input_missing batch_size",
      "value_bigger_than_max color",
      "value_smaller_than_min width",
    ]),
  );
  assertEquals(answer.node_errors["2"].dependent_outputs, ["3"]);
  assertEquals(
    answer.node_errors["2"].errors[0].details,
    "upscale_method: 'zzz' not in ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos']",
  );
  assertEquals(Object.keys(answer.node_errors), ["1", "2"]);
  await engine.get("/prompt");
  assertEquals(client.take(), []);
});

Deno.test("a node that fails ends the prompt as an error with its words", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const id = await engine.submit(G4, { client_id: client.id });
  const messages = await client.untilDone(id);
  assertEquals(steps(messages).slice(-4), ["executing 2", "execution_error", "status", "executing null"]);
  const { status, outputs } = await engine.history(id);
  assertEquals([status.status_str, status.completed, outputs], ["error", false, {}]);
  const [name, data] = status.messages.at(-1) ?? [];
  assertEquals([name, data?.["node_id"], data?.["node_type"], data?.["exception_type"], data?.["executed"]], [
    ...["execution_error", "2", "SaveImage", "Exception", ["1"]],
  ]);
  assertStringIncludes(
    String(data?.["exception_message"]),
    "Saving image outside the output folder is not allowed",
  );
});

Deno.test("one good and one bad output: the good one runs and the answer tells of the bad one", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const graph = { ...picture(1), 5: { class_type: "SaveImage", inputs: { images: ["1", 0] } } };
  const { status, json } = await engine.post("/prompt", { prompt: graph, client_id: client.id });
  // deno-lint-ignore no-explicit-any
  const answer = json as any;
  assertEquals([status, Object.keys(answer.node_errors)], [200, ["5"]]);
  await client.untilDone(answer.prompt_id);
  assertEquals(Object.keys((await engine.history(answer.prompt_id)).outputs), ["2"]);
});

Deno.test("partial targets run their branch only", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const id = await engine.submit(G1, { client_id: client.id, partial_execution_targets: ["4"] });
  assertEquals(steps(await client.untilDone(id)).filter((step) => step.startsWith("executing")), [
    ...["executing 1", "executing 4", "executing null"],
  ]);
});

Deno.test("requests that are no prompt get ComfyUI's answers", async () => {
  await using engine = await givenEngine();
  const type = async (body: unknown) => {
    const { status, json } = await engine.post("/api/prompt", body);
    return [status, (json as { error?: { type: string } }).error?.type];
  };
  assertEquals(await type({}), [400, "no_prompt"]);
  assertEquals(await type({ prompt: {} }), [400, "prompt_no_outputs"]);
  assertEquals(await type({ prompt: { 1: { class_type: "Nope", inputs: {} } } }), [400, "missing_node_type"]);
  assertEquals(await type({ prompt: picture(1), prompt_id: "x" }), [400, "invalid_prompt_id"]);
  const malformed = await fetch(`${engine.url}/prompt`, { method: "POST", body: "{" });
  assertEquals(malformed.status, 500);
  assertStringIncludes(await malformed.text(), "500 Internal Server Error");
  // Refused prompts count too.
  const { json } = await engine.post("/prompt", { prompt: picture(1) });
  assertEquals((json as { number: number }).number, 4);
});

Deno.test("a list fans out: downstream nodes run once per element and their files are joined", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const graph = {
    1: { class_type: "EmptyImage", inputs: { width: 8, height: 8, batch_size: 5, color: 1 } },
    2: { class_type: "RebatchImages", inputs: { images: ["1", 0], batch_size: 2 } },
    3: { class_type: "SaveImage", inputs: { images: ["2", 0], filename_prefix: "list" } },
    4: { class_type: "GetImageSize", inputs: { image: ["2", 0] } },
    5: { class_type: "PreviewAny", inputs: { source: ["4", 2] } },
  };
  const id = await engine.submit(graph, { client_id: client.id });
  const messages = await client.untilDone(id);
  assertEquals(messages.filter(({ type, data }) => type === "executing" && data.node === "3").length, 1);
  const { outputs } = await engine.history(id);
  assertEquals(outputs["5"], { text: ["2", "2", "1"] });
  assert(JSON.stringify(outputs["3"]).includes("list_00005_.png"));
});

Deno.test("seeds beyond 2^53 stay apart", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const body = (seed: string) =>
    `{"prompt":{"1":{"class_type":"PrimitiveInt","inputs":{"value":${seed}}},` +
    `"2":{"class_type":"PreviewAny","inputs":{"source":["1",0]}}},"client_id":"${client.id}"}`;
  const send = async (seed: string) => {
    const response = await fetch(`${engine.url}/prompt`, { method: "POST", body: body(seed) });
    const { prompt_id } = await response.json();
    const messages = await client.untilDone(prompt_id);
    return { id: prompt_id, cached: messages.find(({ type }) => type === "execution_cached")?.data.nodes };
  };
  await send("9007199254740993");
  const second = await send("9007199254740995");
  assertEquals(second.cached, []);
  assertStringIncludes((await engine.get(`/history/${second.id}`)).text, '"value":9007199254740995');
});
