import { assertEquals } from "@std/assert/mod.js";
import { checkTemplate } from "./check_template.ts";
import type { Transform, WorkflowTemplate } from "./manifest.ts";
import { bundledTemplate } from "./templates.ts";

/** What is found in the Wan template after `change`. */
function found(change: (template: WorkflowTemplate) => void): string[] {
  const template = structuredClone(bundledTemplate("wan22_i2v_14b"));
  if (!template) throw new Error("The Wan template is gone");
  change(template);
  return checkTemplate(template);
}

Deno.test("checkTemplate finds links to nowhere and circles", () => {
  assertEquals(found(({ graph }) => delete graph["13"]), [
    "61.model is linked to node 13, which is not there",
    "shift is bound to node 13, which is not there",
  ]);
  const loop = found(({ graph }) => graph["21"]?.inputs && (graph["21"].inputs["clip"] = ["50", 0]));
  assertEquals(loop, ["Nodes 21, 50 feed each other: remove a link of the circle"]);
  assertEquals(found(({ graph }) => graph["21"]?.inputs && (graph["21"].inputs["text"] = [1, 2])), [
    '21.text is a list but no link ["node", output]',
  ]);
});

Deno.test("checkTemplate survives long chains and names that every object has", () => {
  assertEquals(
    found(({ graph }) => graph["61"]?.inputs && (graph["61"].inputs["model"] = ["constructor", 0])),
    [
      "61.model is linked to node constructor, which is not there",
    ],
  );
  const chained = found(({ graph }) => {
    for (let i = 0; i < 50_000; i++) {
      graph[`c${i}`] = { class_type: "SaveImage", inputs: { images: [i === 0 ? "70" : `c${i - 1}`, 0] } };
    }
  });
  assertEquals(chained, []);
});

Deno.test("checkTemplate finds rewritings that make no sense", () => {
  const bound = (parameter: string, transform?: Transform) =>
    found(({ manifest }) => {
      const { to } = manifest.bindings["seed"] ?? { to: [] };
      manifest.bindings[parameter] = { to: to.map((place) => (transform ? { ...place, transform } : place)) };
    });
  assertEquals(bound("seed", "seed_32"), []);
  assertEquals(bound("rate", "rate_float"), []);
  assertEquals(bound("rate").length, 2);
  assertEquals(
    bound("prompt", { multiply: 2 })[0],
    "prompt can't be rewritten for 60.noise_seed as told: it is no number",
  );
  assertEquals(
    bound("seed", "rate_num")[0],
    "seed can't be rewritten for 60.noise_seed as told: it is no rate",
  );
});

Deno.test("checkTemplate finds bindings, knobs, models and results that the graph lacks", () => {
  assertEquals(found(({ manifest }) => manifest.bindings["seed"] = { to: [{ node: "60", input: "sed" }] }), [
    "seed is bound to 60.sed, which is not there",
  ]);
  assertEquals(
    found(({ manifest }) => manifest.bindings["seed"] = { to: [{ node: "60", input: "model" }] }),
    [
      "seed is bound to 60.model, which is linked",
    ],
  );
  assertEquals(found(({ manifest }) => manifest.result.node = "99"), [
    "The result is node 99, which is not there",
  ]);
  assertEquals(
    found(({ manifest }) => manifest.bindings["image"] = { to: [{ node: "40", input: "image" }] }),
    [
      "image is an optional file: say in withoutIt which nodes to leave out",
    ],
  );
  assertEquals(found(({ manifest }) => manifest.knobs = manifest.knobs.slice(1)), [
    "steps is bound, but is neither a pipeline parameter nor a knob",
  ]);
  assertEquals(found(({ graph }) => graph["60"]?.inputs && (graph["60"].inputs["cfg"] = 9)), [
    "The knob guidance starts at 3.5, but 60.cfg is 9",
  ]);
  assertEquals(found(({ manifest }) => manifest.requires.nodes.push("RIFE")), [
    "RIFE is listed as required, but not used",
  ]);
  assertEquals(
    found(({ graph }) => graph["30"]?.inputs && (graph["30"].inputs["vae_name"] = "x.safetensors")),
    [
      "The model wan_2.1_vae.safetensors is listed for 30.vae_name, which names another",
    ],
  );
  assertEquals(found(({ manifest }) => delete manifest.constraints.video), [
    "Video constraints belong to video workflows, and only there",
  ]);
});
