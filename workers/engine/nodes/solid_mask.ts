import { constantBatch } from "#workers/engine/image_batch.ts";
import { defineNode } from "./node_spec.ts";

/** A mask of one value. */
export const solidMask = defineNode({
  classType: "SolidMask",
  category: "mask",
  module: "comfy_extras.nodes_mask",
  required: {
    value: ["FLOAT", { default: 1, min: 0, max: 1, step: 0.01 }],
    width: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    height: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
  },
  outputs: [{ type: "MASK" }],
  run: ({ value, width, height }) => ({
    outputs: [constantBatch({ width, height, channels: 1 }, 1, [value])],
  }),
});
