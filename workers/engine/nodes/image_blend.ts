import { buildFloats, type ImageBatch, sameSize } from "#workers/engine/image_batch.ts";
import { resizeBatch } from "#workers/engine/resize.ts";
import { defineNode } from "./node_spec.ts";

const MODES = ["normal", "multiply", "screen", "overlay", "soft_light", "difference"] as const;
type Mode = typeof MODES[number];

/** The second image over the first, by a mode and a share; clamped to 0–1. */
export const imageBlend = defineNode({
  classType: "ImageBlend",
  displayName: null,
  category: "image/postprocessing",
  module: "comfy_extras.nodes_post_processing",
  schema: "v3",
  required: {
    image1: ["IMAGE", {}],
    image2: ["IMAGE", {}],
    blend_factor: ["FLOAT", { default: 0.5, min: 0, max: 1, step: 0.01 }],
    blend_mode: ["COMBO", { multiselect: false, options: MODES }],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ image1, image2, blend_factor, blend_mode }, context) {
    const mode = MODES.find((each) => each === blend_mode) ?? "normal";
    const breathe = () => context.breathe();
    const over = sameSize(image1, image2)
      ? image2
      : await resizeBatch(image2, image1, "bicubic", "center", breathe);
    if (over.channels !== image1.channels) {
      throw new Error("Cannot blend an image with alpha with one without: load both alike");
    }
    const length = commonLength(image1, over);
    const blended = await buildFloats(image1, length, async (index) => {
      await breathe();
      const below = image1.floats(index % image1.length);
      const above = over.floats(index % over.length);
      return below.map((a, i) => blend(a, above[i] ?? 0, blend_factor, mode));
    });
    return { outputs: [blended] };
  },
});

/** A batch of one goes with a batch of any length. */
function commonLength(a: ImageBatch, b: ImageBatch): number {
  if (a.length === b.length || b.length === 1) return a.length;
  if (a.length === 1) return b.length;
  throw new Error(
    `The size of tensor a (${a.length}) must match the size of tensor b (${b.length}) at non-singleton dimension 0`,
  );
}

function blend(a: number, b: number, factor: number, mode: Mode): number {
  const mixed = a * (1 - factor) + combine(a, b, mode) * factor;
  return mixed < 0 ? 0 : mixed > 1 ? 1 : mixed;
}

function combine(a: number, b: number, mode: Mode): number {
  if (mode === "multiply") return a * b;
  if (mode === "screen") return 1 - (1 - a) * (1 - b);
  if (mode === "overlay") return a <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) * (1 - b);
  if (mode === "soft_light") {
    if (b <= 0.5) return a - (1 - 2 * b) * a * (1 - a);
    const root = a <= 0.25 ? ((16 * a - 12) * a + 4) * a : Math.sqrt(a);
    return a + (2 * b - 1) * (root - a);
  }
  return mode === "difference" ? a - b : b;
}
