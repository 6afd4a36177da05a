import { cropBatch } from "#workers/engine/resize.ts";
import { defineNode } from "./node_spec.ts";

/** The part of the frames inside a box; what the box has beyond them is left out. */
export const imageCrop = defineNode({
  classType: "ImageCrop",
  displayName: "Image Crop",
  category: "image/transform",
  module: "comfy_extras.nodes_images",
  required: {
    image: ["IMAGE"],
    width: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    height: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    x: ["INT", { default: 0, min: 0, max: 16384, step: 1 }],
    y: ["INT", { default: 0, min: 0, max: 16384, step: 1 }],
  },
  outputs: [{ type: "IMAGE" }],
  run({ image, width, height, x, y }) {
    const left = Math.min(x, image.width - 1);
    const top = Math.min(y, image.height - 1);
    const box = {
      x: left,
      y: top,
      width: Math.min(width, image.width - left),
      height: Math.min(height, image.height - top),
    };
    return { outputs: [cropBatch(image, box)] };
  },
});
