import { movePixels } from "#workers/engine/image_batch.ts";
import { defineNode } from "./node_spec.ts";

/** Mirrored top to bottom or left to right. */
export const imageFlip = defineNode({
  classType: "ImageFlip",
  category: "image/transform",
  module: "comfy_extras.nodes_images",
  required: { image: ["IMAGE"], flip_method: [["x-axis: vertically", "y-axis: horizontally"]] },
  outputs: [{ type: "IMAGE" }],
  run({ image, flip_method }) {
    const { width, height } = image;
    const sourceOf = flip_method.startsWith("x")
      ? (x: number, y: number) => (height - 1 - y) * width + x
      : (x: number, y: number) => y * width + (width - 1 - x);
    return { outputs: [movePixels(image, { width, height }, sourceOf)] };
  },
});

/** Turned clockwise by quarters. */
export const imageRotate = defineNode({
  classType: "ImageRotate",
  category: "image/transform",
  module: "comfy_extras.nodes_images",
  required: { image: ["IMAGE"], rotation: [["none", "90 degrees", "180 degrees", "270 degrees"]] },
  outputs: [{ type: "IMAGE" }],
  run({ image, rotation }) {
    const { width, height } = image;
    const turned = { width: height, height: width };
    if (rotation.startsWith("90")) {
      return { outputs: [movePixels(image, turned, (x, y) => (height - 1 - x) * width + y)] };
    }
    if (rotation.startsWith("180")) {
      const sourceOf = (x: number, y: number) => (height - 1 - y) * width + (width - 1 - x);
      return { outputs: [movePixels(image, { width, height }, sourceOf)] };
    }
    if (rotation.startsWith("270")) {
      return { outputs: [movePixels(image, turned, (x, y) => x * width + (width - 1 - y))] };
    }
    return { outputs: [image] };
  },
});
