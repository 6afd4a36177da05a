import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { parseJson } from "./json.ts";
import { checkGraph, spellForWorker } from "./validate.ts";

const INFO = parseJson(`{
  "Loader": {"name":"Loader","input":{"required":{"name":[["wan\\\\x.safetensors","y.safetensors"],{}]}},"output":["MODEL"],"output_node":false},
  "LoadImage": {"name":"LoadImage","input":{"required":{"image":[[],{"image_upload":true}]}},"output":["IMAGE","MASK"],"output_node":false},
  "Sampler": {"name":"Sampler","input":{"required":{"model":["MODEL"],"seed":["INT",{"min":0,"max":18446744073709551615}],
     "cfg":["FLOAT",{"min":0.5,"max":Infinity}],"mode":["COMBO",{"options":["a","b"]}]},"optional":{"image":["IMAGE,MASK"],"any":["*",{}]}},
     "output":["LATENT",["a","b"]],"output_node":false},
  "Save": {"name":"Save","input":{"required":{"samples":["LATENT"],"prefix":["STRING",{}]},"hidden":{"prompt":"PROMPT"}},"output":[],"output_node":true}
}`) as Record<string, unknown>;

function goodGraph(): ApiGraph {
  return {
    "1": { class_type: "Loader", inputs: { name: "y.safetensors" } },
    "2": { class_type: "Sampler", inputs: { model: ["1", 0], seed: 5, cfg: 7, mode: "b" } },
    "3": { class_type: "Save", inputs: { samples: ["2", 0], prefix: "x" } },
  };
}

function kindsOf(change: (graph: ApiGraph) => void): string[] {
  const graph = goodGraph();
  change(graph);
  return checkGraph(graph, INFO).map((problem) =>
    `${problem.kind} ${problem.nodeId} ${problem.input ?? ""}`.trim()
  );
}

Deno.test("checkGraph accepts what the worker would run", () => {
  assertEquals(kindsOf(() => {}), []);
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.mode = ["2", 1]), ["bad_link 2"]); // its own output: a circle
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.image = ["4", 1]), ["bad_link 2 image"]);
  assertEquals(
    kindsOf((graph) => {
      graph["4"] = { class_type: "LoadImage", inputs: { image: "seedloop/not-listed.png" } };
      graph["2"]!.inputs.image = ["4", 1];
      graph["2"]!.inputs.any = ["1", 0];
      graph["2"]!.inputs.unheard_of = { a: 1 };
      graph["1"]!.inputs.name = "wan/x.safetensors";
    }),
    [],
  );
});

Deno.test("checkGraph lists everything at once", () => {
  const found = kindsOf((graph) => {
    graph["1"]!.inputs.name = "z.safetensors";
    graph["2"]!.inputs = { model: ["9", 0], seed: -1, cfg: "much", mode: "c" };
    delete graph["3"]!.inputs.prefix;
    graph["7"] = { class_type: "Unknown", inputs: {} };
    graph["8"] = { class_type: "AlsoUnknown", inputs: {} };
  });
  assertEquals(found.toSorted(), [
    "bad_link 2 model",
    "bad_value 2 cfg",
    "bad_value 2 mode",
    "bad_value 2 seed",
    "missing_input 3 prefix",
    "missing_node 7",
    "missing_node 8",
  ]);
});

Deno.test("checkGraph names the missing model, its input and the choices", () => {
  const graph = goodGraph();
  graph["1"]!.inputs.name = "z.safetensors";
  graph["1"]!._meta = { title: "The model" };
  const [problem] = checkGraph(graph, INFO);
  assertEquals(problem?.kind, "missing_model");
  for (const said of ["“The model”", "z.safetensors", "y.safetensors"]) {
    assertStringIncludes(problem?.message ?? "", said);
  }
});

Deno.test("checkGraph offers files only in place of a missing file", () => {
  const info = { Loader: { input: { required: { name: [["pixel_space"], {}] } }, output: ["MODEL"] } };
  const graph = { "1": { class_type: "Loader", inputs: { name: "z.safetensors" } } };
  const [problem] = checkGraph(graph, { ...info, Loader: { ...info.Loader, output_node: true } });
  assertStringIncludes(problem?.message ?? "", "has no file z.safetensors");
  assertEquals(problem?.message.includes("pixel_space"), false);
});

Deno.test("checkGraph sends nobody to install the studio's own nodes", () => {
  const graph = { "1": { class_type: "SeedloopMotion", inputs: {} } };
  assertStringIncludes(checkGraph(graph, INFO)[0]?.message ?? "", "only the studio's own CPU engine");
});

Deno.test("checkGraph compares bounds exactly, beyond 2^53 too", () => {
  // As a double, 2⁶⁴−1 is 2⁶⁴: one too many.
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.seed = 18446744073709551615), ["bad_value 2 seed"]);
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.seed = Number.MAX_SAFE_INTEGER), []);
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.seed = "12"), []);
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.seed = "1.5"), ["bad_value 2 seed"]);
  assertEquals(kindsOf((graph) => graph["2"]!.inputs.cfg = 1e300), []);
});

Deno.test("checkGraph refuses links of the wrong type, slot or shape", () => {
  assertEquals(kindsOf((graph) => graph["3"]!.inputs.samples = ["1", 0]), ["bad_link 3 samples"]);
  assertEquals(kindsOf((graph) => graph["3"]!.inputs.samples = ["2", 7]), ["bad_link 3 samples"]);
  assertEquals(kindsOf((graph) => graph["3"]!.inputs.samples = [2, 0]), ["bad_link 3 samples"]);
  assertEquals(kindsOf((graph) => delete graph["3"]), ["no_output"]);
});

Deno.test("checkGraph leaves nodes that nothing needs alone, but for their class", () => {
  assertEquals(kindsOf((graph) => graph["5"] = { class_type: "Loader", inputs: {} }), []);
});

Deno.test("checkGraph says once that a graph runs in a circle", () => {
  assertEquals(kindsOf((graph) => graph["1"]!.inputs.extra = ["2", 0]), ["bad_link 1"]);
});

Deno.test("spellForWorker writes model names as the worker does", () => {
  const graph = goodGraph();
  graph["1"]!.inputs.name = "wan/x.safetensors";
  assertEquals(spellForWorker(graph, INFO)["1"]?.inputs.name, "wan\\x.safetensors");
  assertEquals(graph["1"]?.inputs.name, "wan/x.safetensors");
});

const shared = new URL("../../../shared/comfyui/", import.meta.url);
const hasShared = await Deno.stat(shared).then(() => true, () => false);

Deno.test({
  name: `checkGraph of recorded graphs against a stock ComfyUI${
    hasShared ? "" : ": skipped, ../shared/comfyui is not there"
  }`,
  ignore: !hasShared,
  fn: async () => {
    const info = parseJson(await Deno.readTextFile(new URL("object_info.json", shared))) as Record<
      string,
      unknown
    >;
    for (const name of ["g1_image", "g2_video", "g4_runtime_error", "g5_slow_chain"]) {
      assertEquals(checkGraph(await readGraph(name), info), [], name);
    }
    assertEquals(checkGraph(await readGraph("g3_validation"), info).length, 5);
    for (const name of ["wan22_i2v", "wan22_flf2v", "wan21_flf2v"]) {
      // The recorded server had no models: all that is missing is files.
      const kinds = new Set(checkGraph(await readGraph(name), info).map((problem) => problem.kind));
      assertEquals([...kinds], ["missing_model"], name);
    }
  },
});

async function readGraph(name: string): Promise<ApiGraph> {
  return JSON.parse(await Deno.readTextFile(new URL(`graphs/${name}.json`, shared)));
}

Deno.test("checkGraph names the folder that a missing model belongs into", () => {
  const sentenceOf = (className: string, input: string): string => {
    const info = {
      [className]: {
        name: className,
        input: { required: { [input]: [["a.safetensors"], {}] } },
        output: [],
        output_node: true,
      },
    };
    const graph = { "1": { class_type: className, inputs: { [input]: "z.safetensors" } } };
    return checkGraph(graph, info)[0]?.message ?? "";
  };
  assertStringIncludes(
    sentenceOf("UNETLoader", "unet_name"),
    "put it into the worker's folder models/diffusion_models or",
  );
  assertStringIncludes(sentenceOf("CLIPLoader", "clip_name"), "models/text_encoders");
  assertStringIncludes(sentenceOf("CLIPVisionLoader", "clip_name"), "models/clip_vision");
  assertStringIncludes(sentenceOf("SomeLoader", "some_name"), "the worker's model folder for that input");
});
