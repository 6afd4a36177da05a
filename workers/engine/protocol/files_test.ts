import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import sharp from "sharp";
import { addPngTexts, readPngTexts } from "#workers/engine/png_text.ts";
import { type GivenEngine, givenEngine } from "#workers/engine/testing/given_engine.ts";

async function upload(
  engine: GivenEngine,
  fields: Record<string, string | File>,
  path = "/upload/image",
): Promise<{ status: number; json: unknown }> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = await fetch(engine.url + path, { method: "POST", body: form });
  const text = await response.text();
  return { status: response.status, json: text.startsWith("{") ? JSON.parse(text) : text };
}

const file = (text: string, name = "a.bin") => new File([text], name);

Deno.test("an upload keeps its name, shares equal bytes and counts up for others", async () => {
  await using engine = await givenEngine();
  const name = async (fields: Record<string, string | File>) => (await upload(engine, fields)).json;
  const stored = (name: string) => ({ name, subfolder: "s", type: "input" });
  assertEquals(await name({ image: file("one"), subfolder: "s" }), stored("a.bin"));
  assertEquals(await name({ image: file("one"), subfolder: "s" }), stored("a.bin"));
  assertEquals(await name({ image: file("two"), subfolder: "s" }), stored("a (1).bin"));
  assertEquals(await name({ image: file("two"), subfolder: "s" }), stored("a (1).bin"));
  assertEquals(await name({ image: file("three"), subfolder: "s" }), stored("a (2).bin"));
  assertEquals(await name({ image: file("four"), subfolder: "s", overwrite: "true" }), stored("a.bin"));
  assertEquals(await Deno.readTextFile(engine.path("input/s/a.bin")), "four");
  assertEquals([...Deno.readDirSync(engine.path("input/s"))].length, 3);
});

Deno.test("uploads of one name at one time all find a place", async () => {
  await using engine = await givenEngine();
  const texts = Array.from({ length: 12 }, (_, n) => `text ${n % 6}`);
  const answers = await Promise.all(texts.map((text) => upload(engine, { image: file(text) })));
  for (const [n, { json }] of answers.entries()) {
    const { name } = json as { name: string };
    assertEquals(await Deno.readTextFile(engine.path(`input/${name}`)), texts[n]);
  }
  assertEquals([...Deno.readDirSync(engine.path("input"))].length, 6);
});

Deno.test("uploads that can't be taken are refused and leave nothing", async () => {
  await using engine = await givenEngine();
  const status = async (fields: Record<string, string | File>) => (await upload(engine, fields)).status;
  assertEquals(await status({ image: file("x"), subfolder: "../../out" }), 400);
  assertEquals(await status({ image: file("x", "../../x") }), 400);
  assertEquals(await status({ picture: file("x") }), 400);
  assertEquals(await status({ image: file("x"), type: "bogus" }), 500);
  const big = new Uint8Array(100 * 1024 * 1024 + 1);
  const response = await fetch(`${engine.url}/upload/image`, { method: "POST", body: big });
  assertEquals(response.status, 413);
  await response.body?.cancel();
  assertEquals([...Deno.readDirSync(engine.path("input"))], []);
});

Deno.test("a file that is overwritten is seen anew, by nodes and by view", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const graph = {
    1: { class_type: "LoadImage", inputs: { image: "same.png" } },
    2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "out" } },
  };
  for (const [n, background] of ["#ff0000", "#00ff00", "#0000ff"].entries()) {
    const png = await sharp({ create: { width: 40, height: 40, channels: 3, background } }).png().toBuffer();
    const image = new File([new Uint8Array(png)], "same.png");
    await upload(engine, { image, overwrite: "1" });
    const wanted = [0, 1, 2].map((channel) => channel === n ? 255 : 0);
    const view = await fetch(`${engine.url}/view?filename=same.png&type=input&preview=webp;90`);
    const [red = 0, green = 0, blue = 0] = await sharp(await view.bytes()).raw().toBuffer();
    assertEquals([red, green, blue].map((value) => value > 200 ? 255 : 0), wanted);
    await client.untilDone(await engine.submit(graph, { client_id: client.id }));
    const saved = await Deno.readFile(engine.path(`output/out_0000${n + 1}_.png`));
    assertEquals([...(await sharp(saved).raw().toBuffer()).subarray(0, 3)], wanted);
  }
});

Deno.test("a mask becomes the alpha of its original, whose texts stay", async () => {
  await using engine = await givenEngine();
  const red = { width: 4, height: 3, channels: 3, background: "red" } as const;
  const original = addPngTexts(await sharp({ create: red }).png().toBuffer(), { prompt: "{}" });
  await Deno.writeFile(engine.path("input/o.png"), original);
  const mask = await sharp({ create: { ...red, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0.2 } } })
    .png()
    .toBuffer();
  const reference = JSON.stringify({ filename: "o.png", subfolder: "", type: "input" });
  const image = new File([new Uint8Array(mask)], "m.png");
  const { json } = await upload(engine, { image, original_ref: reference }, "/upload/mask");
  assertEquals(json, { name: "m.png", subfolder: "", type: "input" });
  const stored = await Deno.readFile(engine.path("input/m.png"));
  assertEquals(readPngTexts(stored), { prompt: "{}" });
  assertEquals([...(await sharp(stored).raw().toBuffer()).subarray(0, 4)], [255, 0, 0, 51]);
});

Deno.test("view serves whole files and parts of them, and knows what a client has", async () => {
  await using engine = await givenEngine();
  await Deno.mkdir(engine.path("output/sub"));
  await Deno.writeTextFile(engine.path("output/sub/f.latent"), "0123456789");
  const get = (headers: Record<string, string> = {}) =>
    fetch(`${engine.url}/api/view?filename=f.latent&subfolder=sub`, { headers });
  const whole = await get();
  assertEquals(await whole.text(), "0123456789");
  assertEquals(whole.headers.get("content-type"), "application/octet-stream");
  assertEquals(whole.headers.get("content-disposition"), 'filename="f.latent"');
  for (const [range, text] of [["0-3", "0123"], ["7-", "789"], ["-2", "89"], ["5-100", "56789"]]) {
    const part = await get({ range: `bytes=${range}` });
    assertEquals([part.status, await part.text()], [206, text]);
  }
  const beyond = await get({ range: "bytes=10-" });
  assertEquals([beyond.status, beyond.headers.get("content-range")], [416, "bytes */10"]);
  await beyond.body?.cancel();
  const known = await get({ "if-none-match": whole.headers.get("etag") ?? "" });
  assertEquals(known.status, 304);
});

Deno.test("view refuses what is no file of its folders", async () => {
  await using engine = await givenEngine();
  await Deno.writeTextFile(engine.path("input/x.png"), "no picture");
  const status = async (query: string) => (await engine.get(`/view?${query}`)).status;
  assertEquals(await status("filename=../../etc/passwd"), 400);
  assertEquals(await status("filename=/etc/passwd"), 400);
  assertEquals(await status("filename="), 400);
  assertEquals(await status("filename=x.png&type=bogus"), 400);
  assertEquals(await status("filename=x.png&type=input&subfolder=../.."), 403);
  assertEquals(await status("filename=missing.png"), 404);
  assertEquals(await status("type=input"), 404);
  assertEquals(await status("filename=x.png%20[input]"), 200);
  assertEquals(await status("filename=x.png&type=input&preview=webp;90"), 500);
});

Deno.test("view re-encodes previews and takes channels apart", async () => {
  await using engine = await givenEngine();
  const background = { r: 10, g: 20, b: 30, alpha: 0.4 };
  await sharp({ create: { width: 5, height: 4, channels: 4, background } }).png().toFile(
    engine.path("temp/p.png"),
  );
  const view = async (query: string) => {
    const response = await fetch(`${engine.url}/view?filename=p.png&type=temp&${query}`);
    const bytes = await response.bytes();
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    return { type: response.headers.get("content-type"), pixel: [...data.subarray(0, info.channels)] };
  };
  assertEquals(await view("channel=rgb"), { type: "image/png", pixel: [10, 20, 30] });
  assertEquals(await view("channel=a"), { type: "image/png", pixel: [0, 0, 0, 102] });
  assertEquals((await view("preview=jpeg;80")).type, "image/jpeg");
  assertEquals((await view("preview=gif")).type, "image/webp");
});

Deno.test("the engine says what it is, which nodes it has and which models it sees", async () => {
  await using engine = await givenEngine();
  const { json } = await engine.get("/system_stats");
  const { system, devices } = json as { system: Record<string, unknown>; devices: Record<string, unknown>[] };
  assertEquals([system["seedloop"], system["comfyui_version"], devices[0]?.["type"]], [
    "cpu-preview",
    "0.3.64",
    "cpu",
  ]);
  assertEquals((await engine.get("/features")).json, {
    supports_preview_metadata: true,
    max_upload_size: 104857600,
    seedloop: "cpu-preview",
  });
  await Deno.writeTextFile(engine.path("input/b.png"), "");
  const { json: nodes } = await engine.get("/api/object_info/LoadImage");
  const info = (nodes as Record<string, { input: { required: { image: unknown } } }>)["LoadImage"];
  assertEquals(info?.input.required.image, [["b.png"], { image_upload: true }]);
  assertEquals((await engine.get("/object_info/Nope")).json, {});
  await Deno.mkdir(engine.path("models/vae/deep"), { recursive: true });
  await Deno.writeTextFile(engine.path("models/vae/deep/x.safetensors"), "");
  assertEquals((await engine.get("/models/vae")).json, ["deep/x.safetensors"]);
  assertEquals([(await engine.get("/models/unet")).status, (await engine.get("/models/toString")).status], [
    404,
    404,
  ]);
  assertEquals((await engine.get("/embeddings")).json, []);
  assertStringIncludes((await engine.get("/models")).text, '"diffusion_models"');
  assertEquals((await engine.get("/nothing")).status, 404);
});
