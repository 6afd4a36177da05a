import type { ImageBatch } from "#workers/engine/image_batch.ts";
import { RESIZE_METHODS, resizeBatch, roundHalfEven } from "#workers/engine/resize.ts";
import { defineNode, type NodeContext, type NodeResult } from "./node_spec.ts";

const breatheOf = (context: NodeContext) => () => context.breathe();

/** To a size; 0 for one side keeps the aspect. */
export const imageScale = defineNode({
  classType: "ImageScale",
  displayName: "Upscale Image",
  category: "image/upscaling",
  module: "nodes",
  required: {
    image: ["IMAGE"],
    upscale_method: [RESIZE_METHODS],
    width: ["INT", { default: 512, min: 0, max: 16384, step: 1 }],
    height: ["INT", { default: 512, min: 0, max: 16384, step: 1 }],
    crop: [["disabled", "center"]],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ image, upscale_method, width, height, crop }, context) {
    if (width === 0 && height === 0) return { outputs: [image] };
    const to = {
      width: width || Math.max(1, roundHalfEven((image.width * height) / image.height)),
      height: height || Math.max(1, roundHalfEven((image.height * width) / image.width)),
    };
    return { outputs: [await resizeBatch(image, to, upscale_method, crop, breatheOf(context))] };
  },
});

/** By a factor. */
export const imageScaleBy = defineNode({
  classType: "ImageScaleBy",
  displayName: "Upscale Image By",
  category: "image/upscaling",
  module: "nodes",
  required: {
    image: ["IMAGE"],
    upscale_method: [RESIZE_METHODS],
    scale_by: ["FLOAT", { default: 1, min: 0.01, max: 8, step: 0.01 }],
  },
  outputs: [{ type: "IMAGE" }],
  run: ({ image, upscale_method, scale_by }, context) => scaleBy(image, upscale_method, scale_by, context),
});

/** To a number of pixels, in units of 1024 × 1024. */
export const imageScaleToTotalPixels = defineNode({
  classType: "ImageScaleToTotalPixels",
  displayName: null,
  category: "image/upscaling",
  module: "comfy_extras.nodes_post_processing",
  schema: "v3",
  required: {
    image: ["IMAGE", {}],
    upscale_method: ["COMBO", { multiselect: false, options: RESIZE_METHODS }],
    megapixels: ["FLOAT", { default: 1, min: 0.01, max: 16, step: 0.01 }],
  },
  outputs: [{ type: "IMAGE" }],
  run({ image, upscale_method, megapixels }, context) {
    const total = Math.trunc(megapixels * 1024 * 1024);
    return scaleBy(image, upscale_method, Math.sqrt(total / (image.width * image.height)), context);
  },
});

/** To a longest side. */
export const imageScaleToMaxDimension = defineNode({
  classType: "ImageScaleToMaxDimension",
  category: "image/upscaling",
  module: "comfy_extras.nodes_images",
  required: {
    image: ["IMAGE"],
    upscale_method: [["area", "lanczos", "bilinear", "nearest-exact", "bilinear", "bicubic"]],
    largest_size: ["INT", { default: 512, min: 0, max: 16384, step: 1 }],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ image, upscale_method, largest_size }, context) {
    const { width, height } = image;
    const to = {
      width: height > width ? roundHalfEven((width / height) * largest_size) : largest_size,
      height: width > height ? roundHalfEven((height / width) * largest_size) : largest_size,
    };
    return { outputs: [await resizeBatch(image, to, upscale_method, "disabled", breatheOf(context))] };
  },
});

async function scaleBy(
  image: ImageBatch,
  method: string,
  factor: number,
  context: NodeContext,
): Promise<NodeResult> {
  const to = { width: roundHalfEven(image.width * factor), height: roundHalfEven(image.height * factor) };
  const known = RESIZE_METHODS.find((each) => each === method) ?? "bilinear";
  return { outputs: [await resizeBatch(image, to, known, "disabled", breatheOf(context))] };
}
