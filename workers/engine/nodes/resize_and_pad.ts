import { buildFloats } from "#workers/engine/image_batch.ts";
import { resizeBatch } from "#workers/engine/resize.ts";
import { defineNode } from "./node_spec.ts";

/** Whole frames fitted into a size, with bars of one colour. */
export const resizeAndPadImage = defineNode({
  classType: "ResizeAndPadImage",
  category: "image/transform",
  module: "comfy_extras.nodes_images",
  required: {
    image: ["IMAGE"],
    target_width: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    target_height: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    padding_color: [["white", "black"]],
    interpolation: [["area", "bicubic", "nearest-exact", "bilinear", "lanczos"]],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ image, target_width, target_height, padding_color, interpolation }, context) {
    const scale = Math.min(target_width / image.width, target_height / image.height);
    const fitted = { width: Math.trunc(image.width * scale), height: Math.trunc(image.height * scale) };
    const resized = await resizeBatch(image, fitted, interpolation, "disabled", () => context.breathe());
    const { channels } = image;
    const left = Math.floor((target_width - fitted.width) / 2);
    const top = Math.floor((target_height - fitted.height) / 2);
    const size = { width: target_width, height: target_height, channels };
    const padded = await buildFloats(size, image.length, async (index) => {
      await context.breathe();
      const frame = new Float32Array(target_width * target_height * channels).fill(
        padding_color === "white" ? 1 : 0,
      );
      const source = resized.floats(index);
      const row = fitted.width * channels;
      for (let y = 0; y < fitted.height; y++) {
        frame.set(source.subarray(y * row, (y + 1) * row), ((y + top) * target_width + left) * channels);
      }
      return frame;
    });
    return { outputs: [padded] };
  },
});
