import { assert, assertEquals } from "@std/assert/mod.js";
import { forecast } from "#server/clips/forecast.ts";
import { planLoop } from "#server/clips/planner.ts";
import { longest } from "#server/core/legal_length.ts";
import { EDIT_RATES, framesInDuration } from "#server/core/media_time.ts";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { REGISTRY } from "#workers/engine/nodes/registry.ts";
import { describeNode } from "#workers/engine/protocol/object_info.ts";
import { bind, fitSize, transformed } from "./bind.ts";
import { checkTemplate } from "./check_template.ts";
import { type FileParameter, PREFIX_MARKER, type WorkflowTemplate } from "./manifest.ts";
import { checkAgainst, type ObjectInfo, requirementsMissing } from "./requirements.ts";
import { BUNDLED_TEMPLATES } from "./templates.ts";

/** What the recorded ComfyUI offers; only where the studio's reference folder is. */
const OBJECT_INFO = new URL("../../../shared/comfyui/object_info.json", import.meta.url);
const objectInfo = await Deno.readTextFile(OBJECT_INFO).then(JSON.parse, () => undefined);
const stock = BUNDLED_TEMPLATES.filter(({ manifest }) => !manifest.cpuPreview);

/** Every template bound as the pipeline would, with all its files. */
function boundGraph(
  { manifest, graph }: WorkflowTemplate,
  files: readonly FileParameter[] = ["image", "last_image", "reference"],
): ApiGraph {
  const { constraints } = manifest;
  const values: Record<string, unknown> = {
    prompt: "a calm portrait",
    negative: "blur",
    seed: Number.MAX_SAFE_INTEGER,
    ...fitSize(constraints, 768, 512),
  };
  if (constraints.video) {
    const { rates, frames } = constraints.video;
    values["frames"] = longest(frames);
    values["rate"] = rates === "any" ? { num: 24000, den: 1001 } : rates[0];
  }
  return bind({ manifest, graph }, { values, files }).graph;
}

Deno.test("every bundled template is sound: graph and manifest agree", () => {
  for (const template of BUNDLED_TEMPLATES) {
    assertEquals(checkTemplate(template), [], template.manifest.code);
    const saved = template.graph[template.manifest.result.node];
    assertEquals(saved?.inputs["filename_prefix"], PREFIX_MARKER, template.manifest.code);
    assert(template.manifest.result.lossless, `${template.manifest.code} loses picture quality`);
  }
  const codes = BUNDLED_TEMPLATES.map(({ manifest }) => manifest.code);
  assertEquals(new Set(codes).size, codes.length);
});

Deno.test("every bundled template lists each model that its graph names", () => {
  for (const { manifest, graph } of BUNDLED_TEMPLATES) {
    const named = Object.values(graph).flatMap(({ inputs }) => Object.values(inputs))
      .filter((value) => typeof value === "string" && value.endsWith(".safetensors"));
    assertEquals(new Set(manifest.requires.models.map(({ name }) => name)), new Set(named), manifest.code);
  }
});

Deno.test("every bundled template can be bound", () => {
  for (const template of BUNDLED_TEMPLATES) {
    const graph = boundGraph(template);
    assertEquals(checkTemplate({ ...template, graph }).filter((line) => !/^The knob/.test(line)), []);
    assertEquals(JSON.stringify(graph).includes("null"), false);
  }
});

Deno.test("every bundled video template takes each length and rate that the planner asks of it", () => {
  for (const template of BUNDLED_TEMPLATES) {
    const { bindings, constraints } = template.manifest;
    if (!constraints.video) continue;
    const files = (["image", "last_image"] as const).filter((name) => bindings[name]);
    for (const rate of [...EDIT_RATES, { num: 16, den: 1 }]) {
      for (const seconds of [0.02, 1, 2.5, 6, 15, 61]) {
        const askedFrames = framesInDuration(seconds * 1e6, rate);
        const plan = forecast(planLoop({ askedFrames, rate, constraints: constraints.video }));
        for (const { generateFrames } of plan.segments) {
          const size = fitSize(constraints, 768, 512);
          const values = { seed: 1, frames: generateFrames, rate: plan.conform.nativeRate, ...size };
          bind(template, { values, files });
        }
      }
    }
  }
});

Deno.test("every preview template fits the CPU engine node by node, with and without its optional files", async () => {
  const empty = await Deno.makeTempDir();
  const folders = { input: empty, output: empty, temp: empty, models: empty };
  const engine = Object.fromEntries([...REGISTRY].map(([name, spec]) => [name, describeNode(spec, folders)]));
  await Deno.remove(empty);
  for (const template of BUNDLED_TEMPLATES.filter(({ manifest }) => manifest.cpuPreview)) {
    const required = Object.entries(template.manifest.bindings)
      .flatMap(([name, binding]) => (binding.required && isFile(name) ? [name] : []));
    for (const graph of [template.graph, boundGraph(template), boundGraph(template, required)]) {
      assertEquals(checkAgainst(graph, engine).map(({ message }) => message), [], template.manifest.code);
    }
    assertEquals(requirementsMissing(template, engine), { nodes: [], models: [], others: [] });
    assertEquals(refusedKnobs(template, engine), []);
  }
});

function isFile(name: string): name is FileParameter {
  return name === "image" || name === "last_image" || name === "reference";
}

Deno.test({
  name: "every ready template fits the recorded ComfyUI node by node, but for model files",
  ignore: objectInfo === undefined,
  fn() {
    for (const template of stock) {
      const { manifest } = template;
      const isModel = (node: string, input: string | undefined) =>
        manifest.requires.models.some((model) => model.node === node && model.input === input);
      for (const graph of [template.graph, boundGraph(template)]) {
        const problems = checkAgainst(graph, objectInfo)
          .filter(({ kind, node, input }) => kind !== "not_offered" || !isModel(node, input));
        assertEquals(problems.map(({ message }) => message), [], manifest.code);
      }
      // The recorded machine has none of these models: all are reported at once, and nothing else.
      const missing = requirementsMissing(template, objectInfo);
      assertEquals([missing.nodes, missing.others], [[], []]);
      assertEquals(missing.models.length, manifest.requires.models.length);
    }
  },
});

Deno.test({
  name: "every choice that a ready template's knobs offer is offered by the recorded ComfyUI",
  ignore: objectInfo === undefined,
  fn() {
    for (const template of stock) assertEquals(refusedKnobs(template, objectInfo), []);
  },
});

/** What the worker would refuse of the knobs' options and range ends. */
function refusedKnobs({ manifest, graph }: WorkflowTemplate, info: ObjectInfo): string[] {
  return manifest.knobs.flatMap((knob) => {
    const places = manifest.bindings[knob.parameter]?.to ?? [];
    const values = knob.kind === "choice"
      ? knob.options.map(({ value }) => value)
      : "min" in knob
      ? [knob.min, knob.max]
      : [knob.default];
    return values.flatMap((value) => {
      const turned = structuredClone(graph);
      for (const { node, input, transform } of places) {
        const inputs = turned[node]?.inputs;
        if (inputs) inputs[input] = transformed(value, transform);
      }
      return checkAgainst(turned, info)
        .filter(({ node, input }) => places.some((place) => place.node === node && place.input === input))
        .map(({ message }) => `${manifest.code}, ${knob.parameter}: ${message}`);
    });
  });
}
