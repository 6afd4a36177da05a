import { buildFloats, type ImageBatch } from "#workers/engine/image_batch.ts";
import { defineNode, type NodeContext } from "./node_spec.ts";

/** Gaussian blur; `sigma` counts in half widths of the kernel, as in ComfyUI. Edges are mirrored. */
export const imageBlur = defineNode({
  classType: "ImageBlur",
  displayName: null,
  category: "image/postprocessing",
  module: "comfy_extras.nodes_post_processing",
  schema: "v3",
  required: {
    image: ["IMAGE", {}],
    blur_radius: ["INT", { default: 1, min: 1, max: 31, step: 1 }],
    sigma: ["FLOAT", { default: 1, min: 0.1, max: 10, step: 0.1 }],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ image, blur_radius, sigma }, context) {
    return { outputs: [await blur(image, blur_radius, sigma, context, (_, blurred) => blurred)] };
  },
});

/** The blur's opposite: what it takes away is added `alpha` times ten; clamped to 0–1. */
export const imageSharpen = defineNode({
  classType: "ImageSharpen",
  displayName: null,
  category: "image/postprocessing",
  module: "comfy_extras.nodes_post_processing",
  schema: "v3",
  required: {
    image: ["IMAGE", {}],
    sharpen_radius: ["INT", { default: 1, min: 1, max: 31, step: 1 }],
    sigma: ["FLOAT", { default: 1, min: 0.1, max: 10, step: 0.01 }],
    alpha: ["FLOAT", { default: 1, min: 0, max: 5, step: 0.01 }],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ image, sharpen_radius, sigma, alpha }, context) {
    const strength = 10 * alpha;
    const sharpened = await blur(image, sharpen_radius, sigma, context, (sharp, blurred) => {
      const value = sharp + strength * (sharp - blurred);
      return value < 0 ? 0 : value > 1 ? 1 : value;
    });
    return { outputs: [sharpened] };
  },
});

async function blur(
  image: ImageBatch,
  radius: number,
  sigma: number,
  context: NodeContext,
  combine: (sharp: number, blurred: number) => number,
): Promise<ImageBatch> {
  const { width, height } = image;
  if (radius >= width || radius >= height) {
    throw new Error(
      `Cannot blur ${width}x${height} images by ${radius} pixels: the radius must be less than each side`,
    );
  }
  const weights = gaussian(radius, sigma);
  return await buildFloats(image, image.length, async (index) => {
    // A single frame is not interruptible, as in ComfyUI; a long batch is, between frames.
    if (index > 0) await context.breathe();
    const source = image.floats(index);
    const along = await blurAxis(source, image, weights, "x");
    const blurred = await blurAxis(along, image, weights, "y");
    return blurred.map((value, i) => combine(source[i] ?? 0, value));
  });
}

function gaussian(radius: number, sigma: number): Float64Array {
  const weights = Float64Array.from(
    { length: 2 * radius + 1 },
    (_, i) => Math.exp(-(((i - radius) / radius) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

async function blurAxis(
  source: Float32Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
  weights: Float64Array,
  axis: "x" | "y",
): Promise<Float32Array> {
  const radius = (weights.length - 1) / 2;
  const result = new Float32Array(source.length);
  const [length, stride, lines, lineStride] = axis === "x"
    ? [width, channels, height, width * channels]
    : [height, width * channels, width, channels];
  const padded = new Float64Array(length + 2 * radius);
  const sums = new Float64Array(length);
  for (let line = 0; line < lines; line++) {
    // Requests are answered meanwhile.
    if (line % 64 === 63) await new Promise((resolve) => setTimeout(resolve, 0));
    for (let c = 0; c < channels; c++) {
      const start = line * lineStride + c;
      for (let i = -radius; i < length + radius; i++) {
        padded[i + radius] = source[start + mirror(i, length) * stride] ?? 0;
      }
      sums.fill(0);
      for (let tap = 0; tap < weights.length; tap++) {
        const weight = weights[tap] ?? 0;
        for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + (padded[i + tap] ?? 0) * weight;
      }
      for (let i = 0; i < length; i++) result[start + i * stride] = sums[i] ?? 0;
    }
  }
  return result;
}

/** Reflected at the edges without repeating them. */
function mirror(index: number, length: number): number {
  if (index < 0) return -index;
  return index < length ? index : 2 * (length - 1) - index;
}
