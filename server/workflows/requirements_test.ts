import { assertEquals } from "@std/assert/mod.js";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { checkAgainst, requirementsMissing } from "./requirements.ts";
import { bundledTemplate } from "./templates.ts";

/** A worker in the small: one loader, one sampler, one saver. */
const WORKER = {
  LoadImage: {
    input: { required: { image: [["a.png"], { image_upload: true }] } },
    output: ["IMAGE", "MASK"],
  },
  Loader: { input: { required: { name: [["one.safetensors"]] } }, output: ["MODEL"] },
  Sampler: {
    input: {
      required: {
        model: ["MODEL"],
        image: ["IMAGE"],
        steps: ["INT", { min: 1, max: 10, step: 1 }],
        length: ["INT", { min: 1, max: 81, step: 4 }],
        mode: ["COMBO", { options: ["calm", "lively"] }],
        text: ["STRING", {}],
      },
      optional: { strength: ["FLOAT", { min: 0, max: 1 }], anything: ["*"] },
    },
    output: ["IMAGE"],
  },
};

const GRAPH: ApiGraph = {
  "1": { class_type: "Loader", inputs: { name: "one.safetensors" } },
  "2": { class_type: "LoadImage", inputs: { image: "not yet uploaded.png" } },
  "3": {
    class_type: "Sampler",
    inputs: {
      model: ["1", 0],
      image: ["2", 0],
      steps: 4,
      length: 53,
      mode: "calm",
      text: "",
      anything: ["2", 1],
    },
  },
};

/** What is found when node 3 has these inputs on top. */
function found(inputs: Record<string, unknown>): string[] {
  const graph = structuredClone(GRAPH);
  Object.assign(graph["3"]?.inputs ?? {}, inputs);
  return checkAgainst(graph, WORKER).map(({ kind, input }) => `${kind} ${input}`);
}

Deno.test("checkAgainst accepts a graph that fits", () => {
  assertEquals(found({}), []);
  assertEquals(found({ strength: 0.5 }), []);
});

Deno.test("checkAgainst finds each kind of misfit", () => {
  assertEquals(found({ steps: 0 }), ["out_of_range steps"]);
  assertEquals(found({ steps: 1.5 }), ["wrong_type steps"]);
  assertEquals(found({ steps: "4" }), ["wrong_type steps"]);
  assertEquals(found({ length: 52 }), ["off_step length"]);
  assertEquals(found({ mode: "wild" }), ["not_offered mode"]);
  assertEquals(found({ text: 3 }), ["wrong_type text"]);
  assertEquals(found({ model: ["2", 0] }), ["wrong_type model"]);
  assertEquals(found({ model: "a model" }), ["wrong_type model"]);
  assertEquals(found({ image: ["2", 2] }), ["bad_link image"]);
  assertEquals(found({ image: ["9", 0] }), ["bad_link image"]);
  assertEquals(found({ imagge: ["2", 0] }), ["unknown_input imagge"]);
  const graph = structuredClone(GRAPH);
  delete graph["3"]?.inputs["steps"];
  assertEquals(checkAgainst(graph, WORKER).map(({ message }) => message), [
    "Sampler (node 3), steps: is required and not given",
  ]);
});

Deno.test("requirementsMissing lists all nodes, models and values at once", () => {
  const template = bundledTemplate("wan22_i2v_14b");
  if (!template) throw new Error("The Wan template is gone");
  const missing = requirementsMissing(template, {
    UNETLoader: {
      input: {
        required: {
          unet_name: [["wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors"]],
          weight_dtype: [["default"]],
        },
      },
      output: ["MODEL"],
    },
    CLIPLoader: {
      input: { required: { clip_name: [[]], type: [["sdxl"]] }, optional: { device: [["default"]] } },
      output: ["CLIP"],
    },
  });
  assertEquals(missing.nodes, [
    "ModelSamplingSD3",
    "CLIPTextEncode",
    "VAELoader",
    "LoadImage",
    "WanImageToVideo",
    "KSamplerAdvanced",
    "VAEDecode",
    "SaveImage",
  ]);
  assertEquals(missing.models.map(({ name }) => name), [
    "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
    "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
  ]);
  assertEquals(missing.others.map(({ message }) => message), [
    'CLIPLoader (node 20), type: the worker does not offer "wan"',
  ]);
});
