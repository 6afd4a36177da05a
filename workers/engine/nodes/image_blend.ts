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

/** Each step is rounded to float32, as PyTorch does. */
const f = Math.fround;

function blend(a: number, b: number, factor: number, mode: Mode): number {
  const mixed = f(f(a * f(1 - factor)) + f(combine(a, b, mode) * f(factor)));
  return mixed < 0 ? 0 : mixed > 1 ? 1 : mixed;
}

function combine(a: number, b: number, mode: Mode): number {
  if (mode === "multiply") return f(a * b);
  if (mode === "screen") return f(1 - f(f(1 - a) * f(1 - b)));
  if (mode === "overlay") return a <= 0.5 ? f(f(2 * a) * b) : f(1 - f(f(2 * f(1 - a)) * f(1 - b)));
  if (mode === "soft_light") {
    if (b <= 0.5) return f(a - f(f(f(1 - f(2 * b)) * a) * f(1 - a)));
    const root = a <= 0.25 ? f(f(f(f(f(16 * a) - 12) * a) + 4) * a) : f(Math.sqrt(a));
    return f(a + f(f(f(2 * b) - 1) * f(root - a)));
  }
  return mode === "difference" ? f(a - b) : b;
}
