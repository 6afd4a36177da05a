import { mapValues } from "#workers/engine/image_batch.ts";
import { defineNode } from "./node_spec.ts";

/** 1 − x for every value, alpha too. */
export const imageInvert = defineNode({
  classType: "ImageInvert",
  displayName: "Invert Image",
  category: "image",
  module: "nodes",
  required: { image: ["IMAGE"] },
  outputs: [{ type: "IMAGE" }],
  run: ({ image }) => ({ outputs: [mapValues(image, (x) => 1 - x)] }),
});
